"""``wincompat triage RUN``: which failures of a run nobody has written a note about."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.errors import AuthoringError
from harness.options import runs_option

if TYPE_CHECKING:
    from harness.results.result import Result
    from harness.triage import Note


@click.command(
    short_help="List the failures of a run that nobody has written a note about.",
    epilog="Examples:  wincompat triage   |   wincompat triage build/runs/NAME --write",
)
@click.argument("run", default="latest")
@click.option("--write", is_flag=True, help="Append an empty note for each to the triage file.")
@click.option("--file", type=click.Path(dir_okay=False, path_type=Path), help="The triage file, if not the matrix's.")
@runs_option
def triage(run: str, write: bool, file: Path | None, runs: Path) -> None:
    """List the failures of RUN without a note, one for each fingerprint, and print empty notes to paste.

    RUN is a run's folder, its journal, its name, or "latest". A note is shown beside its failure in every later run.
    """
    # imported here: other subcommands need none of them
    from harness.results import journal
    from harness.results.run import RunFolder
    from harness.triage import append, read_notes, stub

    folder = RunFolder.find(run, parent=runs)
    plan, _ = folder.read_plan()
    files = [file] if file is not None else [Path(one) for one in (plan.triage_files if plan else ())]
    if not files:
        raise AuthoringError(f"{folder.path}: its plan names no triage file; name one with --file")
    notes = {note.fingerprint: note for one in files for note in read_notes(one)}
    failures = failures_of(journal.read(folder.journal_file).results)
    fresh = {name: cells for name, cells in failures.items() if name not in notes}
    waiting = [name for name in failures if name in notes and notes[name].is_stub]
    for name, cells in failures.items():
        click.echo(_line(name, cells, notes.get(name)))
    if not failures:
        click.echo("nothing to write about: every cell passed or was skipped")
    if waiting:
        click.echo(f"\n{files[0]} has an empty note for {', '.join(waiting)}: fill it in")
    if not fresh:
        return
    stubs = [stub(name, told(cells)) for name, cells in fresh.items()]
    if write:
        append(files[0], stubs)
        click.echo(f"\n{files[0]}: {len(stubs)} empty {'note' if len(stubs) == 1 else 'notes'} at its end; fill in")
    else:
        click.echo(f"\nto paste into {files[0]} (or call this with --write):")
        click.echo("".join(stubs).rstrip())


def failures_of(results: Iterable[Result]) -> dict[str, list[Result]]:
    """Group the results that did not pass by fingerprint, in the order in which they were first seen."""
    found: dict[str, list[Result]] = {}
    for result in results:
        if result.fingerprint and result.verdict != "not run":
            found.setdefault(result.fingerprint, []).append(result)
    return found


def told(cells: list[Result]) -> list[str]:
    """Say in a few lines which failure it is."""
    first = cells[0]
    more = f" and {len(cells) - 1} more" if len(cells) > 1 else ""
    return [f"{first.verdict}, {first.cause}: {first.cell}{more}", first.reason.split("\n", 1)[0]]


def _line(name: str, cells: list[Result], note: Note | None) -> str:
    what, reason = told(cells)
    said = "" if note is None or note.is_stub else f"\n    note: {', '.join(filter(None, (note.note, note.ticket)))}"
    owner = f" (owner {note.owner})" if said and note is not None and note.owner else ""
    return f"{name}  {what}\n    {reason}{said}{owner}"
