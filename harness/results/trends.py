"""How runs went over time: pass rate, seconds and flakiness."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from harness.results import journal
from harness.results.narrowed import Narrowed
from harness.results.result import Result, Verdict
from harness.results.run import RunFolder
from harness.results.timings import began
from harness.results.words import count, listed

GOOD = {Verdict.PASSED, Verdict.FLAKY}
JUDGED = GOOD | {Verdict.FAILED, Verdict.HUNG}  # what says something of the product


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
    narrowed: str = ""  # how, in words; "" for a whole run

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
            narrowed=narrowed.words if (narrowed := Narrowed.of(plan)) else "",
        ),
        results,
    )


def unsteady_in_words(found: Sequence[Unsteady]) -> str:
    """Name the cells whose end changes from run to run."""
    return listed([f"{it.cell} (changed {count(it.flips, 'time')} in {count(it.runs, 'run')})" for it in found], 5)
