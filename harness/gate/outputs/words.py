"""Words out of a guest on their way into a CI service's log, where a line can be an order."""

from __future__ import annotations

import re

from harness.results.text import clipped, visible

_ORDERS = re.compile(r"##(?=vso\[|\[)", re.IGNORECASE)  # Azure DevOps obeys them in the middle of a line, too
LONGEST = 1_000  # characters of one sentence


def one_line(text: str) -> str:
    """Make one visible line of a text, in which nothing acts: no control character, no order to a CI service."""
    line = " ".join(visible(clipped(text, LONGEST)).split())
    # "::error::" is an order at the start of a line only, and so is "##" with a word joiner no more
    return _ORDERS.sub("## ", line).removeprefix("::")
