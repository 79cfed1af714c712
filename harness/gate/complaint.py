"""What a rule complains of: one cell, or the run as a whole."""

from __future__ import annotations

from dataclasses import dataclass

from harness.gate.evidence import Seen
from harness.gate.policy import Act

# in the order in which a person wants to read them; a rule that is not here would not be shown in any order
RULES = {
    "plan": "the plan is lost",
    "journal": "the journal cannot be read as a whole",
    "lab-evidence": "evidence comes from the lab",
    "origin": "nobody knows where evidence comes from",
    "product-hash": "what is released is not what was run",
    "waiver": "a waiver does not count",
    "narrowed": "the run was asked for a part of its matrix alone",
    "nothing-proved": "nothing was proved",
    "required": "a required cell did not pass",
    "failed": "the product failed",
    "hung": "the product hung",
    "flaky": "the product failed first and passed then",
    "blocked": "the site could not run a cell",
    "not-run": "a planned cell left no result",
    "known-issue": "a known issue does not count",
    "missed-issue": "a known issue did not occur",
    "coverage": "too little was proved",
    "budget": "a step took too long",
    "regression": "a step became slower",
    "regressions-unknown": "nobody can tell whether a step became slower",
    "evidence-files": "files of the evidence are gone",
    "unplanned": "a result that nobody planned",
    "stale": "the run is too old",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One thing that speaks against a release; ``cell`` is None where it is about the run as a whole.

    Complaints of one rule with the same ``about`` and cells are one reason. ``limit`` and ``seen`` are in words.
    """

    rule: str
    words: str
    cell: Seen | None = None
    act: Act = "block"
    about: str = ""
    limit: str = ""
    seen: str = ""

    @property
    def cell_id(self) -> str:
        """The cell's id, or nothing."""
        return self.cell.cell if self.cell is not None else ""

    @property
    def fingerprint(self) -> str:
        """The failure's fingerprint, or nothing: what was not seen to fail has none."""
        failed = self.cell is not None and self.cell.verdict in ("failed", "hung", "flaky")
        return self.cell.fingerprint if self.cell is not None and failed else ""
