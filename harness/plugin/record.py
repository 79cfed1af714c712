"""What is known of a cell while it runs; becomes its result at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from harness.errors import ProductFailed, SiteError
from harness.scenarios.steps import Steps

if TYPE_CHECKING:
    from harness.machines.leases import Lease
    from harness.matrix import Cell, KnownIssue, Matrix
    from harness.plugin.verdicts import Judgement
    from harness.results.result import Ending, Evidence, Finding, Kept, Result


WARNING = "warning: "
"""How a note begins that the terminal repeats at the end."""


@dataclass(slots=True, kw_only=True)
class Record:
    """One cell on its way: fixtures add what they learn, the plugin adds the verdict."""

    cell: Cell
    matrix: Matrix
    name: str
    steps: Steps
    worker: str = ""
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    machine: str = ""
    supplied: str = ""
    lease: Lease | None = None
    powered_since: datetime = field(default_factory=lambda: datetime.now(UTC))
    on_lab: bool = False
    provenance: str = ""
    guest: dict[str, str] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    before: tuple[Result, ...] = ()  # earlier tries at the cell
    again: bool = False  # it did not pass and is to be tried again
    this_try: Result | None = None  # what this one came to by itself, where an earlier one's failure stands
    kept: Kept | None = None
    doubts: list[Callable[[], str]] = field(default_factory=list)
    explain: Callable[[], ProductFailed | SiteError | None] = lambda: None
    judgement: Judgement | None = None
    known_issue: str | None = None
    missed_issue: str | None = None

    def leased(self, lease: Lease) -> None:
        """Note which machine is the cell's, from the moment on that it is."""
        self.lease = lease
        self.machine = lease.entry.path.rpartition("/")[2]

    def warn(self, words: str) -> None:
        """Note what is not as it should be; the terminal says it, too."""
        self.notes.append(f"{WARNING}{words}")

    def doubt(self) -> str:
        """Ask the site before the product is blamed: a sentence when the site is the reason, or nothing."""
        for ask in self.doubts:
            try:
                if words := ask():
                    return words
            except SiteError as error:
                return str(error)
        return ""

    def result(self) -> Result:
        """Return everything that a report says of the cell; a cell that was never judged is not run."""
        from harness.causes import decided
        from harness.results.result import Result, Step, Verdict

        judged = self.judgement
        alone = Result(
            cell=self.name,
            build=str(self.cell.build),
            product=self.cell.product,
            kind=self.cell.kind,
            scenario=self.cell.scenario,
            leg=self.cell.leg,
            verdict=judged.verdict if judged else Verdict.NOT_RUN,
            **({"fault": judged.fault, "reason": judged.reason} if judged else {}),
            **({"error": judged.error, "code": judged.code, "at_fault": judged.subject} if judged else {}),
            known_issue=self.known_issue,
            missed_issue=self.missed_issue,
            machine=self.machine,
            supplied=self.supplied,
            provenance=self.provenance,
            guest=self.guest,
            steps=tuple(
                Step(name=step.name, started=step.started, seconds=step.seconds or 0.0, error=step.error)
                for step in self.steps.taken
            ),
            evidence=tuple(self.evidence),
            notes=tuple(self.notes),
            findings=tuple(self.findings),
            endings=tuple(self.endings),
            kept=self.kept,
            started=self.started,
            seconds=self.steps.seconds,
            worker=self.worker,
        )
        return decided(alone)

    def covering(self, *, today: date) -> KnownIssue | None:
        """Find the known issue that explains a failure of this cell, or None."""
        if self.judgement is None or not self.judgement.blames_the_product:
            return None
        seen = self.result()
        for issue in self.matrix.known_issues:
            if issue.covers(self.cell, seen.reason, on_lab=self.on_lab, today=today, fingerprint=seen.fingerprint):
                return issue
        return None

    def missing(self, *, today: date) -> KnownIssue | None:
        """Find the strict known issue that should have shown on this cell, which passed, or None."""
        issues = (it for it in self.matrix.known_issues if it.strict)
        return next((it for it in issues if it.applies(self.cell, on_lab=self.on_lab, today=today)), None)


record_key = pytest.StashKey[Record]()
