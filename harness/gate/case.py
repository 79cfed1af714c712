"""A case before the gate: the evidence laid out by cell, the policy and the moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Self

from harness.builds import Build
from harness.gate.evidence import PROVED, Evidence, Seen, cells_of
from harness.gate.policy import Act, Policy
from harness.gate.tiers import surely_blocks, tier
from harness.results.plan import PlannedIssue


@dataclass(frozen=True, slots=True)
class Case:
    """What every rule looks at; ``now`` is a moment with a zone, whose date is today."""

    evidence: Evidence
    policy: Policy
    now: datetime
    cells: tuple[Seen, ...]
    acts: Mapping[tuple[Build, str], Act]  # by build and edition: many cells share them

    @classmethod
    def of(cls, evidence: Evidence, policy: Policy, now: datetime) -> Self:
        """Lay the evidence out."""
        cells = cells_of(evidence.plan, evidence.results)
        kinds = {(cell.build, cell.edition) for cell in cells}
        acts = {kind: tier(*kind, policy.tiers, now.date())[0] for kind in kinds}
        return cls(evidence, policy, now, cells, acts)

    @property
    def today(self) -> date:
        """The day on which known issues, waivers and builds are judged."""
        return self.now.date()

    def act(self, cell: Seen) -> Act:
        """Tell whether a cell blocks a release or only warns."""
        return self.acts[cell.build, cell.edition]

    @property
    def proved(self) -> tuple[Seen, ...]:
        """The cells that passed on builds that block a release: whatever is counted as proof is counted over these."""
        return tuple(
            cell
            for cell in self.cells
            if cell.verdict in PROVED and surely_blocks(cell.build, cell.edition, self.policy.tiers, self.today)
        )

    def issue(self, cell: Seen) -> PlannedIssue | None:
        """Find the known issue that lies over a cell, also one that does not count."""
        issues = self.evidence.plan.known_issues if self.evidence.plan else ()
        return next((issue for issue in issues if issue.id == cell.known_issue), None)

    def why_not_known(self, cell: Seen) -> str:
        """Say why a cell's known issue does not excuse it, or nothing when it does."""
        issue = self.issue(cell)
        if not self.policy.allow_known_issues:
            return f"known issue {cell.known_issue} is not allowed by the policy"
        if issue is None:
            return f"known issue {cell.known_issue} is not in the plan"
        if cell.issues is not None and issue.id not in cell.issues:
            return f"known issue {issue.id} is not about this cell"
        if issue.expires is None:
            return f"known issue {issue.id} has no day on which it expires"
        if issue.expires < self.today:
            return f"known issue {issue.id} ({issue.ticket}) expired on {issue.expires}"
        return ""

    def is_known(self, cell: Seen) -> bool:
        """Whether the product's fault on this cell is one that is accepted today."""
        return cell.verdict in ("failed", "hung", "flaky") and bool(cell.known_issue) and not self.why_not_known(cell)


def in_utc(moment: datetime) -> datetime:
    """Bring a moment to UTC; one without a zone is taken to be in it."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
