"""Power, disks and snapshots of guests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.lab import disk, host
from harness.lab.guest import GuestGone, LabGuest, SnapshotMissing
from tests.waiting import until

from .wine_guests import ADMINISTRATOR, Guests

KEY = r'"HKLM\Software\Microsoft\Windows NT\CurrentVersion"'


@pytest.mark.parametrize(
    ("slug", "number", "display"), [("win10-21h2", "19044", "21H2"), ("win11-24h2", "26100", "24H2")]
)
def test_a_guest_is_its_build(guests: Guests, slug: str, number: str, display: str) -> None:
    """A guest answers as its build in every way that programs ask, and says honestly that it is the lab."""
    guest = guests.up(guests.create(f"{slug}-a", slug))
    assert guests.say(guest, "ver").text == f"Microsoft Windows 10.0.{number}"
    told = guests.say(guest, f"reg query {KEY}").text
    for line in (
        f"CurrentBuild    REG_SZ    {number}",
        f"CurrentBuildNumber    REG_SZ    {number}",
        f"DisplayVersion    REG_SZ    {display}",
        "EditionID    REG_SZ    Enterprise",
        "ProductName    REG_SZ    Windows 10 Enterprise",
        "UBR    REG_DWORD    0x",
    ):
        assert line in told
    assert (
        f"Wine    REG_SZ    {guests.image.host.wine_version}"
        in guests.say(guest, r"reg query HKLM\Software\pytest-wincompat\Lab").text
    )
    assert guests.say(guest, "hostname").text == f"{slug}-a".upper()


def test_a_shut_down_keeps_what_a_power_cut_loses(guests: Guests) -> None:
    """The registry reaches the disk on an orderly shut-down; what was just written is lost when the power is cut."""
    guest = guests.up(guests.create())
    guests.say(guest, r"reg add HKLM\Software\Kept /v a /d 1")
    guests.do(guest.shut_down())
    guests.up(guest)
    assert guests.say(guest, r"reg query HKLM\Software\Kept /v a").code == 0
    guests.say(guest, r"reg add HKLM\Software\Lost /v a /d 1")
    guests.do(guest.power_off())
    guests.up(guest)
    assert guests.say(guest, r"reg query HKLM\Software\Lost /v a").code == 1


def test_whoever_watches_sees_every_change(guests: Guests) -> None:
    """Observers are told of power and of Windows coming up and going away; each boot has its own name."""
    guest = guests.create()
    seen: list[tuple[bool, bool]] = []
    guest.observers.append(lambda it: seen.append((it.is_on, it.is_up)))
    guests.up(guest)
    first = guest.boot_id
    guests.do(guest.power_off())
    guests.up(guest)
    assert seen == [(True, False), (True, True), (False, False), (True, False), (True, True)]
    assert guest.boot_id != first


def test_a_guest_that_goes_takes_its_commands_with_it(guests: Guests) -> None:
    """A running command ends with GuestGone when the power is cut, and an off guest refuses everything so."""
    guest = guests.up(guests.create())
    process = guests.do(guest.start("notepad", account=ADMINISTRATOR))
    guests.do(guest.power_off())
    assert guests.do(process.read()) is None
    with pytest.raises(GuestGone):
        guests.do(process.wait())
    for work in (
        guest.start("ver", account=ADMINISTRATOR),
        guest.get_file(r"C:\x", account=ADMINISTRATOR),
        guest.screenshot(),
        guest.until_up(),
        process.write(b"x"),
    ):
        with pytest.raises(GuestGone):
            guests.do(work)


def test_reverting_undoes_everything(guests: Guests) -> None:
    """A revert brings back disk and registry as they were, and leaves the guest off."""
    guest = guests.create()
    guests.do(guest.snapshot("clean"))
    guests.up(guest)
    guests.say(guest, r"reg add HKLM\Software\Dirt /v a /d 1 & echo dirt> C:\dirt.txt & del C:\windows\win.ini")
    guests.do(guest.shut_down())
    guests.do(guest.revert("clean"))
    assert not guest.is_on
    guests.up(guest)
    assert guests.say(guest, r"reg query HKLM\Software\Dirt").code == 1
    assert guests.say(guest, r"dir /b C:\dirt.txt").code == 1
    assert guests.say(guest, r"dir /b C:\windows\win.ini").code == 0


@pytest.mark.parametrize("busy", [False, True])
def test_a_snapshot_of_a_running_guest(guests: Guests, busy: bool) -> None:
    """A running guest can be kept and cloned; while no command runs its registry is in the snapshot, too."""
    guest = guests.up(guests.create())
    guests.say(guest, r"reg add HKLM\Software\Kept /v a /d 1 & echo kept> C:\kept.txt")
    process = guests.do(guest.start("notepad", account=ADMINISTRATOR)) if busy else None
    guests.do(guest.snapshot("now"))
    assert guest.is_up
    assert process is None or not process.has_ended
    assert guests.say(guest, r"type C:\kept.txt").text == "kept"
    clone = guests.do(guest.clone(f"{guest.name}-c", "now"))
    guests.made.append(clone)
    guests.up(clone)
    assert guests.say(clone, r"type C:\kept.txt").text == "kept"
    assert busy or guests.say(clone, r"reg query HKLM\Software\Kept").code == 0
    guests.do(guest.drop_snapshot("now"))
    with pytest.raises(SnapshotMissing):
        guests.do(guest.revert("now"))


def test_guests_share_no_file_that_can_be_written(guests: Guests) -> None:
    """A disk is its own: what guests share with the image are links, which nobody can write into."""
    guest = guests.create()
    drive = guests.folder / guest.name / "disk"
    files = [path for path in drive.rglob("*") if path.is_file() and not path.is_symlink()]
    assert files
    assert {path.stat().st_nlink for path in files} == {1}
    assert sum(path.stat().st_blocks * 512 for path in files) < 10_000_000


HOLDER = """
import asyncio, sys
from pathlib import Path
from harness.builds import Build
from harness.lab.guest import LabAccount, LabGuest
from harness.lab.host import lab_home
from harness.lab.image import golden_image

