"""What changed since an earlier run, cell by cell: sums hide a failure behind a fix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pandas as pd

from harness.report.coverage import RUN
from harness.results import words
from harness.results.decided import Decided
from harness.results.narrowed import Narrowed
from harness.results.result import Verdict
from harness.results.text import clipped

_GOOD = [Verdict.PASSED.value, Verdict.FLAKY.value]
_MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A run before this one, to compare with: its cells frame, and the times of its steps (``timings.TIMINGS``).

    ``called`` says what it is the last of: run, release, run that was let ship. ``narrowed``: it was a part of one.
    ``decided`` is what a gate said of it; None where none did.
    """

    name: str
    cells: pd.DataFrame
    began: datetime | None = None
    called: str = "run"
    times: pd.DataFrame | None = None
    narrowed: Narrowed | None = None
    decided: Decided | None = None

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
    decided: str  # what a gate said of that run; "" where none did
    groups: tuple[ChangeGroup, ...]


def compared(before: Sequence[Earlier]) -> list[Earlier]:
    """Choose what a run is compared with: the last whole run, and before it the last release, where it is another one.

    A narrowed run is only taken where there is no whole one: it cannot tell what became of the others' cells.
    """
    if not before:
        return []
    last = next((each for each in reversed(before) if each.narrowed is None), before[-1])
    if last is not before[-1] and not last.is_release:
        last = replace(last, called="whole run")
    released = [each for each in before if each.is_release and each.name != last.name]
    return [*released[-1:], last]


def changes_view(
    cells: pd.DataFrame, earlier: Earlier, keys: Mapping[str, str], narrowed: Narrowed | None = None
) -> ChangesView:
    """Compare by cell; ``keys`` gives each cell its place on the page, ``narrowed`` says that the run is a part of one.

    A cell that one of the two runs was not asked for is neither gone nor new: it is counted, and not compared.
    """
    columns = ["cell", "product", "scenario", "build_name", "verdict"]
    both = cells[columns].merge(earlier.cells[columns], on="cell", how="outer", suffixes=("", "_was"), sort=False)
    now, was = both["verdict"].astype("string"), both["verdict_was"].astype("string")
    ran, did = now.isin(RUN), was.isin(RUN)
    good, fine = now.isin(_GOOD), was.isin(_GOOD)
    kinds = {
        ("f", "newly failing"): ran & did & ~good & fine,
        ("p", "fixed"): ran & did & good & ~fine,
        ("n", "run then, not now"): ~ran & did & now.notna(),
        **({} if narrowed else {("b", "gone from the plan"): now.isna()}),
        **({} if earlier.narrowed else {("s", "new in the plan"): was.isna()}),
    }
    groups = tuple(_group(style, word, both[mask], keys) for (style, word), mask in kinds.items() if mask.any())
    still = int((ran & did & ~good & ~fine).sum())
    said = [f"{group.number} {group.word}" for group in groups] + ([f"{still:,} still failing"] if still else [])
    apart = [
        *([f"That run was {earlier.narrowed.words}."] if earlier.narrowed else []),
        *_apart(int(now.isna().sum()) if narrowed else 0, "not asked for this time"),
        *_apart(int(was.isna().sum()) if earlier.narrowed else 0, "not asked for then"),
    ]
    when = f"{earlier.began:%Y-%m-%d %H:%M}" if earlier.began else earlier.name
    return ChangesView(
        since=f"Since the last {earlier.called} ({when})",
        sentence=" ".join([f"{words.listed(said)}." if said else "No cell came out differently.", *apart]),
        decided=clipped(earlier.decided.sentence, 400) if earlier.decided is not None else "",
        groups=groups,
    )


def _apart(number: int, why: str) -> list[str]:
    return [f"{words.count(number, 'cell was', 'cells were')} {why}, and nothing is said of them."] if number else []


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
