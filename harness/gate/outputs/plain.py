"""The gate's answer as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.gate.decision import Decision, Reason
from harness.gate.outputs.words import one_line
from harness.results.words import listed

MOST_CELLS = 3


def lines(decision: Decision) -> Iterator[str]:
    """Say the word, every reason, what is accepted, and who answers for it."""
    if decision.is_lab:
        yield f"LAB: {one_line(decision.provenance) or 'guests of the embedded lab'}; not Windows evidence"
    yield from _told("hold", decision.reasons)
    yield from _told("warn", decision.warnings)
    yield from _told("accept", decision.accepted)
    for waiver in decision.waivers:
        sign = f"signed off {waiver.signed_off}" if waiver.signed_off else "not signed off"
        state = f"does not count: {waiver.flaw}" if waiver.flaw else f"until {waiver.expires}"
        yield f"waiver  {one_line(f'{waiver.id} by {waiver.person}, {sign}, {state}: {waiver.reason}')}"
        for reason in waiver.covers:
            yield f"          covers {reason.rule}: {_cut(reason)}"
    yield one_line(decision.sentence)


def _told(mark: str, reasons: Sequence[Reason]) -> Iterator[str]:
    for reason in reasons:
        yield f"{mark:<7} {reason.rule}: {_cut(reason)}"


def _cut(reason: Reason) -> str:
    cells = f" [{one_line(listed(list(reason.cells), MOST_CELLS))}]" if reason.cells else ""
    return f"{one_line(reason.sentence)}{cells}"
