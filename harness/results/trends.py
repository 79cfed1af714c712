"""How runs went over time: pass rate, seconds and flakiness, and what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import Field

from harness.authoring import Authored, Text, read
from harness.results import journal
from harness.results.result import Result, Verdict
from harness.results.run import RunFolder
from harness.results.timings import began
from harness.results.words import count, listed, seconds

GOOD = {Verdict.PASSED, Verdict.FLAKY}
JUDGED = GOOD | {Verdict.FAILED, Verdict.HUNG}  # what says something of the product

Amount = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Went:
    """How one run went: cells by their end, and the hours that its machines were at work."""

    run: str
    at: datetime
    planned: int
    passed: int
    judged: int  # passed, failed or hung: of the others nobody knows
    flaky: int  # of the passed, those that needed more than one try
    machine_hours: float
    elapsed: float  # seconds, from the first cell's start to the last one's end

    @property
    def pass_rate(self) -> float | None:
        """The share of judged cells that passed, or None where none was judged."""
        return self.passed / self.judged if self.judged else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsteady:
    """A cell whose end changed from one run to the next, more than once."""

    cell: str
    flips: int
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Runs, oldest first, and the cells that could not decide, worst first."""

    runs: tuple[Went, ...]
    unsteady: tuple[Unsteady, ...]


def trend(runs: Iterable[RunFolder]) -> Trend:
    """Read how runs went; raises AuthoringError when a journal cannot be read."""
    went: list[Went] = []
    ends: dict[str, list[bool]] = {}
    told = [_told(run) for run in runs]
    for one, results in sorted(told, key=lambda it: (it[0].at, it[0].run)):
        went.append(one)
        for result in results:
            if result.verdict in JUDGED:
                ends.setdefault(result.cell, []).append(result.verdict in GOOD)
    flips = [
        Unsteady(cell=cell, flips=changes, runs=len(passed))
        for cell, passed in ends.items()
        # once is a regression, or its mending
        if (changes := sum(one is not other for one, other in pairwise(passed))) > 1
    ]
    return Trend(runs=tuple(went), unsteady=tuple(sorted(flips, key=lambda it: (-it.flips / it.runs, it.cell))))


def _told(run: RunFolder) -> tuple[Went, Sequence[Result]]:
    plan, _ = run.read_plan()
    results = journal.read(run.journal_file).results
    started = [(result.started, result.seconds) for result in results if result.started is not None]
    first = min((at for at, _ in started), default=None)
    last = max((at.timestamp() + taken for at, taken in started), default=0.0)
    return (
        Went(
            run=run.run,
            at=began(run, plan, results),
            planned=len(plan.cells) if plan else len(results),
            passed=sum(result.verdict in GOOD for result in results),
            judged=sum(result.verdict in JUDGED for result in results),
            flaky=sum(result.verdict is Verdict.FLAKY for result in results),
            machine_hours=sum(result.seconds for result in results) / 3600,
            elapsed=last - first.timestamp() if first else 0.0,
        ),
        results,
    )


class Costs(Authored):
    """What this site's people and machines take, by its own numbers: ``[manual]`` minutes of a person for a cell.

    ``scenarios`` names those that take longer or shorter; ``per_hour`` and ``machine_per_hour`` are in ``currency``.
    """

    class Manual(Authored):
        """Minutes that a person needs by hand."""

        minutes_per_cell: Annotated[float, Field(gt=0, le=10_000)]
        minutes_per_machine: Amount = 0.0  # to make a clean one, for each cell
        per_hour: Amount = 0.0
        scenarios: dict[str, Amount] = Field(default_factory=dict)

    manual: Manual
    machine_per_hour: Amount = 0.0
    currency: Text = "EUR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One run beside the same plan by hand; money is 0 where the site gave no rates."""

    cells: int
    machine_hours: float
    hours_by_hand: float
    machines: float
    by_hand: float
    currency: str


def cost(run: RunFolder, costs: Costs) -> Cost:
    """Reckon what a run took, and what a person would have taken for those of its cells that came to an end."""
    results = [result for result in journal.read(run.journal_file).results if result.verdict in JUDGED]
    manual = costs.manual
    minutes = sum(
        manual.scenarios.get(result.scenario, manual.minutes_per_cell) + manual.minutes_per_machine
        for result in results
    )
    hours = sum(result.seconds for result in results) / 3600
    return Cost(
        cells=len(results),
        machine_hours=hours,
        hours_by_hand=minutes / 60,
        machines=hours * costs.machine_per_hour,
        by_hand=minutes / 60 * manual.per_hour,
        currency=costs.currency,
    )


def read_costs(path: Path) -> Costs:
    """Read a site's costs; raises AuthoringError with one line for each mistake."""
    return read(path, Costs)


def cost_in_words(found: Cost) -> str:
    """Say a run's cost in one sentence."""
    if not found.cells:
        return "no cell came to an end: there is nothing to reckon"
    each = seconds(found.machine_hours * 3600 / found.cells)
    money = (
        f" ({found.machines:,.2f} {found.currency} against {found.by_hand:,.2f} {found.currency})"
        if found.by_hand or found.machines
        else ""
    )
    return (
        f"{count(found.cells, 'cell')}: {found.machine_hours:,.2f} machine hours ({each} each); "
        f"by hand {found.hours_by_hand:,.1f} hours{money}"
    )


def unsteady_in_words(found: Sequence[Unsteady]) -> str:
    """Name the cells whose end changes from run to run."""
    return listed([f"{it.cell} (changed {count(it.flips, 'time')} in {count(it.runs, 'run')})" for it in found], 5)
