"""One thing that an installer did and should not have done, or the other way round."""

from __future__ import annotations

from dataclasses import dataclass

from harness.results.cause import Cause

__all__ = ["Cause", "Finding", "packaging"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was seen: a ``code`` that never changes its meaning, a cause, a sentence, and the thing at fault."""

    code: str
    cause: Cause
    sentence: str
    subject: str = ""


def packaging(code: str, sentence: str, subject: str) -> Finding:
    """Make a finding of the commonest cause: how the product is packaged."""
    return Finding(code=code, cause=Cause.PACKAGING, sentence=sentence, subject=subject)
