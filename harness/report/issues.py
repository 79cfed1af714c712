"""The matrix's known issues, and what a run says of each: shown, gone, or not looked at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pandas as pd

from harness.report.view import IssueView
from harness.results import words
from harness.results.plan import Plan, PlannedIssue
from harness.results.result import Verdict


def issue_views(
    plan: Plan | None, cells: pd.DataFrame, keys: Mapping[str, str], *, is_lab: bool, today: date
) -> tuple[IssueView, ...]:
    """Lay out each known issue of the plan; ``keys`` gives each cell its place on the page."""
    views = []
    for issue in plan.known_issues if plan else ():
        expired = issue.expires is not None and issue.expires < today
        here = issue.where is None or is_lab == (issue.where == "lab")
        shown = list(cells.loc[cells["known_issue"] == issue.id, "cell"])
        missed = list(cells.loc[cells["missed_issue"] == issue.id, "cell"])
        if shown:
            said = words.count(len(shown), "cell")
        elif missed:
            said = f"did not occur on {words.count(len(missed), 'cell')}: close it"
        elif expired:
            said = "no longer laid over any cell"
        elif not here:
            said = f"not expected here, on a {issue.where} only"
        else:
            passed = _passed_within(issue, plan, cells)
            said = f"no cell, and {len(passed):,} in its scope passed: close it?" if passed else "not shown in this run"
        views.append(
            IssueView(
                id=issue.id,
                ticket=issue.ticket,
                reason=issue.reason,
                expires=str(issue.expires or "no date"),
                expired=expired,
                shown=said,
                key=keys[str((shown or missed)[0])] if shown or missed else "",
            )
        )
    return tuple(views)


def _passed_within(issue: PlannedIssue, plan: Plan | None, cells: pd.DataFrame) -> list[str]:
    """Find the cells that had the chance to show an issue, and passed: only they speak against it."""
    scope = {planned.cell for planned in plan.cells if issue.id in (planned.issues or ())} if plan else set()
    return [str(cell) for cell in cells.loc[cells["verdict"] == Verdict.PASSED.value, "cell"] if cell in scope]
