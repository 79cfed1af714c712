"""A guest's clock: seen in what it answers anyway, and set whatever language and zone it has."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import formatdate

import pytest

from harness.guest.clock import QUESTIONS, Sightings, Skew, setting
from harness.guest.guest import Guest
from harness.guest.outcome import Outcome

from .scripted_wsman import ScriptedWSMan, serving

NOW = datetime(2026, 11, 22, 23, 59, 30, tzinfo=UTC).timestamp()
DAY_FIRST = "    sShortDate    REG_SZ    dd.MM.yyyy\n"


def _told(short_date: str = "", bias: str = "0x0") -> list[Outcome]:
    zone = f"    ActiveTimeBias    REG_DWORD    {bias}\n"
    printed = (f"HKEY_CURRENT_USER\\Control Panel\\International\n{short_date}", f"HKEY_LOCAL_MACHINE\\Zone\n{zone}")
    return [
        Outcome(command=command, exit_code=0, stdout=text, stderr="", seconds=0)
        for command, text in zip(QUESTIONS, printed, strict=True)
    ]


@pytest.mark.parametrize(
    ("short_date", "bias", "line"),
    [
        ("    sShortDate    REG_SZ    M/d/yyyy\n", "0x0", "date 11-22-2026 <nul & time 23:59:30 <nul"),
        (DAY_FIRST, "0xffffffc4", "date 23-11-2026 <nul & time 00:59:30 <nul"),
        ("    sShortDate    REG_SZ    yyyy-MM-dd\n", "0x1e0", "date 2026-11-22 <nul & time 15:59:30 <nul"),
        ("", "0x0", "date 11-22-2026 <nul & time 23:59:30 <nul"),
    ],
)
def test_a_clock_is_set_in_the_order_and_zone_of_the_guest(short_date: str, bias: str, line: str) -> None:
    """Day, month and year stand as the account writes them, and the hour is the one of the guest's zone."""
    assert setting(_told(short_date, bias), NOW) == line


def test_several_answers_tell_the_clock_better_than_one() -> None:
    """Whole seconds that change between two answers tell where between them a second began."""
    seen = Sightings()
    assert seen.skew is None
    for moment in (1000.25, 1000.75):  # the guest is 0.5 s ahead
        seen.note(formatdate(int(moment + 0.5), usegmt=True), sent=moment, received=moment + 0.01)
    skew = seen.skew
    assert skew is not None
    assert skew.within < 0.27
    assert abs(skew.seconds - 0.5) <= skew.within
    seen.note("no date", sent=1001, received=1001)
    assert seen.skew == skew


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_our_own_clock_that_is_set_meanwhile_makes_no_guests_clock_wrong(jump: float) -> None:
    """Set between a question and its answer, it tells nothing of the guest; what comes after counts alone."""
    seen = Sightings()
    seen.note(formatdate(NOW, usegmt=True), sent=NOW, received=NOW + 0.1)
    seen.note(formatdate(NOW + 1, usegmt=True), sent=NOW + 1, received=NOW + 1 + jump)
    assert seen.skew is None or seen.skew.least == 0.0
    seen.note(formatdate(NOW + 2, usegmt=True), sent=NOW + 2 + jump, received=NOW + 2.1 + jump)
    assert seen.skew is not None
    assert abs(seen.skew.seconds + jump) < 1.1


def test_a_clock_that_was_changed_is_what_it_says_now() -> None:
    """Answers from before a change do not blur what is seen after it."""
    seen = Sightings()
    for moment, ahead in ((1000.0, 3600), (1001.0, 3600), (1002.0, 0)):
        seen.note(formatdate(int(moment + ahead), usegmt=True), sent=moment, received=moment + 0.01)
    skew = seen.skew
    assert skew is not None
    assert skew.least == 0
    assert str(Skew(7200, 0.5)) == "2.0 hours ahead"
    assert str(Skew(-0.2, 0.5)) == "right to the second"


class Clocked(ScriptedWSMan):
    """A German guest an hour east of Greenwich, whose clock does as its ``date`` and ``time`` are told, or does not."""

    obeys = True
    summer = timedelta(0)  # what its zone adds on the day that its clock shows, beyond what it has told

    def act(self, action: str, message: str) -> bytes | int:
        """Prepare for whichever command comes."""
        self.prepare = self._prepare
        return super().act(action, message)

    def _prepare(self, line: str) -> None:
        self.errors, self.output = b"", [b"\r\n"]
        if "sShortDate" in line:
            self.tells(line, [outcome.stdout for outcome in _told(DAY_FIRST, "0xffffffc4")])
        elif "CurrentVersion" in line:
            self.tells_facts(line)
        elif self.obeys and (told := re.match(r"date (\S+) <nul & time (\S+) <nul", line)):
            local = datetime.strptime(" ".join(told.groups()), "%d-%m-%Y %H:%M:%S").replace(tzinfo=UTC)
            self.ahead = (local - timedelta(hours=1) - self.summer).timestamp() - time.time()
            self.summer = timedelta(0)

    def tells(self, line: str, printed: list[str]) -> None:
        """Answer joined questions one by one."""
        found = re.search(r"echo (-\w+-) ", line)
        assert found is not None
        mark = found[1]
        self.errors = f"{mark} \r\n".encode() * len(printed)
        self.output = ["".join(f"{text}{mark} 0\r\n" for text in printed).encode()]


@pytest.fixture
def clocked() -> Iterator[Clocked]:
    """Serve a guest with a clock."""
    script = Clocked()
    with serving(script):
        yield script


def _guest(script: ScriptedWSMan) -> Guest:
    return Guest(script.endpoint, machine="win-a")


def test_a_guests_clock_is_known_as_soon_as_it_is_ready(clocked: Clocked) -> None:
    """The answers that prove it ready tell its time as well: no message more."""
    clocked.ahead = -7200
    with _guest(clocked) as guest:
        guest.wait_until_ready(120)
        skew = guest.skew()
        assert guest.round_trips == 3
    assert skew is not None
    assert abs(skew.seconds + 7200) <= skew.within + 0.1


def test_a_wrong_clock_is_set(clocked: Clocked) -> None:
    """Days and hours off, it is right to the second afterwards."""
    clocked.ahead = 40 * 86_400 + 4000
    with _guest(clocked) as guest:
        guest.wait_until_ready(120)
        skew = guest.set_clock()
    assert skew is not None
    assert skew.least < 1.5
    assert abs(clocked.ahead) < 1.5


def test_a_clock_that_lands_in_another_half_of_the_year_is_set_again(clocked: Clocked) -> None:
    """The hour that summer adds is only known once the date is right."""
    clocked.ahead, clocked.summer = -180 * 86_400, timedelta(hours=1)
    with _guest(clocked) as guest:
        guest.wait_until_ready(120)
        guest.set_clock()
    assert abs(clocked.ahead) < 1.5
    assert sum(line.startswith("date ") for line in clocked.started) == 2


def test_a_clock_that_cannot_be_set_stays_a_fact(clocked: Clocked) -> None:
    """It is tried a few times, and then told."""
    clocked.ahead, clocked.obeys = 600, False
    with _guest(clocked) as guest:
        guest.wait_until_ready(120)
        skew = guest.set_clock()
    assert skew is not None
    assert skew.least > 590
