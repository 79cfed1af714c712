"""What an installation tells of itself, out of a guest that answers from a script."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from harness.errors import DeliveryFailed, Hung
from harness.guest.guest import Guest
from harness.guest.outcome import Outcome
from harness.installer_logs import read_log
from harness.scenarios.telling import Telling
from tests.installer_logs.kept import Kept
from tests.installer_logs.test_events import CRASH
from tests.installer_logs.test_other_kinds import BURN
from tests.installer_logs.written import failed


class Scripted:
    """A guest with some files and one answer, or none at all."""

    machine = "vm"

    def __init__(self, files: dict[str, bytes] | None = None, *, answer: str | None = "", code: int = 0) -> None:
        self.files = files or {}
        self.answer = answer
        self.code = code
        self.asked: list[str] = []

    def facts(self) -> Any:
        """Have the tools of Windows."""
        return SimpleNamespace(has={"wevtutil"})

    def fetch(self, guest_path: str, target: Path) -> None:
        """Bring a file."""
        if guest_path not in self.files:
            raise DeliveryFailed(f"{guest_path} is not there", machine="vm", advice="look")
        target.write_bytes(self.files[guest_path])

    def ask(self, command: str, *, deadline: float, cap: int) -> Outcome:
        """Give the one answer."""
        assert cap
        self.asked.append(command)
        if self.answer is None:
            raise Hung(command, deadline)
        return Outcome(command=command, exit_code=self.code, stdout=self.answer, stderr="", seconds=0.1)


def _telling(guest: Scripted) -> tuple[Telling, Kept]:
    kept = Kept()
    return Telling(cast(Guest, guest), kept), kept


def test_a_bundles_reason_is_in_the_log_of_its_package() -> None:
    """That log is brought, read and kept too; the packages that did well are left alone."""
    guest = Scripted({r"C:\t\s_001_Viewer.log": str(failed()).encode("utf-16")})
    telling, kept = _telling(guest)
    said = telling.reason(read_log(BURN), None, None)
    assert said.startswith("its package Viewer failed: Failed to install MSI package. (0x80070643)")
    assert said.endswith("its custom action TuneDriver failed with 1603")
    assert set(kept.things) == {"s_001_Viewer.log", "s_001_Viewer.log.json"}


def test_a_bundle_whose_package_left_no_log_still_has_its_own_words() -> None:
    """And a note says which is missing."""
    telling, kept = _telling(Scripted())
    assert telling.reason(read_log(BURN), None, None).startswith("its package Viewer failed")
    assert kept.notes == [r"no s_001_Viewer.log: C:\t\s_001_Viewer.log is not there"]


def test_the_raw_log_is_kept_as_it_is_also_when_it_cannot_be_read() -> None:
    """Proof is what the installer wrote, not what we made of it."""
    raw = bytes(range(1, 32)) * 100
    telling, kept = _telling(Scripted({r"C:\t\wincompat-install-1.log": raw}))
    reading = telling.log(r"C:\t\wincompat-install-1.log")
    assert reading is not None
    assert kept.things == {"install-1.log": raw}
    assert kept.notes[0].startswith("install-1.log: unreadable, because it is not text")


def test_windows_records_are_asked_in_one_round_trip_and_kept() -> None:
    """With the seconds of the phase and a little more."""
    guest = Scripted(answer=CRASH)
    telling, kept = _telling(guest)
    events = telling.records("install-1", 10.0)
    assert events is not None
    assert events.trouble[0].sentence.startswith("demo.exe crashed")
    assert len(guest.asked) == 1
    assert "<= 15000" in guest.asked[0]
    assert json.loads(str(kept.things["install-1.events.json"]))["records"][0]["id"] == 1000


def test_records_that_do_not_come_cost_a_note_and_never_the_cell() -> None:
    """A question of ours that hangs is no product that hangs."""
    for guest in (Scripted(answer=None), Scripted(answer="Access is denied.", code=5)):
        telling, kept = _telling(guest)
        assert telling.records("x", 1.0) is None
        assert kept.notes[0].startswith("no records of Windows")
