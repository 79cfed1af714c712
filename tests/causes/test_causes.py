"""Why a cell did not pass: what the table of rules decides, and whose fault it stays."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from harness import errors
from harness.causes import decided
from harness.causes.deciding import rule_for
from harness.causes.rules import rules
from harness.exit_codes import explain, shown
from harness.expectations.rules import RULES
from harness.results.cause import Cause
from harness.results.result import Ending, Fault, Finding, Result, Verdict

PLAIN = {"cell": "c", "build": "22631", "product": "p", "kind": "msi", "scenario": "install"}


def failed(**known: Any) -> Result:
    """Make a result that the product failed."""
    return decided(
        Result.model_validate({**PLAIN, "verdict": "failed", "fault": "product", "error": "ProductFailed", **known})
    )


def blocked(error: str, **known: Any) -> Result:
    """Make a result that the site let down."""
    return decided(Result.model_validate({**PLAIN, "verdict": "blocked", "fault": "site", "error": error, **known}))


def ended(code: int = 1603, **known: Any) -> Ending:
    """Make the end of an installer that failed."""
    told = explain(code, "msi")
    return Ending.model_validate(
        {
            "what": "install-1.0",
            "exit_code": shown(code),
            "words": told.words,
            "cause": told.cause,
            "refused": told.refused,
        }
        | known
    )


def found(code: str, cause: str, subject: str = "thing") -> Finding:
    """Make a finding."""
    return Finding(code=code, cause=cause, sentence=f"{subject} is wrong", subject=subject)


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (1633, "compatibility"),
        (1654, "compatibility"),
        (1259, "compatibility"),
        (1625, "permission"),
        (5, "permission"),
        (1620, "packaging"),
        (1603, "packaging"),
        (1602, "hang"),
        (3017, "reboot"),
        (0xC0000135, "crash"),
        (0xC0000005, "crash"),
        (0x800B0109, "signature"),
    ],
)
def test_an_exit_code_tells_the_class_of_the_cause(code: int, cause: str) -> None:
    """What an installer ends with decides, where the code alone tells."""
    assert failed(code="not-installed", endings=(ended(code),), reason="it ended").cause == cause


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        ({"action": "LaunchConditions"}, "compatibility"),
        ({"error": 1925, "error_cause": "permission"}, "permission"),
        ({"refused": True}, "permission"),
        ({"error_cause": "signature"}, "signature"),
        ({"crashed": "helper.exe crashed in ntdll.dll"}, "crash"),
        ({"error_cause": "rollback"}, "rollback"),
        ({"error": 1721, "action": "RunHelper", "thing": "custom action RunHelper"}, "packaging"),
    ],
)
def test_where_1603_tells_nothing_the_log_does(log: dict[str, Any], cause: str) -> None:
    """1603 is a shrug; the log's error, its failing action and Windows' records of a crash say more."""
    assert failed(code="not-upgraded", endings=(ended(**log),)).cause == cause


@pytest.mark.parametrize(
    ("known", "cause"),
    [
        ({"code": "restarted-unasked"}, "reboot"),
        ({"code": "not-refused"}, "permission"),
        ({"code": "gone-after-failed-upgrade"}, "rollback"),
        ({"code": "failure-hidden"}, "rollback"),
        ({"code": "not-replaced"}, "leftover"),
        ({"code": "not-proven", "reason": "tool.exe ended with 0xC0000135"}, "crash"),
        ({"code": "not-proven", "reason": "tool.exe is missing"}, "packaging"),
        ({"verdict": "hung", "code": "hung"}, "hang"),
        ({"error": "AssertionError", "reason": "Access is denied."}, "permission"),
        ({"error": "AssertionError", "reason": "the service is still registered"}, "leftover"),
        ({"error": "AssertionError", "reason": "the library foo.dll was not found"}, "crash"),
        ({"error": "AssertionError", "reason": "it needs Windows 11"}, "compatibility"),
        ({"error": "AssertionError", "reason": "1.0 is not 2.0"}, "packaging"),
    ],
)
def test_what_the_product_did_not_do_tells_the_class(known: dict[str, object], cause: str) -> None:
    """A code of the failure comes before its words, and words before nothing."""
    assert failed(**known).cause == cause


def test_the_gravest_finding_decides_whatever_was_found_first() -> None:
    """Two builds that find the same things in another order have the same cause, thing and fingerprint."""
    both = [found("left-behind", "leftover", r"C:\x"), found("not-rolled-back", "rollback", "service y")]
    one, other = (failed(code="broke-rules", findings=tuple(order)) for order in (both, both[::-1]))
    assert (one.cause, one.at_fault) == ("rollback", "service y")
    assert (one.fingerprint, one.cause) == (other.fingerprint, other.cause)


@pytest.mark.parametrize(
    ("error", "known", "cause"),
    [
        ("Drifted", {}, "environment"),
        ("NotTold", {}, "environment"),
        ("GuestLost", {}, "lab"),
        ("SiteUnreachable", {"reason": "vc: no space left on device"}, "environment"),
        ("MachineFailed", {"endings": (ended(1618),)}, "environment"),
        ("MachineFailed", {}, "lab"),
        (
            "OSError",
            {"fault": "harness", "reason": "OSError during call: [Errno 28] No space left on device"},
            "environment",
        ),
        ("RuntimeError", {"fault": "harness"}, "harness"),
    ],
)
def test_a_lab_that_fails_is_the_labs(error: str, known: dict[str, object], cause: str) -> None:
    """Drift, a full disk and a Windows in no state for it are the environment's; all else is the lab's, or ours."""
    assert blocked(error, **known).cause == cause


SITE_ERRORS = [
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.SiteError)
]


@pytest.mark.parametrize("error", SITE_ERRORS)
def test_no_error_of_the_site_ever_gets_a_cause_of_the_product(error: str) -> None:
    """Whatever the words, the endings and the findings beside it: who is to blame is not for the rules to change."""
    words = ["", "crashed", "access is denied 1925", "signature", "0xC0000135 left behind", "needs Windows 11 1641"]
    codes = ["", "not-installed", "not-refused", "broke-rules", "restarted-unasked"]
    for reason, code, exit_code in product(words, codes, (1603, 1625, 1633, 0xC0000005)):
        result = blocked(
            error, reason=reason, code=code, endings=(ended(exit_code),), findings=(found("x", "leftover"),)
        )
        assert result.cause is not None
        assert not result.cause.is_products


def test_every_cause_can_be_decided_and_every_finding_has_its_rule() -> None:
    """No class is without a rule, and no cause that a finding can carry falls through to the last one."""
    assert {rule.cause for rule in rules()} == set(Cause)
    assert RULES
    for cause in Cause:
        if cause.is_products:
            result = failed(code="broke-rules", findings=(found("x", cause.value),))
            assert result.cause == cause
            assert rule_for(result).id == f"finding-{cause.value}"


def test_ids_of_rules_are_names() -> None:
    """A rule that was put in twice is found, and the last one asks nothing, so that there is always an answer."""
    ids = [rule.id for rule in rules()]
    assert len(ids) == len(set(ids))
    assert rules()[-1].holds(Result.model_validate({**PLAIN, "verdict": "failed"}))


@pytest.mark.parametrize("verdict", [Verdict.PASSED, Verdict.SKIPPED])
def test_what_passed_has_no_cause(verdict: Verdict) -> None:
    """A cause is of a failure."""
    result = decided(Result.model_validate({**PLAIN, "verdict": verdict}))
    assert (result.cause, result.fingerprint) == (None, "")


def test_a_product_is_never_excused_by_the_words_of_its_failure() -> None:
    """A verdict that blames the product keeps one of the product's causes."""
    result = failed(reason="the disk is full")
    assert result.fault is Fault.PRODUCT
    assert result.cause is Cause.PACKAGING
