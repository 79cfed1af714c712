"""One thing that an installer did and should not have done, or the other way round."""

from __future__ import annotations

from dataclasses import dataclass

from harness.results.cause import Cause

__all__ = ["Cause", "Finding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was seen: a ``code`` that never changes its meaning, a cause, a sentence, and the thing at fault."""

    code: str
    cause: Cause
    sentence: str
    subject: str = ""
