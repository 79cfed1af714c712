"""What was planned, what was really run, and what was not."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from harness.results import words
from harness.results.narrowed import Narrowed
from harness.results.result import Verdict

RUN = [Verdict.PASSED.value, Verdict.FLAKY.value, Verdict.FAILED.value, Verdict.HUNG.value]
_MOST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """One product: how many of its cells were run, in percent too, and in words what was not."""

    name: str
    planned: int
    run: int
    width: float
    rest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageView:
    """Coverage in one sentence, and by product: the least covered first."""

    sentence: str
    rows: tuple[Covered, ...]
    more: int


def coverage_view(cells: pd.DataFrame, narrowed: Narrowed | None = None) -> CoverageView:
    """Count by product; a cell that was blocked was not run: nothing is known of the product there.

    ``narrowed`` says that the run is a part of one: what it was not asked for is told beside what it covered.
    """
    if cells.empty:
        return CoverageView(sentence="Nothing was planned.", rows=(), more=0)
    counted = pd.crosstab(cells["product"], cells["verdict"].astype("string"))
    run = counted.reindex(columns=RUN, fill_value=0).sum(axis=1)
    planned = counted.sum(axis=1)
    ordered = (run / planned).sort_values(kind="stable").index
    rows = [
        Covered(
            name=str(product),
            planned=int(planned[product]),
            run=int(run[product]),
            width=round(100 * float(run[product] / planned[product]), 1),
            rest=_rest({str(verdict): int(number) for verdict, number in counted.loc[product].items()}),
        )
        for product in ordered[:_MOST]
    ]
    total, ran = int(planned.sum()), int(run.sum())
    rest = _rest({str(verdict): int(number) for verdict, number in counted.sum().items()})
    # 100 % must be all of them
    percent = "100" if ran == total else f"{min(100 * ran / total, 99.9):.1f}"
    was = "was" if ran == 1 else "were"
    sentence = f"{ran:,} of {words.count(total, 'planned cell')} {was} run ({percent} %){'; ' + rest if rest else ''}."
    if narrowed:
        sentence += f" The run was {narrowed.words}{_beside(narrowed)}."
    return CoverageView(sentence=sentence, rows=tuple(rows), more=len(ordered) - len(rows))


def _beside(narrowed: Narrowed) -> str:
    if not narrowed.left_out:
        return ": nothing is said of what it was not asked for"
    return f": nothing is said of the other {narrowed.left_out:,}"


def _rest(counted: dict[str, int]) -> str:
    kinds = (
        (Verdict.SKIPPED, "skipped on purpose"),
        (Verdict.BLOCKED, "blocked by the site or the harness"),
        (Verdict.NOT_RUN, "never run"),
    )
    return words.listed([f"{number:,} {said}" for verdict, said in kinds if (number := counted.get(verdict.value, 0))])
