"""Write a run's report: one HTML file, whole or not at all."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from harness.errors import AuthoringError
from harness.report.changes import Earlier
from harness.report.compose import page_view
from harness.report.packing import packed_files
from harness.report.render import render
from harness.results.costs import read_costs
from harness.results.run import RunFolder, write_whole


def write_report(
    run_folder: Path,
    *,
    output: Path | None = None,
    overrides: Path | None = None,
    earlier: Sequence[Earlier] | None = None,
    single_file: bool = False,
    costs: Path | None = None,
) -> Path:
    """Make the report of a run from its journal and plan; return where it is.

    It stands in the run's folder unless ``output`` says otherwise. ``overrides`` is the project's ``reports`` folder,
    ``earlier`` the runs to compare with, oldest first (None: those of the same matrix beside it). ``single_file`` packs
    the evidence in, too. ``costs`` is a file of what people and machines take here. Raises AuthoringError when the run,
    an override, that file or the place to write to is no good; an older report then stays.
    """
    folder = RunFolder.find(run_folder)
    numbers = read_costs(costs) if costs is not None else None
    target = output or folder.report_file
    with _without_collecting():
        # a page that travels alone names its files from the run's folder: no path of this machine goes along
        stands = folder.report_file if single_file else target
        view, islands = page_view(folder, stands, earlier=earlier, costs=numbers)
        if single_file:
            files, left_out = packed_files(folder, folder.report_file)
            view, islands = replace(view, notes=(*view.notes, *left_out)), replace(islands, files=files)
        text = render(view, islands, overrides if overrides and overrides.is_dir() else None)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, text)
    except OSError as error:
        raise AuthoringError(f"{target}: cannot write the report: {error.strerror}") from error
    return target


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Keep the garbage collector from walking over millions of values that all stay until the page is made."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
