"""Files in and out of a guest, and its screen."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.lab.guest import GuestFileError, LabGuest
from harness.lab.screen import png

from .wine_guests import ADMINISTRATOR, Guests, built_exe, colours


def test_a_file_comes_back_as_it_went(guests: Guests, guest: LabGuest) -> None:
    """Content of any size goes in whole or in parts, and comes back under any spelling of its name."""
    content = os.urandom(300_000)

    async def parts() -> AsyncIterator[bytes]:
        yield content[:100_000]
        yield content[100_000:]

    for given in (content, parts(), b""):
        guests.do(guest.put_file(r"C:\Users\Public\Mixed Case.bin", given, account=ADMINISTRATOR))
        expected = b"" if given == b"" else content
        assert guests.do(guest.get_file("c:/USERS/public\\mixed case.BIN", account=ADMINISTRATOR)) == expected
    assert guests.say(guest, r'dir /b "C:\users\Public\Mixed Case.bin"').text == "Mixed Case.bin"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (r"C:\nowhere\file.txt", "not found"),
        (r"C:\windows\nothing.txt", "not found"),
        (r"C:\windows\win.ini\below.txt", "not found"),
        (r"C:\windows", "is a folder"),
        ("C:\\", "is a folder"),
        (r"D:\file.txt", "bad path"),
        (r"\file.txt", "bad path"),
        ("file.txt", "bad path"),
        (r"C:\windows\..\file.txt", "bad path"),
        (r"C:\windows\win.ini:stream", "bad path"),
        ("C:\\a\0b", "bad path"),
    ],
)
def test_what_cannot_be_had_is_named(guests: Guests, guest: LabGuest, path: str, kind: str) -> None:
    """Each way in which a file cannot be had has a name of its own."""
    with pytest.raises(GuestFileError) as caught:
        guests.do(guest.get_file(path, account=ADMINISTRATOR))
    assert caught.value.kind == kind


def test_a_planted_link_leads_nowhere(guests: Guests) -> None:
    """A link that a guest has planted is resolved inside its sandbox, and copying its disk does not follow it."""
    guest = guests.create()
    public = guests.folder / guest.name / "disk" / "c" / "users" / "Public"
    (public / "stolen.txt").symlink_to("/etc/passwd")
    (public / "tree").symlink_to("/etc")
    guests.up(guest)
    for path in (r"C:\users\Public\stolen.txt", r"C:\users\Public\tree\passwd"):
        with pytest.raises(GuestFileError):
            guests.do(guest.get_file(path, account=ADMINISTRATOR))
    with pytest.raises(GuestFileError):
        guests.do(guest.put_file(r"C:\users\Public\tree\hostname", b"x", account=ADMINISTRATOR))
    guests.do(guest.power_off())
    guests.do(guest.snapshot("planted"))
    kept = guests.folder / guest.name / "snapshots" / "planted" / "c" / "users" / "Public"
    assert (kept / "tree").is_symlink()
    guests.do(guest.destroy())
    assert Path("/etc/passwd").exists()
    guests.made.remove(guest)


def test_a_waiting_installer_is_seen(guests: Guests, guest: LabGuest, tmp_path: Path) -> None:
    """A message box is on the picture of the console, and stays until its program is ended."""
    program = built_exe(tmp_path, 'MessageBox MB_OK "Please insert disk 2"')
    guests.do(guest.put_file(r"C:\asks.exe", program, account=ADMINISTRATOR))

    async def work() -> tuple[int, int]:
        before = colours(await guest.screenshot())
        process = await guest.start(r"C:\asks.exe", account=ADMINISTRATOR)
        async with asyncio.timeout(240):
            while colours(await guest.screenshot()) < before + 3:
                await asyncio.sleep(0.05)
        assert not process.has_ended
        await process.signal("terminate")
        return before, await process.wait()

    before, code = guests.do(work())
    assert before <= 2
    assert code == 1


def test_a_picture_has_the_screens_colours() -> None:
    """XWD's blue, green and red become PNG's red, green and blue; anything else is refused."""
    header = [100, 7, 2, 24, 2, 1, 0, 0, 32, 0, 32, 32, 8, 4, 0, 0, 0, 8, 0, 1, 2, 1, 0, 0, 0]
    screen = struct.pack(">25I", *header) + bytes(12) + b"\x01\x02\x03\0" + b"\x04\x05\x06\0"
    assert struct.unpack(">2I", png(screen)[16:24]) == (2, 1)
    assert b"IEND" in png(screen)
    for broken in (b"", screen[:-1], struct.pack(">25I", *[100, 7, 1, *header[3:]]) + screen[100:]):
        with pytest.raises(ValueError, match="screen"):
            png(broken)
