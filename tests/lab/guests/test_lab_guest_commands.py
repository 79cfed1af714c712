"""Command lines in a guest mean what they mean to cmd.exe on Windows."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from harness.lab.guest import GuestFileError, LabGuest

from .wine_guests import ADMINISTRATOR, Guests, built_exe, said


@pytest.mark.parametrize(
    ("line", "code", "out"),
    [
        ('echo "a b" & ver', 0, '"a b" \r\n\r\nMicrosoft Windows 10.0.19045'),
        ("exit 1603", 1603, ""),
        ("exit /b 7", 7, ""),
        ("cmd /c exit -1073741819", -1073741819, ""),
        ("cmd /c exit 3010 & rem", 3010, ""),
        ("nosuchprogram", 9009, ""),
        ("echo 100% %1 %i %NOPE% %NOPE:~0,2%", 0, "100% %1 %i %NOPE% %NOPE:~0,2%"),
        ("echo %USERNAME:~0,5%", 0, "Admin"),
        ("echo %ProgramFiles(x86)%", 0, r"C:\Program Files (x86)"),
        ("for %i in (1 2) do @echo %i", 0, "1\r\n2"),
        ("for %i in (a b) do @for %j in (c) do @echo %i%j", 0, "ac\r\nbc"),
        ("echo a ^& b ^| c", 0, "a & b | c"),
        ("echo first& exit 5", 5, "first"),
        ("echo one> out.txt & type out.txt", 0, "one"),
        ("echo hay needle | find \"needle\" && echo found", 0, "hay needle \r\nfound"),
        ("reg query HKLM\\Software\\NoSuchKey && echo never", 1, "reg: Unable to find the specified registry key"),
        ("cmd /c exit 4 || echo failed", 4, "failed"),
        ("ver > nul || echo never & echo after", 0, "after"),
        ("nosuch 2> nul && echo never || ver > nul && echo both", 0, "both"),
        ("cmd /c exit -5 && echo never", -5, ""),
        ("cd", 0, r"C:\users\Administrator"),
        ("cd\nexit 9", 0, r"C:\users\Administrator"),
    ],
)  # fmt: skip
def test_a_line_does_what_it_does_on_windows(guests: Guests, guest: LabGuest, line: str, code: int, out: str) -> None:
    """Quotes, pipes, built-ins, percent signs and whole exit codes come through."""
    told = guests.say(guest, line)
    assert (told.code, told.text) == (code, out), told


def test_a_path_with_blanks_can_be_started(guests: Guests, guest: LabGuest) -> None:
    """A quoted program with a quoted argument is started with that one argument."""
    guests.say(guest, r'mkdir "C:\Program Files\x y" & copy C:\windows\system32\cmd.exe "C:\Program Files\x y\z.exe"')
    told = guests.say(guest, r'"C:\Program Files\x y\z.exe" /c "echo "in quotes" & exit 12"')
    assert (told.code, told.text) == (12, '"in quotes"')


def test_what_no_windows_has_is_not_there(guests: Guests, guest: LabGuest) -> None:
    """A program whose author forgot to bring a redistributable DLL does not start, as on a clean machine."""
    (original,) = (found for folder in guests.image.host.wine_files for found in Path(folder).glob("**/notepad.exe"))
    # another DLL of as many letters, and no mark that makes Wine look among its own
    needs = original.read_bytes().replace(b"comdlg32.dll", b"msvcr100.dll").replace(b"Wine builtin DLL", bytes(16))
    guests.do(guest.put_file(r"C:\needs.exe", needs, account=ADMINISTRATOR))
    assert guests.say(guest, r"C:\needs.exe").code == -1073741515  # 0xC0000135: a DLL was not found


def test_a_batch_file_gives_its_whole_exit_code(guests: Guests, guest: LabGuest) -> None:
    """A batch file that is not called takes over, and its exit code is kept all the same."""
    guests.do(guest.put_file(r"C:\setup.bat", b"@echo working\r\n@exit /b 3010\r\n", account=ADMINISTRATOR))
    assert guests.say(guest, r"C:\setup.bat").code == 3010
    assert guests.say(guest, r"C:\setup").code == 3010


def test_any_letter_comes_through_in_utf_8(guests: Guests, guest: LabGuest) -> None:
    """With code page 65001 text of any language goes in and out, and into names on the disk."""
    told = guests.say(guest, r"mkdir C:\grün-Ж & echo äЖ€", codepage=65001)
    assert told.text.encode().splitlines()[-1] == "äЖ€".encode()
    assert (guests.folder / guest.name / "disk" / "c" / "grün-Ж").is_dir()


def test_other_code_pages_are_windows_1252(guests: Guests, guest: LabGuest) -> None:
    """Without UTF-8 a program writes Windows-1252, and a letter beyond it still reaches the program."""
    assert guests.say(guest, "echo ä").out.strip() == b"\xe4"
    assert guests.say(guest, "echo Ж").text == "Ж"


def test_the_environment_and_folder_are_the_callers(guests: Guests, guest: LabGuest) -> None:
    """Variables and the folder given with a command hold for it, PATH and TEMP too, and for no other."""
    given = {"FOO": "a b", "PATH": r"C:\x;%PATH%", "TEMP": r"C:\users\Public"}
    told = guests.say(guest, "echo %FOO%,%TEMP% & cd & path", environment=given, directory=r"%SystemRoot%\SYSTEM32")
    lines = told.text.splitlines()
    assert lines[0] == r"a b,C:\users\Public "
    assert lines[1].casefold() == r"c:\windows\system32"
    assert lines[2].startswith(r"PATH=C:\x;C:\windows\system32;")
    assert guests.say(guest, "echo %FOO%").text == "%FOO%"


def test_a_variable_set_since_is_seen(guests: Guests, guest: LabGuest) -> None:
    """A variable that an installer has put into the registry is expanded by the next command."""
    key = r'"HKLM\System\CurrentControlSet\Control\Session Manager\Environment"'
    assert guests.say(guest, "echo %PRODUCT_HOME%").text == "%PRODUCT_HOME%"
    assert guests.say(guest, rf"reg add {key} /v PRODUCT_HOME /d C:\Product").code == 0
    assert guests.say(guest, "echo %PRODUCT_HOME%").text == r"C:\Product"


def test_a_folder_that_is_not_there_is_named(guests: Guests, guest: LabGuest) -> None:
    """A command is not started in a folder that does not exist."""
    with pytest.raises(GuestFileError, match="there is no such folder") as caught:
        guests.say(guest, "cd", directory=r"C:\nowhere")
    assert caught.value.kind == "not found"


def test_input_reaches_the_program_and_ends(guests: Guests, guest: LabGuest) -> None:
    """What is written is read by the command, which sees its end."""
    told = guests.say(guest, 'find "b"', given=b"abc\r\nxyz\r\n")
    assert (told.code, told.text) == (0, "abc")


def test_output_waits_for_its_reader(guests: Guests, guest: LabGuest) -> None:
    """A command that prints without end is held back, not kept in memory, and can still be ended."""

    async def work() -> tuple[int, int]:
        line = "for /l %i in (1,1,9999999) do @echo " + "0123456789" * 100
        process = await guest.start(line, account=ADMINISTRATOR)
        taken = 0
        while taken < 1_500_000 and (chunk := await process.read()):
            taken += len(chunk.content)
        for _ in range(20):
            await said(guest, "ver")
        held = sum(len(chunk.content) for chunk in process._chunks)
        await process.signal("ctrl_c")
        return held, await process.wait()

    held, code = guests.do(work())
    assert held <= 1_500_000
    assert code == -1073741510


def test_the_whole_tree_ends(guests: Guests, guest: LabGuest) -> None:
    """Ending a command ends what it started, and nothing else."""

    async def work() -> int:
        other = await guest.start("notepad other", account=ADMINISTRATOR)
        process = await guest.start("start /wait cmd /c notepad mine", account=ADMINISTRATOR)
        while (await _windows(guest)).count("notepad.exe") < 2:
            await asyncio.sleep(0.05)
        await process.signal("terminate")
        assert await process.wait() == 1
        assert (await _windows(guest)).count("notepad.exe") == 1
        assert not other.has_ended
        await other.signal("terminate")
        return (await _windows(guest)).count("notepad.exe")

    assert guests.do(work()) == 0


async def _windows(guest: LabGuest) -> str:
    told = await said(guest, "wmic process get name")
    return told.out.decode("utf-16", "replace")


def test_a_32_bit_program_is_refused_in_words(guests: Guests, guest: LabGuest, tmp_path: Path) -> None:
    """Where 32-bit programs cannot run they fail and say why, instead of ending with 0 for nothing done."""
    if "32-bit programs" in guest.capabilities:
        pytest.skip("this host has Wine's 32-bit half")
    program = built_exe(tmp_path, "SetErrorLevel 7", target="x86-unicode")
    guests.do(guest.put_file(r"C:\old.exe", program, account=ADMINISTRATOR))
    told = guests.say(guest, r"C:\old.exe /S")
    assert told.code == 9009
    assert b"this is a 32-bit program" in told.err
