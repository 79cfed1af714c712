"""From everything that is known of a cell to its cause, the thing at fault and the fingerprint."""

from __future__ import annotations

import re

from harness.causes.fingerprint import fingerprint
from harness.causes.rules import Rule, failed_command, rules
from harness.results.cause import Cause
from harness.results.result import Fault, Result, Verdict

_PROGRAM = re.compile(r'[^\\/"\s]+\.(?:exe|msi|cmd|bat|com)\b', re.IGNORECASE)


def decided(result: Result) -> Result:
    """Give the result with its cause, the thing at fault and its fingerprint; one without a failure as it is.

    What is not the product's fault never gets one of the product's causes, nor the other way round.
    """
    if result.verdict in (Verdict.PASSED, Verdict.FLAKY, Verdict.SKIPPED):
        return result
    rule = rule_for(result)
    cause = rule.cause
    if cause.is_products != (result.fault is Fault.PRODUCT):  # a rule of a mistaken table does not change whose it is
        cause = {Fault.PRODUCT: Cause.PACKAGING, Fault.SITE: Cause.LAB}.get(result.fault, Cause.HARNESS)
    known = result.model_copy(update={"cause": cause, "at_fault": _thing(rule, result)})
    return known.model_copy(update={"fingerprint": fingerprint(known)})


def rule_for(result: Result) -> Rule:
    """Find the first rule that holds."""
    return next(rule for rule in rules() if rule.holds(result))


def _thing(rule: Rule, result: Result) -> str:
    """Name the thing at fault, as far as it is known."""
    ended = failed_command(result)
    found = ""
    if rule.thing == "finding":
        found = next((one.subject for one in result.findings if one.cause in rule.finding_cause), "")
    elif rule.thing == "error":
        found = result.error
    elif ended is not None and rule.thing == "log":
        found = ended.thing or ended.action or ended.running
    elif ended is not None and rule.thing == "crash":
        found = ended.crashed.partition(" crashed")[0] or ended.thing
    elif ended is not None and rule.thing == "command":
        found = ended.what
    program = _PROGRAM.search(result.reason)
    return found or result.at_fault or (program[0] if program and result.fault is Fault.PRODUCT else "")
