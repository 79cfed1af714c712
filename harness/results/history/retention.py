"""Which runs of a history may go: the newest of each matrix always stay."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd

from harness.results.history.before import kept


def outdated(runs: pd.DataFrame, *, now: datetime, days: float | None = None, at_most: int | None = None) -> list[str]:
    """Name the runs that are older than ``days``, and of each matrix and site those beyond the newest ``at_most``.

    The newest run of each matrix and site is never named, nor the newest one that is no lab's, nor the newest whole one
    where later ones were narrowed, nor the newest one that a gate let ship: they are what the next run is compared
    with. ``runs`` is a history's table of that name.
    """
    newest = runs.sort_values(["at", "run"], ascending=False)
    alike = ["matrix", "site", "is_lab"]
    place = newest.groupby(alike, dropna=False).cumcount()
    shipped = newest[(newest["decision"] == "ship").fillna(value=False).astype(bool)]
    kept_shipped = shipped.index[shipped.groupby(alike, dropna=False).cumcount() == 0]
    whole = newest[[one.narrowed is None for one in kept(newest)]]
    kept_whole = whole.index[whole.groupby(alike, dropna=False).cumcount() == 0]
    old = pd.Series(False, index=newest.index)
    if days is not None:
        old |= newest["at"] < pd.Timestamp(now) - timedelta(days=days)
    if at_most is not None:
        old |= place >= at_most
    return [str(run) for run in newest.loc[old & (place > 0) & ~newest.index.isin([*kept_whole, *kept_shipped]), "run"]]
