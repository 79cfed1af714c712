"""Words out of a guest on their way into a CI service's log, where a line can be an order."""

from __future__ import annotations

from harness.results.text import clipped, inert

LONGEST = 1_000  # characters of one sentence


def one_line(text: str) -> str:
    """Make one visible line of a text, in which nothing acts: no control character, no order to a CI service."""
    return inert(" ".join(inert(clipped(text, LONGEST)).split()))
