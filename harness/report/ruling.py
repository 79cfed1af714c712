"""Ship or hold: what a gate decided by a policy, else what the cells add up to."""

from __future__ import annotations

from collections.abc import Sequence

from harness.gate.decision import FILE, Decision, Reason, Waived, read_decision
from harness.report.view import RulingView
from harness.results import tally
from harness.results.run import RunFolder
from harness.results.text import clipped

_MOODS = {"SHIP": "ship", "HOLD": "hold", "AS EXPECTED": "lab"}


def ruling_view(tallied: tally.Decision, folder: RunFolder) -> RulingView:
    """Take the gate's decision where the run's folder holds one of this run, else the tally's."""
    decision = read_decision(folder.path / FILE)
    if decision is not None and decision.run in ("", folder.run):
        return _by_policy(decision)
    return RulingView(
        word=tallied.word,
        mood=_MOODS[tallied.word],
        sentence=tallied.sentence,
        by="",
        reasons=tallied.reasons,
        warnings=(),
        waivers=(),
    )


def _by_policy(decision: Decision) -> RulingView:
    return RulingView(
        word=decision.word.upper(),
        mood=decision.word,
        sentence=clipped(decision.sentence, 600),
        by=clipped(f"Decided by {decision.policy or 'a policy'} on {decision.decided:%Y-%m-%d %H:%M}", 200),
        reasons=_sentences(decision.reasons),
        warnings=_sentences(decision.warnings),
        accepted=_sentences(decision.accepted),
        waivers=tuple(clipped(_waiver(waiver), 400) for waiver in decision.waivers),
    )


def _sentences(reasons: Sequence[Reason]) -> tuple[str, ...]:
    return tuple(clipped(reason.sentence, 400) for reason in reasons)


def _waiver(waiver: Waived) -> str:
    signed = f"signed off by {waiver.person} on {waiver.signed_off}" if waiver.signed_off else f"by {waiver.person}"
    held = f"does not count: {waiver.flaw}" if waiver.flaw else f"until {waiver.expires}"
    return f"Waiver {waiver.id}, {signed}, {held}: {waiver.reason}"
