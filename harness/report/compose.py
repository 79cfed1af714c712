"""From a run's folder to everything the page says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path

import pandas as pd

from harness.report.builds import build_views, shares
from harness.report.cells import LETTERS, cell_views, grid, places
from harness.report.evidence import Shelf
from harness.report.issues import issue_views
from harness.report.text import clipped
from harness.report.times import times_view
from harness.report.view import CellView, FindingView, PageView
from harness.results import journal, words
from harness.results.frames import build_name, cells_frame, steps_frame
from harness.results.plan import Plan
from harness.results.provenance import Provenance, provenance
from harness.results.result import Result, Verdict
from harness.results.run import RunFolder
from harness.results.tally import Finding, decide

_MOODS = {"SHIP": "ship", "HOLD": "hold", "AS EXPECTED": "lab"}


def page_view(folder: RunFolder, page: Path) -> PageView:
    """Read a run and lay out its page, which will stand at ``page``.

    Raises AuthoringError when the journal cannot be read.
    """
    plan, lost = folder.read_plan()
    reading = journal.read(folder.journal_file)
    cells, steps = cells_frame(plan, reading.results), steps_frame(reading.results)
    origin = provenance(plan, reading.results)
    began, ended = _span(plan, cells)
    today = began.date() if began else datetime.now(UTC).date()
    decision = decide(cells, plan, is_lab=origin.is_lab, today=today)
    views = cell_views(cells, reading.results, plan, decision.findings, Shelf(folder=folder, page=page))
    keys = {str(cell): view.key for cell, view in zip(cells["cell"], views, strict=True)}
    title = (plan.matrix if plan else "") or "a run without a plan"
    return PageView(
        title=title,
        run=plan.run if plan else folder.run,
        banner=f"Lab run: {origin.words or 'guests of the embedded lab'}; not Windows evidence"
        if origin.is_lab
        else "",
        word=decision.word,
        mood=_MOODS[decision.word],
        sentence=decision.sentence,
        reasons=decision.reasons,
        shares=shares(cells),
        total=len(cells),
        findings=tuple(_finding(finding, keys) for finding in decision.findings),
        facts=_facts(plan, origin, cells, reading.results, began, ended),
        notes=tuple(clipped(note, 600) for note in filter(None, (lost, *reading.left_out, *_unplanned(cells)))),
        builds=build_views(cells, reading.results, today),
        grid=grid(views, cells),
        issues=issue_views(plan, cells, keys, is_lab=origin.is_lab, today=today),
        times=times_view(cells, steps),
        cells=_by_product(views),
        verdicts=tuple((LETTERS[verdict], verdict.value) for verdict in Verdict if (cells["verdict"] == verdict).any()),
        filter_builds=tuple((place, build_name(build)) for build, place in places(cells["build"]).items()),
        filter_products=tuple((place, product) for product, place in places(cells["product"]).items()),
        version=metadata.version("pytest-wincompat"),
    )


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
    return tuple((name, clipped(value, 1_000)) for name, value in facts.items() if value)


def _finding(finding: Finding, keys: dict[str, str]) -> FindingView:
    letter = LETTERS[finding.verdict]
    issue = ""
    if finding.known:
        issue = f"known issue {finding.known.id}"
        issue += f", acceptance ended on {finding.known.expires}" if finding.expired else ""
    return FindingView(
        style=letter if finding.holds else f"{letter} k",
        verdict=finding.verdict.value,
        what=clipped(f"{finding.product}: {finding.scenarios} on {finding.builds}", 300),
        reason=clipped(finding.reason.strip().split("\n", 1)[0], 300),
        number=words.count(len(finding.cells), "cell"),
        key=keys[finding.cells[0]],
        issue=issue,
    )


def _unplanned(cells: pd.DataFrame) -> list[str]:
    number = int((~cells["planned"].fillna(value=True)).sum())
    return [f"{words.count(number, 'cell has', 'cells have')} a result that nobody planned."] if number else []


def _by_product(views: Sequence[CellView]) -> tuple[tuple[str, tuple[CellView, ...]], ...]:
    groups: dict[str, list[CellView]] = {}
    for view in views:
        groups.setdefault(view.product, []).append(view)
    return tuple((product, tuple(group)) for product, group in groups.items())
