"""How the page marks verdicts, orders builds, writes legs, and how long a name may be on it."""

from __future__ import annotations

import pandas as pd

from harness.results.result import Verdict
from harness.results.text import clipped

LETTERS = {
    Verdict.PASSED: "p",
    Verdict.FLAKY: "y",
    Verdict.FAILED: "f",
    Verdict.HUNG: "h",
    Verdict.BLOCKED: "b",
    Verdict.SKIPPED: "s",
    Verdict.NOT_RUN: "n",
}


NAMES = ("build_name", "product", "kind", "scenario", "leg", "machine", "worker", "step")
LONGEST = 120  # characters of a name: a page has many places where it stands


def with_short_names(frame: pd.DataFrame) -> pd.DataFrame:
    """Cut names that would be longer than their places; what nobody wrote by hand may have any length."""
    for name in NAMES:
        if name in frame and (frame[name].str.len() > LONGEST).any():
            frame[name] = frame[name].map(lambda text: clipped(text, LONGEST), na_action="ignore").astype("string")
    return frame


def build_order(cells: pd.DataFrame) -> list[str]:
    """Every build of a run, oldest first; what is no number comes last."""

    def age(build: str) -> tuple[float, ...]:
        parts = build.split(".")
        return tuple(map(float, parts)) if all(part.isdecimal() for part in parts) else (float("inf"),)

    return sorted(map(str, cells["build"].unique()), key=age)


def build_names(cells: pd.DataFrame) -> dict[str, str]:
    """Name every build of a run, with its number where another one is called the same, as revisions of a build are."""
    names = cells[["build", "build_name"]].drop_duplicates("build").astype("string")
    shared = names["build_name"].duplicated(keep=False)
    said = names["build_name"].where(~shared, names["build_name"] + " (" + names["build"] + ")")
    return dict(zip(names["build"].tolist(), said.tolist(), strict=True))


def arrow(leg: str) -> str:
    """Write a leg as people read it."""
    return leg.replace("->", " → ")
