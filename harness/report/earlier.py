"""The runs before a run: those of the same matrix beside it, to compare with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC

from harness.errors import AuthoringError
from harness.report.changes import Earlier
from harness.report.marks import with_short_names
from harness.results import journal
from harness.results.decided import Decided
from harness.results.frames import cells_frame
from harness.results.narrowed import Narrowed
from harness.results.plan import Plan
from harness.results.run import RunFolder
from harness.results.timings import laid_out

_LOOKED_AT = 200
_MOST = 40
_MOST_CELLS = 20_000  # beyond, the runs before are compared only where they are asked for
_ROOM = 30_000  # cells of all runs before that are read
_TIMED = 15_000  # cells of them whose steps are, too
SHIPPED = "run that was let ship"


def earlier_run(folder: RunFolder, *, called: str = "run", timed: bool = True) -> Earlier:
    """Read a run to compare with; ``called`` is what it is the last of, ``timed`` whether its steps are read, too."""
    plan, _ = folder.read_plan()
    began = plan.started if plan else None
    results = journal.read(folder.journal_file).results
    return Earlier(
        name=plan.run if plan else folder.run,
        cells=with_short_names(cells_frame(plan, results)),
        began=began.astimezone(UTC) if began and began.tzinfo else began,
        called=called,
        times=laid_out([(folder, plan, results)]) if timed else None,
        narrowed=Narrowed.of(plan),
        decided=Decided.of_run(folder, plan),
    )


def runs_before(folder: RunFolder, plan: Plan | None) -> tuple[Earlier, ...]:
    """Find the last runs of the same matrix that lie beside a run, oldest first; names sort by time.

    The last of them that a gate let ship is called so, also where it is older than all others.
    """
    if plan is None or len(plan.cells) > _MOST_CELLS:
        return ()
    found: list[Earlier] = []
    read, shipped, whole = 0, False, False
    for other, was in _alike(folder, plan):
        decided = None if shipped else Decided.of_run(other, was)
        ships = decided is not None and decided.ships
        read += len(was.cells)
        is_whole = Narrowed.of(was) is None
        # the last whole run is what a whole one is compared with, whatever lies between
        wanted = (is_whole and not whole) or (len(found) < _MOST and read <= _ROOM)
        if not (wanted or ships):
            if shipped and whole:
                break
            continue
        try:
            found.append(earlier_run(other, called=SHIPPED if ships else "run", timed=wanted and read <= _TIMED))
        except AuthoringError:
            continue  # what cannot be read is no reason to have no report of this run
        shipped, whole = shipped or ships, whole or is_whole
    return tuple(reversed(found))


def with_release(released: Earlier, before: tuple[Earlier, ...]) -> tuple[Earlier, ...]:
    """Put a release that somebody named among the runs before, in the order of time."""
    others = [replace(each, called="run") for each in before if each.name != released.name]
    return tuple(sorted([*others, released], key=lambda each: each.began.timestamp() if each.began else 0.0))


def _alike(folder: RunFolder, plan: Plan) -> Iterator[tuple[RunFolder, Plan]]:
    """Give the runs of the same matrix beside a run, the last one first."""
    beside = sorted(path for path in folder.path.parent.iterdir() if path.is_dir() and path.name < folder.run)
    for path in reversed(beside[-_LOOKED_AT:]):
        other = RunFolder(path)
        was, _ = other.read_plan()
        if was is not None and (was.matrix, was.is_lab) == (plan.matrix, plan.is_lab):
            yield other, was
