"""How the runs of a history went over time: the same as of runs in folders, also when these are long gone."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd

from harness.results.history.before import Kept, kept
from harness.results.history.store import History
from harness.results.trends import GOOD, JUDGED, Trend, Unsteady, Went


def over_time(history: History, *, last: int = 0) -> tuple[Trend, pd.DataFrame]:
    """Give how the ``last`` runs went (0: all), oldest first, and their timings as regressions are looked for in."""
    runs = history.runs()
    runs = runs.tail(last) if last else runs
    since = runs["at"].min().to_pydatetime() if len(runs) else None
    cells, timings = (
        found[found["run"].isin(runs["run"])] for found in (history.table(name, since=since) for name in _TABLES)
    )
    per_run = dict(list(cells.groupby("run", sort=False)))
    empty = cells.head(0)
    went = [_went(one, per_run.get(one.run, empty)) for one in kept(runs)]
    order = {one.run: number for number, one in enumerate(went)}
    return Trend(runs=tuple(went), unsteady=tuple(_unsteady(cells, order))), timings.reset_index(drop=True)


_TABLES = ("cells", "timings")


def _went(run: Kept, cells: pd.DataFrame) -> Went:
    ended = cells.dropna(subset=["started", "seconds"])
    last = ended["started"] + pd.to_timedelta(ended["seconds"], unit="s")
    return Went(
        run=run.run,
        at=run.at,
        planned=run.planned,
        narrowed=run.narrowed.words if run.narrowed else "",
        passed=int(cells["verdict"].isin(list(GOOD)).sum()),
        judged=int(cells["verdict"].isin(list(JUDGED)).sum()),
        flaky=int((cells["verdict"] == "flaky").sum()),
        machine_hours=float(ended["seconds"].sum()) / 3600,
        elapsed=(last.max() - ended["started"].min()).total_seconds() if len(ended) else 0.0,
    )


def _unsteady(cells: pd.DataFrame, order: dict[str, int]) -> list[Unsteady]:
    judged = cells[cells["verdict"].isin(list(JUDGED))]
    judged = judged.assign(_order=judged["run"].map(order)).sort_values("_order", kind="stable")
    found = []
    for cell, of_cell in judged.groupby("cell", sort=False):
        good = of_cell["verdict"].isin(list(GOOD)).tolist()
        flips = sum(one is not other for one, other in pairwise(good))
        if flips > 1:
            found.append(Unsteady(cell=str(cell), flips=flips, runs=len(good)))
    return sorted(found, key=lambda it: (-it.flips / it.runs, it.cell))
