"""Write a run's report: one HTML file, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.errors import AuthoringError
from harness.report.changes import Earlier
from harness.report.compose import page_view
from harness.report.packing import packed_files
from harness.report.render import render
from harness.results.run import RunFolder, write_whole


def write_report(
    run_folder: Path,
    *,
    output: Path | None = None,
    overrides: Path | None = None,
    earlier: Sequence[Earlier] | None = None,
    single_file: bool = False,
) -> Path:
    """Make the report of a run from its journal and plan; return where it is.

    It stands in the run's folder unless ``output`` says otherwise. ``overrides`` is the project's ``reports`` folder,
    ``earlier`` the runs to compare with, oldest first (None: those of the same matrix beside it). ``single_file`` packs
    the evidence in, too. Raises AuthoringError when the run, an override or the place to write to is no good; an older
    report then stays.
    """
    folder = RunFolder.find(run_folder)
    target = output or folder.report_file
    view, islands = page_view(folder, target, earlier=earlier)
    if single_file:
        files, left_out = packed_files(folder, target)
        view, islands = replace(view, notes=(*view.notes, *left_out)), replace(islands, files=files)
    text = render(view, islands, overrides if overrides and overrides.is_dir() else None)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, text)
    except OSError as error:
        raise AuthoringError(f"{target}: cannot write the report: {error.strerror}") from error
    return target
