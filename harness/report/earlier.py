"""The runs before a run: those of the same matrix beside it, to compare with."""

from __future__ import annotations

from datetime import UTC

from harness.errors import AuthoringError
from harness.report.changes import Earlier
from harness.results import journal
from harness.results.frames import cells_frame
from harness.results.plan import Plan
from harness.results.run import RunFolder

_LOOKED_AT = 40
_MOST = 8
_MOST_CELLS = 20_000  # beyond, the runs before are compared only where they are asked for


def earlier_run(folder: RunFolder, *, is_release: bool = False) -> Earlier:
    """Read a run to compare with."""
    plan, _ = folder.read_plan()
    began = plan.started if plan else None
    return Earlier(
        name=plan.run if plan else folder.run,
        cells=cells_frame(plan, journal.read(folder.journal_file).results),
        began=began.astimezone(UTC) if began and began.tzinfo else began,
        is_release=is_release,
    )


def runs_before(folder: RunFolder, plan: Plan | None) -> tuple[Earlier, ...]:
    """Find the last runs of the same matrix and site that lie beside a run, oldest first; names sort by time."""
    if plan is None or len(plan.cells) > _MOST_CELLS:
        return ()
    beside = sorted(path for path in folder.path.parent.iterdir() if path.is_dir() and path.name < folder.run)
    found: list[Earlier] = []
    for path in reversed(beside[-_LOOKED_AT:]):
        other = RunFolder(path)
        was, _ = other.read_plan()
        if was is None or (was.matrix, was.is_lab) != (plan.matrix, plan.is_lab):
            continue
        try:
            found.append(earlier_run(other))
        except AuthoringError:
            continue  # what cannot be read is no reason to have no report of this run
        if len(found) == _MOST:
            break
    return tuple(reversed(found))
