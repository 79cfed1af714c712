"""What changed since an earlier run, cell by cell: sums hide a failure behind a fix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from harness.report.coverage import RUN
from harness.results import words
from harness.results.result import Verdict

_GOOD = [Verdict.PASSED.value, Verdict.FLAKY.value]
_MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A run before this one, to compare with: its cells frame, and the times of its steps (``timings.TIMINGS``).

    ``called`` says what it is the last of: run, release, run that was let ship.
    """

    name: str
    cells: pd.DataFrame
    began: datetime | None = None
    called: str = "run"
    times: pd.DataFrame | None = None

    @property
    def is_release(self) -> bool:
        """Whether it is more than just the run before."""
        return self.called != "run"


@dataclass(frozen=True, slots=True)
class Changed:
    """Cells of one product and scenario that changed alike; ``key`` is the first one, "" for cells that are gone."""

    what: str
    number: str
    key: str


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """One kind of change, in a word, and what it hits."""

    style: str
    word: str
    number: str
    changed: tuple[Changed, ...]
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesView:
    """Everything that changed since one earlier run."""

    since: str
    sentence: str
    groups: tuple[ChangeGroup, ...]


def changes_view(cells: pd.DataFrame, earlier: Earlier, keys: Mapping[str, str]) -> ChangesView:
    """Compare by cell; ``keys`` gives each cell its place on the page."""
    columns = ["cell", "product", "scenario", "build_name", "verdict"]
    both = cells[columns].merge(earlier.cells[columns], on="cell", how="outer", suffixes=("", "_was"), sort=False)
    now, was = both["verdict"].astype("string"), both["verdict_was"].astype("string")
    ran, did = now.isin(RUN), was.isin(RUN)
    good, fine = now.isin(_GOOD), was.isin(_GOOD)
    kinds = {
        ("f", "newly failing"): ran & did & ~good & fine,
        ("p", "fixed"): ran & did & good & ~fine,
        ("n", "run then, not now"): ~ran & did & now.notna(),
        ("b", "gone from the plan"): now.isna(),
        ("s", "new in the plan"): was.isna(),
    }
    groups = tuple(_group(style, word, both[mask], keys) for (style, word), mask in kinds.items() if mask.any())
    still = int((ran & did & ~good & ~fine).sum())
    said = [f"{group.number} {group.word}" for group in groups] + ([f"{still:,} still failing"] if still else [])
    when = f"{earlier.began:%Y-%m-%d %H:%M}" if earlier.began else earlier.name
    return ChangesView(
        since=f"Since the last {earlier.called} ({when})",
        sentence=f"{words.listed(said)}." if said else "No cell came out differently.",
        groups=groups,
    )


def _group(style: str, word: str, rows: pd.DataFrame, keys: Mapping[str, str]) -> ChangeGroup:
    named = rows.assign(
        **{name: rows[name].fillna(rows[f"{name}_was"]) for name in ("product", "scenario", "build_name")}
    )
    changed = [
        Changed(
            f"{product}: {scenario} on {words.builds_in_words(alike['build_name'])}",
            words.count(len(alike), "cell"),
            keys.get(str(alike["cell"].iloc[0]), ""),
        )
        for (product, scenario), alike in named.groupby(["product", "scenario"], sort=False)
    ]
    return ChangeGroup(style, word, f"{len(rows):,}", tuple(changed[:_MOST]), max(0, len(changed) - _MOST))
