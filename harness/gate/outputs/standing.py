"""How each cell stands after the gate has spoken, the same for every output."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.gate.decision import Decision, Reason
from harness.gate.evidence import PROVED, Seen


@dataclass(frozen=True, slots=True)
class Standing:
    """A cell, whether it holds the release, and in words why or why not."""

    cell: Seen
    holds: bool
    words: str

    @property
    def place(self) -> str:
        """The file that plans it, for those who show findings beside files."""
        return self.cell.node.partition("::")[0] or "plan.json"


def standings(cells: Iterable[Seen], decision: Decision) -> list[Standing]:
    """Say of each cell how it stands."""
    holds = _by_cell(decision.reasons)
    excuses: dict[str, list[str]] = {}
    for mark, reasons in (("accepted", decision.accepted), ("warns only", decision.warnings)):
        for cell, words in _by_cell(reasons).items():
            excuses.setdefault(cell, []).extend(f"{mark}: {one}" for one in words)
    for waiver in decision.waivers:
        for cell, words in _by_cell(waiver.covers).items():
            by = f"waived by {waiver.person} until {waiver.expires} ({waiver.id}: {waiver.reason})"
            excuses.setdefault(cell, []).extend(f"{by}: {one}" for one in words)
    return [
        Standing(cell, cell.cell in holds, "; ".join(holds.get(cell.cell) or excuses.get(cell.cell) or _own(cell)))
        for cell in cells
    ]


def _own(cell: Seen) -> list[str]:
    if cell.verdict in PROVED:
        return []
    return [cell.skip or cell.reason or cell.verdict]


def _by_cell(reasons: Iterable[Reason]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for reason in reasons:
        for cell in reason.cells:
            found.setdefault(cell, []).append(f"{reason.rule}: {reason.sentence}")
    return found
