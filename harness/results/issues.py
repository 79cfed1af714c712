"""What a run says of each known issue: shown, gone, fixed, expired, or not looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from harness.results.plan import Plan, PlannedIssue
from harness.results.result import Result, Verdict
from harness.results.words import count

How = Literal["shown", "missed", "expired", "elsewhere", "fixed", "not shown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What is asked of a cell here."""

    verdict: Verdict
    known_issue: str = ""
    missed_issue: str = ""

    @classmethod
    def of(cls, result: Result) -> End:
        """Take it from a result."""
        return cls(verdict=result.verdict, known_issue=result.known_issue or "", missed_issue=result.missed_issue or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a known issue stands after a run, in words, and the cells that say so."""

    issue: PlannedIssue
    how: How
    words: str
    cells: tuple[str, ...] = ()


def standings(plan: Plan | None, ends: Mapping[str, End], *, is_lab: bool, today: date) -> Iterator[Standing]:
    """Say how each known issue of a plan stands.

    One is fixed when every cell of its scope in the matrix was run here and passed: a part of them proves nothing.
    """
    for issue in plan.known_issues if plan else ():
        shown = tuple(cell for cell, end in ends.items() if end.known_issue == issue.id)
        missed = tuple(cell for cell, end in ends.items() if end.missed_issue == issue.id)
        scope = [cell for cell in plan.cells if issue.id in (cell.issues or ()) and cell.skip is None] if plan else []
        passed = tuple(cell.cell for cell in scope if _verdict(ends, cell.cell) is Verdict.PASSED)
        how: How
        if shown:
            how, words, cells = "shown", count(len(shown), "cell"), shown
        elif issue.expires is not None and issue.expires < today:
            how, words, cells = "expired", f"expired on {issue.expires} and does not count any more", ()
        elif issue.where is not None and is_lab != (issue.where == "lab"):
            how, words, cells = "elsewhere", f"not expected here, on a {issue.where} only", ()
        elif _in_full(issue, len(scope)) and len(passed) == len(scope):
            words = f"fixed: {_all(len(passed))} in its scope passed; close it"
            how, cells = ("missed" if missed else "fixed"), missed or passed
        elif missed:
            how, words, cells = "missed", f"did not occur on {count(len(missed), 'cell')}: close it", missed
        else:
            how, cells = "not shown", ()
            words = f"no cell; {len(passed):,} of its scope passed, the rest was not run or failed otherwise"
            words = words if passed else "not shown in this run"
        yield Standing(issue=issue, how=how, words=words, cells=cells)


def _verdict(ends: Mapping[str, End], cell: str) -> Verdict | None:
    return ends[cell].verdict if cell in ends else None


def _in_full(issue: PlannedIssue, planned: int) -> bool:
    # a plan of an older version does not say how many cells the matrix has: then what was planned is all that is known
    return planned > 0 and planned >= (issue.cells or 0)


def _all(number: int) -> str:
    return "the one cell" if number == 1 else f"all {number:,} cells"
