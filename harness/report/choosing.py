"""Which runs a run is compared with: those named, else those of the same matrix, beside it and in a history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import AuthoringError
from harness.report.changes import Earlier
from harness.report.earlier import earlier_run, runs_before, with_release
from harness.results.run import RunFolder

if TYPE_CHECKING:
    from harness.results.history.store import History


def runs_to_compare(
    folder: RunFolder, *, runs: Path, history: str = "", before: Sequence[str] = (), release: str = ""
) -> tuple[Earlier, ...] | None:
    """Choose what a run is compared with, oldest first; None: the runs beside it alone, as the page finds them itself.

    ``history`` is a URL as ``wincompat history`` takes it, ``runs`` the folder below which the names in ``before`` and
    ``release`` are looked for; what is not there is looked for in the history. Raises AuthoringError for a name that is
    nowhere, and for a history that cannot be read.
    """
    kept = _opened(history) if history else None
    asked = tuple(_named(name, runs, kept) for name in before)
    if not asked and kept is not None:
        asked = _once([*_of_history(folder, kept), *runs_before(folder, folder.read_plan()[0])])
    if release:
        asked = with_release(_named(release, runs, kept, "release"), asked or _beside(folder, kept))
    return asked if asked or kept is not None else None


def _beside(folder: RunFolder, kept: History | None) -> tuple[Earlier, ...]:
    return () if kept is not None else runs_before(folder, folder.read_plan()[0])


def _opened(url: str) -> History:
    from harness.results.history.opening import opened

    return opened(url)


def _of_history(folder: RunFolder, kept: History) -> tuple[Earlier, ...]:
    from harness.report.kept import runs_kept
    from harness.results.history.before import Before

    plan, _ = folder.read_plan()
    # without its matrix nobody knows what it is comparable with
    return runs_kept(kept, Before.of(folder, plan)) if plan is not None else ()


def _named(name: str, runs: Path, kept: History | None, called: str = "run") -> Earlier:
    try:
        return earlier_run(RunFolder.find(name, parent=runs), called=called)
    except AuthoringError as error:
        if kept is None:
            raise
        from harness.report.kept import kept_run

        if (found := kept_run(kept, name, called=called)) is None:
            raise AuthoringError(f"{error}; nor is it kept in {kept.url}") from error
        return found


def _once(found: Iterable[Earlier]) -> tuple[Earlier, ...]:
    """Take each run once, as its folder tells it where there is one: a folder knows what a gate decided."""
    by_name = {each.name: each for each in found}
    return tuple(sorted(by_name.values(), key=lambda each: each.began.timestamp() if each.began else 0.0))
