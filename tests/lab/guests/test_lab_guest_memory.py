"""Snapshots with memory, and instant clones of a running guest."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import pytest

from harness.lab.guest import GuestGone, LabGuest

from .wine_guests import ADMINISTRATOR, Guests

VALUE = r"HKLM\Software\Mark"


@pytest.fixture(scope="module")
def kept(guests: Guests) -> LabGuest:
    """Share a guest with a mark in its registry and a snapshot with memory, ``clean``."""
    guest = guests.up(guests.create("kept"))
    guests.say(guest, rf"reg add {VALUE} /v when /d then")
    guests.do(guest.snapshot("clean", memory=True))
    return guest


def test_a_revert_finds_windows_up(guests: Guests, kept: LabGuest) -> None:
    """After a revert to a snapshot with memory the guest is up at once, and has the registry of that moment."""
    guests.say(kept, rf"reg add {VALUE} /v when /d now /f")
    before = kept.boot_id
    guests.do(kept.revert("clean"))
    assert kept.is_on
    assert kept.is_up
    assert kept.boot_id != before
    assert "then" in guests.say(kept, rf"reg query {VALUE} /v when").text


def test_a_windows_that_stands_by_has_its_desktop(guests: Guests, kept: LabGuest) -> None:
    """No installer waits for it: it is there at the revert, and stays when no program has a window."""
    memory = kept._snapshots.memory("clean")
    assert memory is not None
    guests.do(memory.stand_by())
    guests.do(kept.revert("clean"))
    guests.say(kept, "msiexec /x {00000000-0000-0000-0000-000000000000} /qn")
    guests.do(asyncio.sleep(2))  # Wine ends a desktop a second after the last program
    assert kept._boot is not None
    assert "explorer.exe" in _programs(kept._boot.sandbox._first)


def _programs(first: int) -> set[str]:
    """Name what runs in a sandbox, seen from outside: whoever asked inside would have a desktop started for it."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            same = (process / "ns/pid").readlink() == Path(f"/proc/{first}/ns/pid").readlink()
            if same and (process / "cmdline").read_bytes():  # what has ended has none
                found.add((process / "comm").read_text().strip())
    return found


def test_nothing_of_before_runs_on(guests: Guests, kept: LabGuest) -> None:
    """A command that ran when the machine was reverted has gone, and those who waited for it are told."""
    process = guests.do(kept.start("notepad", account=ADMINISTRATOR))
    guests.do(kept.revert("clean"))
    with pytest.raises(GuestGone):
        guests.do(process.wait())
    assert "notepad" not in guests.say(kept, "tasklist").text.lower()


def test_each_revert_has_a_disk_of_its_own(guests: Guests, kept: LabGuest) -> None:
    """What one boot writes is neither in the next one nor in the snapshot."""
    for _ in range(3):
        guests.do(kept.revert("clean"))
        assert guests.say(kept, r"if exist C:\mark.txt echo there").text == ""
        guests.say(kept, r"echo 1>C:\mark.txt")


def test_a_copy_that_died_while_it_stood_ready_is_replaced(guests: Guests, kept: LabGuest) -> None:
    """Whatever happens to the Windows that was booted ahead, the revert ends with one that works."""
    guests.do(kept.revert("clean"))
    memory = kept._snapshots.memory("clean")
    assert memory is not None
    assert memory._next is not None
    ahead = guests.do(asyncio.wait_for(asyncio.shield(memory._next), 240))
    os.kill(ahead.boot.sandbox._first, signal.SIGKILL)
    guests.do(ahead.boot.over.wait())
    guests.do(kept.revert("clean"))
    assert guests.say(kept, "echo well").text == "well"


def test_a_snapshot_of_a_guest_that_is_off_holds_no_memory(guests: Guests) -> None:
    """A guest that is off has no memory to keep: a revert to such a snapshot leaves it off."""
    guest = guests.create()
    guests.do(guest.snapshot("clean", memory=True))
    assert not guest.holds_memory("clean")
    guests.do(guest.revert("clean"))
    assert not guest.is_on


def test_an_instant_clone_of_a_frozen_guest_is_up_with_its_disk(guests: Guests, kept: LabGuest) -> None:
    """A frozen source holds still; its clone is up, has all that was written before, and leaves the source alone."""
    guests.do(kept.revert("clean"))
    guests.say(kept, rf"reg add {VALUE} /v when /d frozen /f")
    guests.do(kept.freeze())
    assert kept.is_frozen
    clone = guests.do(kept.instant_clone("instant"))
    try:
        assert clone.is_up
        assert "frozen" in guests.say(clone, rf"reg query {VALUE} /v when").text
        guests.say(clone, rf"reg add {VALUE} /v when /d cloned /f")
    finally:
        guests.do(clone.destroy())
    guests.do(kept.thaw())
    assert "frozen" in guests.say(kept, rf"reg query {VALUE} /v when").text


def test_the_power_of_a_frozen_guest_can_be_cut(guests: Guests, kept: LabGuest) -> None:
    """Holding a guest still never keeps it from being switched off or reverted."""
    guests.do(kept.revert("clean"))
    guests.do(kept.freeze())
    guests.do(kept.power_off())
    assert not kept.is_frozen
    with pytest.raises(GuestGone):
        guests.do(kept.thaw())