async def main():
    image = await golden_image(lab_home())
    accounts = [LabAccount("Administrator", "a", "administrator"), LabAccount("tester", "b", "standard")]
    guest = await LabGuest.create(image, Path(sys.argv[1]), build=Build(19045), accounts=accounts)
    await guest.power_on()
    await guest.until_up()
    await guest.start("notepad", account=accounts[0])
    print("up", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def test_nothing_runs_on_when_the_lab_is_killed(guests: Guests) -> None:
    """However the lab ends, every process of its guests ends with it."""
    folder = guests.folder / "orphan"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        try:
            assert holder.stdout.readline() == "up\n"
            assert _processes(folder)
        finally:
            holder.send_signal(signal.SIGKILL)
    until(lambda: not _processes(folder))
    guests.do(disk.removed(folder))


def _processes(folder: Path) -> list[str]:
    """List the sandboxes that hold a folder; all that runs in one ends with it."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if "bwrap" in words and str(folder) in words:
            found.append(words)
    return found


def test_no_guest_runs_as_root(guests: Guests, guest: LabGuest) -> None:
    """Every process of a guest belongs to an ordinary user, and the user cannot become another."""
    inside = [Path(f"/proc/{pid}/status").read_text() for pid in _below(guest)]
    assert len(inside) > 3
    for status in inside:
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert set(fields["Uid"].split()) == {str(host.guest_user())}
        assert fields["Uid"].split()[0] != "0"
        assert int(fields["CapBnd"], 16) == 0 or fields["NoNewPrivs"] == "1"


def _below(guest: LabGuest) -> list[int]:
    assert guest._boot is not None
    found, left = [], [guest._boot.sandbox.process.pid]
    while left:
        pid = left.pop()
        found.append(pid)
        left += [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return found


def test_a_guest_sees_nothing_of_its_host(guests: Guests, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the controller's files, nor its environment, nor a network can be reached from inside."""
    monkeypatch.setenv("WINCOMPAT_TEST_SECRET", "hunter2")
    guest = guests.up(guests.create())
    assert "hunter2" not in guests.say(guest, "set").text
    assert guests.say(guest, r"dir Z:\ ").code != 0
    root = guests.say(guest, r"dir /b \\?\unix\etc & dir /b \\?\unix\root & dir /b \\?\unix\home").text
    assert "passwd" not in root
    assert "shadow" not in root
    assert guests.say(guest, "ping -n 1 127.0.0.1").code == 0
    assert "100% loss" in guests.say(guest, "ping -n 1 192.0.2.1").text
    assert os.environ["WINCOMPAT_TEST_SECRET"] == "hunter2"
