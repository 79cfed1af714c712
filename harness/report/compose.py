"""From a run's folder to everything the page says."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from harness.predictions import Preflight
from harness.report.builds import build_views, shares
from harness.report.cells import SMALL, cell_views
from harness.report.changes import Earlier, changes_view, compared
from harness.report.charts.boxes import TIMED, boxes_view
from harness.report.charts.heat import heat_view
from harness.report.charts.lanes import lanes_view
from harness.report.charts.pace import pace_view
from harness.report.charts.trend import trend_view
from harness.report.costs import cost_view
from harness.report.coverage import coverage_view
from harness.report.earlier import runs_before
from harness.report.evidence import Shelf
from harness.report.findings import finding_views
from harness.report.foretold import Foretold, predictions_view
from harness.report.grid import grid
from harness.report.island import grid_island, packed, story_island
from harness.report.issues import issue_views
from harness.report.marks import with_short_names
from harness.report.ruling import ruling_view
from harness.report.view import CellView, Islands, PageView
from harness.results import journal, words
from harness.results.costs import Costs
from harness.results.decided import Decided
from harness.results.frames import cells_frame, steps_frame
from harness.results.narrowed import Narrowed
from harness.results.plan import Plan
from harness.results.provenance import Provenance, provenance
from harness.results.result import Result, Verdict
from harness.results.run import RunFolder
from harness.results.tally import decide, doubts_of
from harness.results.text import clipped
from harness.results.timings import laid_out

_AHEAD = timedelta(minutes=10)  # that a plan may be written after its first cell began, by another machine's clock


def page_view(
    folder: RunFolder,
    page: Path,
    *,
    earlier: Sequence[Earlier] | None = None,
    pictures: int = 300_000,
    costs: Costs | None = None,
) -> tuple[PageView, Islands]:
    """Read a run and lay out its page, which will stand at ``page``, and what its script unfolds.

    ``earlier`` are the runs to compare with, oldest first; None: those of the same matrix that lie beside this one.
    ``pictures`` is how many bytes of pictures the page may hold, ``costs`` what people and machines take here. Raises
    AuthoringError when the journal cannot be read.
    """
    plan, lost = folder.read_plan()
    reading = journal.read(folder.journal_file)
    cells = with_short_names(cells_frame(plan, reading.results))
    steps = with_short_names(steps_frame(reading.results, TIMED))
    origin = provenance(plan, reading.results)
    began, ended = _span(plan, cells)
    today = began.date() if began else datetime.now(UTC).date()
    tallied = decide(cells, plan, is_lab=origin.is_lab, today=today, doubts=doubts_of(reading, cells))
    shelf = Shelf(folder=folder, page=page, picture_room=pictures)
    foretold = Foretold.of(reading.results, Preflight.read(folder.path))
    told = cell_views(cells, reading.results, plan, tallied.findings, shelf, foretold)
    keys = {str(cell): f"c{number}" for number, cell in enumerate(cells["cell"].tolist(), start=1)}
    before = runs_before(folder, plan) if earlier is None else earlier
    narrowed = Narrowed.of(plan)
    shown, untold = _in_plain_html(told, len(cells))
    view = PageView(
        title=clipped((plan.matrix if plan else "") or "a run without a plan", 120),
        run=clipped(plan.run if plan else folder.run, 120),
        banner=f"Lab run: {clipped(origin.words, 300) or 'guests of the embedded lab'}; not Windows evidence"
        if origin.is_lab
        else "",
        narrowed=f"This run was {narrowed.words}" if narrowed else "",
        ruling=ruling_view(tallied, folder),
        shares=shares(cells),
        total=len(cells),
        known=tallied.tally.known,
        findings=finding_views(tallied.findings, keys, cells, plan),
        facts=_facts(plan, origin, cells, reading.results, began, ended),
        notes=tuple(
            clipped(note, 600)
            for note in filter(None, (lost, *reading.left_out, *_unplanned(cells), *_clock(cells, began)))
        ),
        builds=build_views(cells, reading.results, today),
        grid=grid(cells, shown),
        issues=issue_views(plan, cells, keys, is_lab=origin.is_lab, today=today),
        coverage=coverage_view(cells, narrowed),
        cost=cost_view(reading.results, costs, is_lab=origin.is_lab),
        predictions=predictions_view(foretold, keys),
        changes=tuple(changes_view(cells, each, keys, narrowed) for each in reversed(compared(before))),
        trend=trend_view(cells, before, f"{today}", narrowed, Decided.of_run(folder, plan)),
        pace=pace_view(lambda: laid_out([(folder, plan, reading.results)]), before, alone=narrowed is not None),
        heat=heat_view(cells),
        boxes=boxes_view(steps, cells, before),
        lanes=lanes_view(cells),
        large=len(cells) > SMALL,
        untold=untold,
        cells=_by_product(list(shown.values())),
        version=metadata.version("pytest-wincompat"),
    )
    islands = Islands(
        grid=packed(grid_island(cells, told, before)),
        stories=packed(story_island(cells, reading.results, plan, told, _way(folder, page))),
    )
    return view, islands


def _in_plain_html(told: dict[str, CellView], total: int) -> tuple[dict[str, CellView], int]:
    """Choose what plain HTML has room for, what stands in the way first; tell how many that did not pass are left."""
    room = 260_000 + 6 * total
    shown = {}
    for cell, view in sorted(told.items(), key=lambda each: " k" in each[1].style):
        room -= 1_500 + len(view.reason) + sum(len(piece.excerpt) + len(piece.image) for piece in view.evidence)
        if room < 0:
            break
        shown[cell] = view
    missed = sum(view.opened or view.verdict == Verdict.NOT_RUN for view in told.values())
    kept = sum(view.opened or view.verdict == Verdict.NOT_RUN for view in shown.values())
    return {cell: view for cell, view in told.items() if cell in shown}, missed - kept


def _way(folder: RunFolder, page: Path) -> str | None:
    try:
        way = quote(Path(os.path.relpath(folder.path, Path(os.path.realpath(page)).parent)).as_posix())
    except ValueError:  # another drive
        return None
    return "" if way == "." else f"{way}/"


def _span(plan: Plan | None, cells: pd.DataFrame) -> tuple[datetime | None, datetime | None]:
    starts = cells["started"].dropna()
    ends = (cells["started"] + pd.to_timedelta(cells["seconds"].clip(0, 1e7), unit="s")).dropna()
    began = plan.started if plan and plan.started else (starts.min().to_pydatetime() if len(starts) else None)
    if began is not None and began.tzinfo is None:
        began = began.replace(tzinfo=UTC)
    # a duration may be finer than what datetime can hold
    return began, ends.max().floor("us").to_pydatetime() if len(ends) else None


def _facts(
    plan: Plan | None,
    origin: Provenance,
    cells: pd.DataFrame,
    results: Sequence[Result],
    began: datetime | None,
    ended: datetime | None,
) -> tuple[tuple[str, str], ...]:
    products = [
        f"{name} ({kind})" for name, kind in cells[["product", "kind"]].drop_duplicates().itertuples(index=False)
    ]
    machines = sorted({result.machine for result in results if result.machine})
    took = max(ended - began, timedelta()).total_seconds() if began and ended else None
    busy = sum(result.seconds for result in results)
    facts = {
        "Site": plan.site if plan else "",
        "Evidence from": origin.words,
        "Products": words.listed(products, 12),
        "Started": f"{began.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if began else "",
        "Took": f"{words.seconds(took)}, {words.seconds(busy)} of machine time" if took is not None else "",
        "Machines": words.listed(machines, 12),
        "Command": plan.command if plan else "",
    }
    return tuple((name, clipped(value, 400)) for name, value in facts.items() if value)


def _unplanned(cells: pd.DataFrame) -> list[str]:
    number = int((~cells["planned"].fillna(value=True)).sum())
    return [f"{words.count(number, 'cell has', 'cells have')} a result that nobody planned."] if number else []


def _clock(cells: pd.DataFrame, began: datetime | None) -> list[str]:
    """Say that a clock was wrong where cells began before their run did: then nothing between two cells is a time."""
    if began is None:
        return []
    early = int((cells["started"] < pd.Timestamp(began) - _AHEAD).sum())
    if not early:
        return []
    what = words.count(early, "cell")
    return [f"{what} began before the run did: the controller's clock was set, and times between cells mean nothing."]


def _by_product(views: Sequence[CellView]) -> tuple[tuple[str, tuple[CellView, ...]], ...]:
    groups: dict[str, list[CellView]] = {}
    for view in views:
        groups.setdefault(view.product, []).append(view)
    return tuple((product, tuple(group)) for product, group in groups.items())
