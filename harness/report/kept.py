"""The runs before a run as a history keeps them: on a CI machine, none lies in a folder beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from harness.report.changes import Earlier
from harness.report.earlier import SHIPPED
from harness.report.marks import with_short_names
from harness.results.frames import CELLS
from harness.results.history.before import Before, Kept, kept, kept_before
from harness.results.history.store import History

_MOST = 40
_ROOM = 30_000  # cells of all runs before that are read
_TIMED = 15_000  # cells of them whose steps are, too


def runs_kept(history: History, asked: Before) -> tuple[Earlier, ...]:
    """Read the last runs that came before, oldest first; raises AuthoringError when the history cannot be read."""
    wanted: list[Kept] = []
    read, whole, shipped = 0, False, ""
    for one in reversed(kept_before(history, asked)):
        read += one.cells
        fits = len(wanted) < _MOST and read <= _ROOM
        ships = not shipped and one.decided is not None and one.decided.ships
        # the last whole run is what a whole one is compared with, however large it is and whatever lies between; so is
        # the last one that was let ship, where it is older than all others, too
        if fits or ships or (one.narrowed is None and not whole):
            wanted.append(one)
        whole, shipped = whole or one.narrowed is None, one.run if ships else shipped
    found = _read(history, wanted[::-1])
    return tuple(replace(each, called=SHIPPED) if each.name == shipped else each for each in found)


def kept_run(history: History, run: str, *, called: str = "run") -> Earlier | None:
    """Read one run by its name; None where the history does not have it."""
    found = _read(history, [one for one in kept(history.runs()) if one.run == run], called=called)
    return found[-1] if found else None


def _read(history: History, wanted: Sequence[Kept], *, called: str = "run") -> tuple[Earlier, ...]:
    if not wanted:
        return ()
    timed: set[str] = set()
    read = 0
    for one in reversed(wanted):
        read += one.cells
        if read <= _TIMED or not timed:
            timed.add(one.run)
    cells = history.table("cells", runs=[one.run for one in wanted])
    times = history.table("timings", runs=sorted(timed))
    there = set(cells["run"])
    return tuple(
        Earlier(
            name=one.run,
            cells=with_short_names(_of(cells, one.run)[list(CELLS)]),
            began=one.at,
            called=called,
            times=_of(times, one.run) if one.run in timed else None,
            narrowed=one.narrowed,
            decided=one.decided,
        )
        for one in wanted
        # whose rows are lost, as where somebody tidied up by hand: it is not that nothing was planned then
        if not one.cells or one.run in there
    )


def _of(rows: pd.DataFrame, run: str) -> pd.DataFrame:
    return rows[rows["run"] == run].reset_index(drop=True)
