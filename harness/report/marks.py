"""How the page marks verdicts, orders builds and writes legs."""

from __future__ import annotations

import pandas as pd

from harness.results.result import Verdict

LETTERS = {
    Verdict.PASSED: "p",
    Verdict.FLAKY: "y",
    Verdict.FAILED: "f",
    Verdict.HUNG: "h",
    Verdict.BLOCKED: "b",
    Verdict.SKIPPED: "s",
    Verdict.NOT_RUN: "n",
}


def build_order(cells: pd.DataFrame) -> list[str]:
    """Every build of a run, oldest first; what is no number comes last."""

    def age(build: str) -> tuple[float, ...]:
        parts = build.split(".")
        return tuple(map(float, parts)) if all(part.isdecimal() for part in parts) else (float("inf"),)

    return sorted(map(str, cells["build"].unique()), key=age)


def arrow(leg: str) -> str:
    """Write a leg as people read it."""
    return leg.replace("->", " → ")
