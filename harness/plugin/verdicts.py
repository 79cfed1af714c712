"""From what a test raised to a verdict: failed and hung are the product's doing, blocked is everything else."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from harness.errors import GuestLost, HarnessError, Hung, ProductFailed, SiteError
from harness.results.result import Fault, Verdict


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, whose fault it is, and why, in one sentence."""

    verdict: Verdict
    fault: Fault = Fault.NOBODY
    reason: str = ""
    note: str = ""
    error: str = ""  # the kind of what was raised
    code: str = ""
    subject: str = ""

    @property
    def blames_the_product(self) -> bool:
        """Whether this is the product's fault and nobody else's."""
        return self.fault is Fault.PRODUCT


PASSED = Judgement(Verdict.PASSED)


def judge(
    error: BaseException | None,
    *,
    phase: str,
    doubt: Callable[[], str],
    explain: Callable[[], ProductFailed | SiteError | None] = lambda: None,
) -> Judgement:
    """Judge one phase (``setup``, ``call``, ``teardown``) of a cell by what it raised.

    ``doubt`` is asked before the product is blamed: it looks at the machine and answers with a sentence when the
    machine, not the product, is the reason, or with nothing. An assertion outside of the scenario's body is only
    the product's fault when it says so by being a ProductFailed: fixtures are for the site's work. ``explain`` is asked
    why a guest was lost in the scenario's body: a product may restart the machine, and so may somebody at vSphere.
    """
    if error is None:
        return PASSED
    if isinstance(error, pytest.skip.Exception):
        return Judgement(Verdict.SKIPPED, reason=sentence(error))
    if isinstance(error, GuestLost) and phase == "call" and (cause := explain()) is not None:
        return replace(judge(cause, phase=phase, doubt=lambda: ""), note=f"before that was known: {sentence(error)}")
    if isinstance(error, SiteError):
        return Judgement(Verdict.BLOCKED, Fault.SITE, sentence(error), error=type(error).__name__)
    if isinstance(error, ProductFailed) or (isinstance(error, AssertionError) and phase == "call"):
        reason = sentence(error)
        if suspicion := doubt():
            words = f"before that was known: {reason}"
            return Judgement(Verdict.BLOCKED, Fault.SITE, suspicion, note=words, error="SiteError")
        verdict, (code, subject) = Verdict.HUNG if isinstance(error, Hung) else Verdict.FAILED, _named(error)
        kind = type(error).__name__
        return Judgement(verdict, Fault.PRODUCT, reason, error=kind, code=code, subject=subject)
    if isinstance(error, HarnessError):
        return Judgement(Verdict.BLOCKED, Fault.HARNESS, sentence(error), error=type(error).__name__)
    if isinstance(error, pytest.fail.Exception) and phase == "call":
        # pytest.fail("...") in a team's own test says the same as an assertion
        return judge(ProductFailed(sentence(error)), phase=phase, doubt=doubt)
    kind = type(error).__name__
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" for {error.filename}" if error.filename else ""
        words = f"this controller's disk is full: no space{where}; free some, and run the cell again"
        return Judgement(Verdict.BLOCKED, Fault.HARNESS, words, error=kind)
    return Judgement(Verdict.BLOCKED, Fault.HARNESS, f"{kind} during {phase}: {sentence(error)}", error=kind)


def _named(error: BaseException) -> tuple[str, str]:
    """Give the code and the thing at fault that a failure names; a plain assertion names neither."""
    return (error.code, error.subject) if isinstance(error, ProductFailed) else ("", "")


def sentence(error: BaseException) -> str:
    """Say what was raised in one line."""
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__
