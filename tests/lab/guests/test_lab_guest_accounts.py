"""The two accounts of a guest: what each may write, and that they are two people."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from harness.lab.guest import Budgets, GuestBusy, GuestFileError, LabGuest

from .wine_guests import ADMINISTRATOR, TESTER, Guests, built_msi, said

REFUSED = (
    r"C:\new.txt",
    r"C:\Program Files\new.txt",
    r"C:\Program Files (x86)\new.txt",
    r"C:\Program Files\Common Files\new.txt",
    r"C:\ProgramData\new.txt",
    r"C:\windows\new.txt",
    r"C:\windows\system32\new.txt",
    r"C:\windows\win.ini",
    r"C:\windows\system32\cmd.exe",
    r"C:\users\new.txt",
    r"C:\users\Administrator\new.txt",
)
ALLOWED = (
    r"C:\users\tester\new.txt",
    r"C:\users\tester\AppData\Local\Temp\new.txt",
    r"C:\users\Public\new.txt",
    r"C:\windows\temp\new.txt",
)


def test_a_standard_user_is_refused_by_the_operating_system(guests: Guests, guest: LabGuest) -> None:
    """A standard user's writes to machine-wide places end with "access denied", whichever way he tries."""

    async def work() -> None:
        for path in REFUSED:
            told = await said(guest, f'echo x> "{path}"', TESTER)
            assert told.err.strip() == b"Access denied.", path
            with pytest.raises(GuestFileError) as caught:
                await guest.put_file(path, b"x", account=TESTER)
            assert caught.value.kind == "access denied", path
        for path in ALLOWED:
            told = await said(guest, f'echo x> "{path}"', TESTER)
            assert told.err == b"", path
            await guest.put_file(path, b"x", account=TESTER)
        told = await said(
            guest, r'mkdir "C:\Program Files\New" & rmdir "C:\Program Files\Windows NT\Accessories"', TESTER
        )
        assert b"Access denied" in told.err

    guests.do(work())
    assert guest.held_by == "landlock"
    drive = guests.folder / guest.name / "disk" / "c"
    assert (drive / "Program Files" / "Windows NT" / "Accessories").is_dir()
    assert not (drive / "Program Files" / "New").exists()


def test_an_administrator_may_write_but_not_into_windows_own_files(guests: Guests, guest: LabGuest) -> None:
    """An administrator writes anywhere, yet Wine's own programs on the host stay as they are."""

    async def work() -> None:
        for path in REFUSED[:-3]:
            if not path.endswith("cmd.exe"):
                await guest.put_file(path, b"x", account=ADMINISTRATOR)
        with pytest.raises(GuestFileError) as caught:
            await guest.put_file(r"C:\windows\system32\cmd.exe", b"x", account=ADMINISTRATOR)
        assert caught.value.kind == "access denied"
        told = await said(guest, r"echo x> C:\windows\system32\kernel32.dll")
        assert b"Access denied" in told.err

    guests.do(work())


def test_each_account_is_itself(guests: Guests, guest: LabGuest) -> None:
    """Each account has its name, its folders and its own HKEY_CURRENT_USER."""
    line = "whoami & echo %USERNAME% %USERPROFILE% %TEMP%"
    told = guests.say(guest, line, TESTER).text.splitlines()
    assert told[0].strip().endswith("\\tester")
    assert told[1] == r"tester C:\users\tester C:\users\tester\AppData\Local\Temp"
    assert guests.say(guest, r"reg add HKCU\Software\Mine /v a /d 1", TESTER).code == 0
    assert guests.say(guest, r"reg query HKCU\Software\Mine").code == 1
    assert guests.say(guest, r"reg query HKCU\Software\Mine", TESTER).code == 0


def test_one_account_does_not_wait_for_ever(guests: Guests) -> None:
    """A command that cannot start because of the other account's says so, and whose still runs."""
    guest = guests.up(guests.create(budgets=Budgets(turn=0.2)))

    async def work() -> None:
        running = await guest.start("notepad", account=ADMINISTRATOR)
        with pytest.raises(GuestBusy, match="a command of Administrator still runs"):
            await guest.start("ver", account=TESTER)
        await running.signal("terminate")

    guests.do(work())


def test_the_accounts_take_turns(guests: Guests, guest: LabGuest) -> None:
    """Commands of both accounts asked for at once all run, each as its own account."""

    async def work() -> list[str]:
        accounts = [TESTER, ADMINISTRATOR, TESTER, ADMINISTRATOR]
        told = await asyncio.gather(*(said(guest, "whoami", account) for account in accounts))
        return [each.text.rpartition("\\")[2] for each in told]

    assert guests.do(work()) == ["tester", "Administrator", "tester", "Administrator"]


def test_a_command_that_nobody_waits_for_is_not_started(guests: Guests, guest: LabGuest) -> None:
    """Whoever gives up while the other account's commands run has started nothing."""

    async def work() -> None:
        running = await guest.start("notepad", account=ADMINISTRATOR)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(guest.start(r"echo x> C:\users\Public\late.txt", account=TESTER), 0.1)
        await running.signal("terminate")
        await running.wait()
        assert (await said(guest, r"dir C:\users\Public\late.txt", TESTER)).code == 1

    guests.do(work())


def test_windows_installer_installs_for_one_and_refuses_the_other(
    guests: Guests, guest: LabGuest, tmp_path: Path
) -> None:
    """An MSI for all users installs and goes for an administrator; for a standard user it ends with 1603, traceless."""
    package = r"C:\users\Public\made.msi"
    guests.do(guest.put_file(package, built_msi(tmp_path), account=ADMINISTRATOR))
    files, values = r'dir /b "C:\Program Files\Probe"', r"reg query HKLM\Software\Probe /v v"
    refused = guests.say(guest, rf"msiexec /i {package} /qn /norestart /l*v C:\users\Public\made.log", TESTER)
    assert refused.code == 1603
    assert b"Return value" in guests.do(guest.get_file(r"C:\users\Public\made.log", account=TESTER))
    assert (guests.say(guest, files, TESTER).code, guests.say(guest, values, TESTER).code) == (1, 1)
    assert guests.say(guest, f"msiexec /i {package} /qn /norestart").code == 0
    assert (guests.say(guest, files).code, guests.say(guest, values).code) == (0, 0)
    assert guests.say(guest, f"msiexec /x {package} /qn /norestart").code == 0
    assert (guests.say(guest, files).code, guests.say(guest, values).code) == (1, 1)
