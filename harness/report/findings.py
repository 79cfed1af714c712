"""The findings of a run: what stands behind the verdict, and how many cells each explains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from harness.report.marks import LETTERS
from harness.report.view import FindingView
from harness.results import words
from harness.results.plan import Plan
from harness.results.tally import Finding
from harness.results.text import clipped

MOST = 12


def finding_views(
    findings: Sequence[Finding], keys: Mapping[str, str], cells: pd.DataFrame, plan: Plan | None = None
) -> tuple[FindingView, ...]:
    """Lay out findings, what holds first, then by how many cells each explains, with the share of all so far.

    The same failure under another verdict, a cell that passed when it was tried again, belongs to the same finding.
    """
    causes = dict(zip(cells["cell"], cells["cause"].astype("string").fillna(""), strict=True))
    whole = sum(len(finding.cells) for finding in findings) or 1
    joined = [_joined(alike, cells) for alike in _alike(findings)]
    views, so_far = [], 0
    for finding, number in sorted(joined, key=lambda each: (not each[0].holds, -len(each[0].cells))):
        so_far += len(finding.cells)
        letter = LETTERS[finding.verdict]
        issue = ""
        if finding.known:
            issue = f"known issue {clipped(finding.known.id, 120)}"
            issue += f", acceptance ended on {finding.known.expires}" if finding.expired else ""
        views.append(
            FindingView(
                style=letter if finding.holds else f"{letter} k",
                verdict=finding.verdict.value,
                what=clipped(f"{finding.product}: {finding.scenarios} on {finding.builds}", 300),
                reason=clipped(finding.reason.strip().split("\n", 1)[0], 300),
                number=number,
                key=keys[finding.cells[0]],
                issue=issue,
                cause=str(causes.get(finding.cells[0], "")),
                fingerprint=clipped(finding.fingerprint, 40),
                note=clipped(str(plan.note_of(finding.fingerprint) or "") if plan else "", 600),
                share=round(100 * len(finding.cells) / whole, 1),
                so_far=round(100 * so_far / whole, 1),
            )
        )
    return tuple(views)


def _alike(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Put findings of one fingerprint together, the worst first; one without a fingerprint stays alone."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for place, finding in enumerate(findings):
        issue = finding.known.id if finding.known else ""
        alike = (finding.fingerprint, issue) if finding.fingerprint else ("", str(place))
        groups.setdefault(alike, []).append(finding)
    return list(groups.values())


def _joined(alike: Sequence[Finding], cells: pd.DataFrame) -> tuple[Finding, str]:
    """Make one finding of several, and say of how many cells with which ends it is."""
    first = alike[0]
    hit = tuple(cell for finding in alike for cell in finding.cells)
    number = words.count(len(hit), "cell")
    if len(alike) == 1:
        return first, number
    rows = cells[cells["cell"].isin(hit)]
    others = [f"{len(other.cells):,} {other.verdict}" for other in alike[1:]]
    scenarios = words.listed(list(dict.fromkeys(map(str, rows["scenario"]))), 4)
    builds = words.builds_in_words(map(str, rows["build_name"]))
    joined = replace(first, cells=hit, scenarios=scenarios, builds=builds)
    return joined, f"{number}, {words.listed(others)}"
