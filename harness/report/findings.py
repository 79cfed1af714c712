"""The findings of a run: what stands behind the verdict, and how many cells each explains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from harness.report.marks import LETTERS
from harness.report.text import clipped
from harness.report.view import FindingView
from harness.results import words
from harness.results.plan import Plan
from harness.results.tally import Finding

MOST = 12


def finding_views(
    findings: Sequence[Finding], keys: Mapping[str, str], cells: pd.DataFrame, plan: Plan | None = None
) -> tuple[FindingView, ...]:
    """Lay out findings, what holds first, then by how many cells each explains, with the share of all so far."""
    causes = dict(zip(cells["cell"], cells["cause"].astype("string").fillna(""), strict=True))
    whole = sum(len(finding.cells) for finding in findings) or 1
    ordered = sorted(findings, key=lambda each: (not each.holds, -len(each.cells)))
    views, so_far = [], 0
    for finding in ordered:
        so_far += len(finding.cells)
        letter = LETTERS[finding.verdict]
        issue = ""
        if finding.known:
            issue = f"known issue {finding.known.id}"
            issue += f", acceptance ended on {finding.known.expires}" if finding.expired else ""
        views.append(
            FindingView(
                style=letter if finding.holds else f"{letter} k",
                verdict=finding.verdict.value,
                what=clipped(f"{finding.product}: {finding.scenarios} on {finding.builds}", 300),
                reason=clipped(finding.reason.strip().split("\n", 1)[0], 300),
                number=words.count(len(finding.cells), "cell"),
                key=keys[finding.cells[0]],
                issue=issue,
                cause=str(causes.get(finding.cells[0], "")),
                fingerprint=finding.fingerprint,
                note=clipped(str(plan.note_of(finding.fingerprint) or "") if plan else "", 600),
                share=round(100 * len(finding.cells) / whole, 1),
                so_far=round(100 * so_far / whole, 1),
            )
        )
    return tuple(views)
