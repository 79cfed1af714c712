"""The matrix's known issues, and what a run says of each: shown, fixed, expired, or not looked at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pandas as pd

from harness.report.marks import LONGEST
from harness.report.view import IssueView
from harness.results.issues import End, standings
from harness.results.plan import Plan
from harness.results.result import Verdict
from harness.results.text import clipped


def issue_views(
    plan: Plan | None, cells: pd.DataFrame, keys: Mapping[str, str], *, is_lab: bool, today: date
) -> tuple[IssueView, ...]:
    """Lay out each known issue of the plan; ``keys`` gives each cell its place on the page."""
    if plan is None or not plan.known_issues:
        return ()
    rows = cells[["cell", "verdict", "known_issue", "missed_issue"]].astype("object").fillna("")
    ends = {
        str(cell): End(verdict=Verdict(verdict), known_issue=str(known), missed_issue=str(missed))
        for cell, verdict, known, missed in rows.itertuples(index=False)
    }
    return tuple(
        IssueView(
            id=clipped(one.issue.id, LONGEST),
            ticket=clipped(", ".join(filter(None, (one.issue.ticket, one.issue.owner))), LONGEST),
            reason=clipped(one.issue.reason, 600),
            expires=str(one.issue.expires or "no date"),
            expired=one.issue.expires is not None and one.issue.expires < today,
            shown=clipped(one.words, 600),
            key=keys[one.cells[0]] if one.cells else "",
        )
        for one in standings(plan, ends, is_lab=is_lab, today=today)
    )
