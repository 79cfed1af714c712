"""What a report costs to make, to keep and to open, from 1,000 to 100,000 cells, beside what others make of as many."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import Figure
from bench.pages import Opened, chromium, opened
from bench.reports_of_others import made_by_others
from bench.spending import Spent, spend
from harness.results.run import RunFolder
from tests.report.many import many_cells

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SIZES = (1_000, 10_000, 100_000)
COMPARED = 10_000
BUDGETS = {10_000: (3.0, 1.0, 0.5, 0.1), 100_000: (20.0, 6.0, 1.0, 0.3)}
"""Seconds to make, megabytes, seconds to open, seconds to filter: at most."""

_MAKE = (
    "import sys; from pathlib import Path; from harness.report.page import write_report;"
    "write_report(Path(sys.argv[1]), output=Path(sys.argv[2]))"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One report in the table: what it cost to make, its megabytes, and its page as it was opened."""

    name: str
    made: Spent
    size: float
    page: Opened | None


def figures() -> Iterator[Figure]:
    """Make and open our page at each size, and what others make of the same 10,000 cells; then say all in a table."""
    rows: list[Row] = []
    print("ready in: from asking for the page until another process sees its grid; an empty page is the floor of that.")
    print("by its own clock: from the start of the navigation until the grid stands and answers.", flush=True)
    with tempfile.TemporaryDirectory(prefix="wincompat-bench-") as name, chromium() as browser:
        folder = Path(name)
        yield from _nothing(folder, browser)
        for size in SIZES:
            yield from _ours(size, folder, browser, rows)
        compared = next((folder / str(COMPARED)).glob("*/journal.jsonl")).parent
        for other in made_by_others(RunFolder(compared), folder / "others"):
            page = opened(browser, other.page, other.ready, first=other.first) if browser else None
            rows.append(Row(f"{other.name}, {COMPARED:,} tests", other.spent, other.page.stat().st_size / 1e6, page))
            yield from _figures(rows[-1])
    print("\n".join(_table(rows)), flush=True)


def _nothing(folder: Path, browser: Browser | None) -> Iterator[Figure]:
    """Open a page with nothing on it: what Chromium and the look at it cost by themselves."""
    if browser is None:
        return
    page = folder / "empty.html"
    page.write_text("<!doctype html><title>empty</title><p>empty", "utf-8")
    views = [opened(browser, page, "p") for _ in range(3)]
    yield Figure("an empty page: ready in", min(one.clock for one in views), "s", spread=[one.clock for one in views])


def _ours(size: int, folder: Path, browser: Browser | None, rows: list[Row]) -> Iterator[Figure]:
    run, page = many_cells(folder / str(size), size), folder / f"{size}.html"
    # from the start of the interpreter on; the least of a few, for other work of the machine makes each take longer
    spent = [spend([sys.executable, "-c", _MAKE, run.path, page]) for _ in range(3 if size < max(SIZES) else 2)]
    made = min(spent, key=lambda one: one.cpu)
    views = [opened(browser, page, "html[data-ready]", filters=True) for _ in range(3)] if browser else []
    first = min(views, key=lambda one: one.seconds, default=None)
    rows.append(Row(f"this report, {size:,} cells", made, page.stat().st_size / 1e6, first))
    yield from _figures(rows[-1], BUDGETS.get(size, (None,) * 4), spent, views)


def _figures(
    row: Row,
    budgets: Sequence[float | None] = (None,) * 4,
    spent: Sequence[Spent] = (),
    views: Sequence[Opened] = (),
) -> Iterator[Figure]:
    seconds, megabytes, opens, filters = budgets
    yield Figure(f"{row.name}: made in", row.made.cpu, "s CPU", seconds, spread=[one.cpu for one in spent])
    yield Figure(f"{row.name}: made in", row.made.clock, "s", spread=[one.clock for one in spent])
    yield Figure(f"{row.name}: size", row.size, "MB", megabytes)
    if row.page is None:
        return
    yield Figure(f"{row.name}: ready in", row.page.seconds, "s CPU", opens, spread=[one.seconds for one in views])
    yield Figure(f"{row.name}: ready in", row.page.clock, "s", spread=[one.clock for one in views])
    if row.page.own:
        own = min(one.own for one in views) if views else row.page.own
        yield Figure(f"{row.name}: ready by its own clock", own, "s", opens, spread=[one.own for one in views])
    yield Figure(f"{row.name}: first words seen", row.page.painted, "s", spread=[one.painted for one in views])
    yield Figure(f"{row.name}: DOM", row.page.nodes, "nodes")
    if answers := [seconds for one in views for seconds in one.filters]:
        yield Figure(f"{row.name}: answers a filter in", statistics.median(answers), "s CPU", filters, spread=answers)


def _table(rows: Sequence[Row]) -> Iterator[str]:
    """Lay out all reports side by side, as Markdown; then how ours grows with the cells."""
    yield "| report | made in, CPU s | size, MB | ready in, CPU s | ready in, s | DOM nodes |"
    yield "|---|---:|---:|---:|---:|---:|"
    for row in rows:
        shown = (
            (f"{row.page.seconds:.2f}", f"{row.page.clock:.2f}", f"{row.page.nodes:,}") if row.page else ("", "", "")
        )
        yield f"| {' | '.join((row.name, f'{row.made.cpu:.2f}', f'{row.size:.2f}', *shown))} |"
    ours = rows[: len(SIZES)]
    for less, more, small, large in zip(ours, ours[1:], SIZES, SIZES[1:], strict=False):
        grown = f"made in x {more.made.cpu / less.made.cpu:.1f}, size x {more.size / less.size:.1f}"
        if less.page and more.page:
            nodes = more.page.nodes / less.page.nodes
            grown += f", ready in x {more.page.seconds / less.page.seconds:.1f}, DOM nodes x {nodes:.1f}"
        yield f"from {small:,} to {large:,} cells: {grown}"
