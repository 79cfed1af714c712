"""The same failure has one name wherever and whenever it is seen, and another failure has another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.results.alike import plain
from harness.results.result import Result

from .test_causes import blocked, ended, failed, found

SEEN = r"2.0 was not installed: error 1721 at {time}: {temp}\helper.exe, {guid}, pid {pid}, on {machine} after {pid} s"
BUILDS = ("19044", "19045", "22000", "22621", "22631.4037", "26100")


def seen_on(number: int, build: str) -> Result:
    """See one failure on another build, machine, day and account."""
    machine = f"win-{number:02}-x"
    reason = SEEN.format(
        time=f"2026-11-{number + 10} 08:{number + 10}:44.{number}",
        temp=rf"C:\Users\tester{number}\AppData\Local\Temp\is-AB{number}CD.tmp",
        guid=f"{{22EA7650-4AC6-4001-BF29-F4B8775DB1C{number}}}",
        pid=number * 77 + 5,
        machine=machine,
    )
    return failed(build=build, machine=machine, reason=reason, code="not-installed", endings=(ended(error=1721),))


def test_one_failure_on_many_builds_is_one() -> None:
    """Build, machine, times, numbers, GUIDs, accounts and temporary folders make no other failure of it."""
    names = {seen_on(number, build).fingerprint for number, build in enumerate(BUILDS)}
    assert len(names) == 1
    assert len(names.pop()) == 10


@pytest.mark.parametrize(
    "change",
    [
        {"product": "q"},
        {"scenario": "upgrade"},
        {"code": "not-upgraded"},
        {"endings": (ended(1602, error=1721),)},
        {"endings": (ended(error=1722),)},
        {"endings": (ended(error=1721, thing="file a.dll"),)},
        {"endings": (ended(error=1721, action="Other"),)},
        {"findings": (found("left-behind", "leftover"),)},
        {"reason": "2.0 was not installed: something else"},
        {"reason": "2.0 was not installed: error 1722"},
    ],
)
def test_another_failure_has_another_name(change: dict[str, object]) -> None:
    """Nothing new hides behind a name that is known: product, scenario, codes, things and words all count."""
    known = {"code": "not-installed", "endings": (ended(error=1721),), "reason": "2.0 was not installed: error 1721"}
    assert failed(**known).fingerprint != failed(**{**known, **change}).fingerprint


def test_a_new_finding_is_another_failure_but_what_lies_in_a_folder_that_stayed_is_not() -> None:
    """A second thing that is wrong has its own name; a further file below a folder that stayed goes without saying."""
    folder = found("left-behind", "leftover", r"C:\Program Files\Tool")
    inside = found("left-behind", "leftover", r"C:\Program Files\Tool\log\19044.txt")
    other = found("left-behind", "leftover", "service tool")
    one, two, three = (failed(code="broke-rules", findings=(folder, *more)) for more in ((), (inside,), (other,)))
    assert one.fingerprint == two.fingerprint != three.fingerprint


def test_what_the_lab_did_is_one_failure_whatever_it_hit() -> None:
    """A vCenter that is down is no failure of a product or a scenario."""
    reason = "vc.example: does not answer; look at it"
    one = blocked("SiteUnreachable", reason=reason)
    assert one.fingerprint == blocked("SiteUnreachable", reason=reason, product="q", scenario="denied").fingerprint
    assert one.fingerprint != blocked("GuestLost", reason=reason).fingerprint


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("ended with 1603 after 12 tries", "ended with 1603 after # tries"),
        ("exit code -1 on port 8443", "exit code -1 on port #"),
        ("0xC0000135 at 0x7ffe0012", "0xc0000135 at #"),
        ("msvcp140.dll is missing", "msvcp140.dll is missing"),
        ("took 120s", "took #s"),
        (r"C:\Windows\Temp\x1\a.log is there", r"<temp>\a.log is there"),
        ("job deadbeef0123 failed", "job # failed"),
        ("at 10.0.3.17:5986", "at <address>"),
    ],
)
def test_numbers_go_and_codes_stay(words: str, left: str) -> None:
    """What varies is taken out, what a failure is known by is not."""
    assert plain(words) == left


@given(st.text(max_size=300))
def test_any_words_can_be_made_plain(words: str) -> None:
    """Words come from guests and hold anything; the same words are always made the same, in one line."""
    assert plain(words) == plain(words)
    assert len(plain(words).splitlines()) <= 1
