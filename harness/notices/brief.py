"""A decision in brief: what fits into a message, in words in which nothing acts."""

from __future__ import annotations

from dataclasses import dataclass

from harness.gate.decision import Decision, Reason
from harness.gate.outputs.words import one_line
from harness.results.text import clipped
from harness.results.words import count

MOST_REASONS = 8
LONGEST = 280  # characters of one reason


@dataclass(frozen=True, slots=True)
class Brief:
    """What a message says; ``lab`` is the warning of a lab run, it and ``link`` may be nothing."""

    word: str
    title: str
    sentence: str
    lab: str
    reasons: tuple[str, ...]
    waivers: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    link: str


def brief(decision: Decision, link: str = "") -> Brief:
    """Bring a decision down to what a channel wants to read."""
    told = [_reason(reason) for reason in decision.reasons[:MOST_REASONS]]
    if len(decision.reasons) > MOST_REASONS:
        told.append(f"and {count(len(decision.reasons) - MOST_REASONS, 'reason')} more")
    counts = ", ".join(f"{number:,} {verdict}" for verdict, number in decision.counts.items())
    facts = {"Run": decision.run, "Policy": decision.policy, "Cells": counts, "Released": "; ".join(decision.artifacts)}
    return Brief(
        word=decision.word,
        title=one_line(clipped(f"{decision.word.upper()}: {decision.matrix or decision.run}", 140)),
        sentence=one_line(decision.sentence),
        lab=f"Lab run: {one_line(decision.provenance)}; not Windows evidence" if decision.is_lab else "",
        reasons=tuple(told),
        waivers=tuple(
            one_line(f"waiver {one.id} by {one.person} until {one.expires}: {one.reason}")
            for one in decision.waivers[:MOST_REASONS]
        ),
        facts=tuple((name, one_line(clipped(value, LONGEST))) for name, value in facts.items() if value),
        link=link,
    )


def _reason(reason: Reason) -> str:
    cells = f" ({count(len(reason.cells), 'cell')})" if reason.cells else ""
    return one_line(clipped(f"{reason.rule}: {reason.sentence}", LONGEST)) + cells
