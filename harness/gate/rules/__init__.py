"""The rules: each looks at one side of the evidence and complains; none knows of waivers or budgets of cells."""

from __future__ import annotations

from collections.abc import Iterator

from harness.gate.case import Case
from harness.gate.complaint import Complaint
from harness.gate.rules.origin import artifacts, lab_evidence, unknown_origin
from harness.gate.rules.proof import coverage, nothing_proved, required
from harness.gate.rules.record import journal, lost_files, narrowed, plan, stale, unplanned
from harness.gate.rules.timing import budgets, regressions
from harness.gate.rules.verdicts import missed_issues, verdicts

ALL = (
    plan,
    journal,
    unplanned,
    narrowed,
    lost_files,
    stale,
    lab_evidence,
    unknown_origin,
    artifacts,
    nothing_proved,
    required,
    coverage,
    verdicts,
    missed_issues,
    budgets,
    regressions,
)


def complaints(case: Case) -> Iterator[Complaint]:
    """Give everything that every rule complains of."""
    for rule in ALL:
        yield from rule(case)
