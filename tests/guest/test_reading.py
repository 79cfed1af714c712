"""What guests print in their many ways is read without knowing their language."""

from __future__ import annotations

from itertools import zip_longest

import pytest

from harness.builds import Build
from harness.errors import GuestLost, HarnessError
from harness.guest.decoding import decoded
from harness.guest.facts import QUESTIONS, read_facts
from harness.guest.outcome import Outcome
from harness.guest.questions import ROOM, Joined, alone, joinable, joined
from harness.guest.registry import RegistryValue, read_keys
from harness.guest.state.listing import Entry, read_listings

ENGLISH = r"""
 Volume in drive C has no label.
 Volume Serial Number is 4300-0000

 Directory of C:\Program Files

11/22/2026  02:59 AM    <DIR>          .
11/22/2026  02:59 AM    <DIR>          ..
11/22/2026  02:59 AM    <DIR>          Common Files
11/22/2026  03:01 PM    <JUNCTION>     Linked [C:\Real]
11/22/2026  02:59 AM               174 desktop.ini
               1 File(s)            174 bytes

 Directory of C:\Program Files\Common Files

11/22/2026  02:59 AM    <DIR>          .
11/22/2026  02:59 AM    <DIR>          ..
11/22/2026  02:59 AM                12 7 wonders 2026.txt
"""
GERMAN = r"""
 Datenträger in Laufwerk C: hat keine Bezeichnung.

 Verzeichnis von C:\Program Files

22.11.2026  02:59    <DIR>          .
22.11.2026  02:59    <DIR>          ..
22.11.2026  02:59               174 desktop.ini
               1 Datei(en),            174 Bytes
"""
KOREAN = r"""
 C 드라이브의 볼륨에는 이름이 없습니다.

 C:\Program Files 디렉터리

2026-11-22  오전 02:59    <DIR>          .
2026-11-22  오전 02:59    <DIR>          ..
2026-11-22  오전 02:59    <DIR>          Common Files
               0개 파일                   0 바이트

 C:\Program Files\Common Files 디렉터리

2026-11-22  오전 02:59    <DIR>          .
2026-11-22  오전 02:59    <DIR>          ..
2026-11-22  오전 02:59               174 desktop.ini
               1개 파일                 174 바이트
"""
WINE = """Volume in drive C has no label.

Directory of C:\\Program Files

11/22/2026   2:59 AM  <DIR>         .
11/22/2026   2:59 AM  <DIR>         ..
11/22/2026   2:59 AM        932891  desktop.ini
 2/18/2023  10:16 PM        109965  padded.dll
       2 files                  1042856 bytes
"""


def test_a_listing_keeps_sizes_and_names_with_digits_and_blanks() -> None:
    """Where names begin is learned from the listing, so digits in a name are not taken for a size."""
    assert read_listings([("C:\\Program Files", ENGLISH)]) == {
        r"C:\Program Files\Common Files": Entry(None, "11/22/2026  02:59 AM"),
        r"C:\Program Files\Linked": Entry(None, "11/22/2026  03:01 PM"),
        r"C:\Program Files\desktop.ini": Entry(174, "11/22/2026  02:59 AM"),
        r"C:\Program Files\Common Files\7 wonders 2026.txt": Entry(12, "11/22/2026  02:59 AM"),
    }


@pytest.mark.parametrize(
    ("printed", "file", "size"),
    [
        (GERMAN, r"C:\Program Files\desktop.ini", 174),
        (KOREAN, r"C:\Program Files\Common Files\desktop.ini", 174),
        (WINE, r"C:\Program Files\desktop.ini", 932891),
        (WINE, r"C:\Program Files\padded.dll", 109965),
    ],
)
def test_a_listing_is_read_in_any_language(printed: str, file: str, size: int) -> None:
    """The words before and after a folder's name, dates and widths are the guest's own."""
    entry = read_listings([("C:\\Program Files", printed)])[file]
    assert (entry.size, entry.is_folder) == (size, False)


def test_the_top_of_a_drive_borrows_its_columns_from_other_listings() -> None:
    """A drive's own folder does not list itself, so the column comes from the folders asked for with it."""
    top = " Directory of C:\\\n\n11/22/2026  02:59 AM               174 left.txt\n"
    found = read_listings([("C:\\Program Files", ENGLISH), ("C:\\", top)])
    assert found[r"C:\left.txt"].size == 174
    with pytest.raises(ValueError, match="where names begin"):
        read_listings([("C:\\", top)])


def test_a_folder_named_by_a_variable_is_read_under_its_real_name() -> None:
    """The guest replaces %USERPROFILE%; its heading says by what."""
    printed = ENGLISH.replace("Program Files", r"Users\me")
    found = read_listings([("C:\\Program Files", ENGLISH), ("%USERPROFILE%", printed)])
    assert r"C:\Users\me\desktop.ini" in found


def test_a_folder_below_one_named_by_a_variable_keeps_its_place() -> None:
    """Where every root begins with a variable, headings are known by what follows it."""
    printed = GERMAN.replace(r"C:\Program Files", r"C:\Users\me\AppData\Local\Programs")
    found = read_listings([(r"%USERPROFILE%\AppData\Local\Programs", printed)])
    assert found
    assert all(path.startswith("C:\\Users\\me\\AppData\\Local\\Programs\\") for path in found)


def test_registry_values_keep_type_and_lines() -> None:
    """Names are compared without case; a value of several lines is one value."""
    printed = (
        "\nHKEY_LOCAL_MACHINE\\SOFTWARE\\A B\n    DisplayName    REG_SZ    Ninja  1.13\n"
        "    Note    REG_SZ    one\ntwo\n"
        "    UBR    REG_DWORD    0x508\n    Empty    REG_SZ    \n\nHKEY_LOCAL_MACHINE\\SOFTWARE\\A B\\Sub\n"
    )
    keys = read_keys(printed)
    values = keys[r"HKEY_LOCAL_MACHINE\SOFTWARE\A B"]
    assert values["displayname"] == RegistryValue("REG_SZ", "Ninja  1.13")
    assert values["note"].text == "one\ntwo"
    assert values["ubr"].number == 1288
    assert values["empty"].text == ""
    assert keys[r"HKEY_LOCAL_MACHINE\SOFTWARE\A B\Sub"] == {}


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffgrün\r\nx".encode("utf-16-le"),
        "\ufeffgrün\r\nx".encode("utf-16-be"),
        "\ufeffgrün\r\nx".encode(),
        "grün\r\nx".encode(),
        "grün\r\nx".encode("utf-16-le"),
        "grün\r\nx".encode("cp1252"),
    ],
)
def test_text_is_decoded_whoever_wrote_it(content: bytes) -> None:
    """MSI logs are UTF-16, others UTF-8 or the ANSI code page."""
    assert decoded(content) == "grün\nx"


@pytest.mark.parametrize("command", ["exit /b 5", 'echo "odd', "echo a\necho b", "echo a^"])
def test_what_would_reach_beyond_itself_in_a_joined_line_is_not_joined(command: str) -> None:
    """Such a command is asked alone, in its place in the order."""
    assert not joinable(command)
    assert [list(line.commands) for line in joined(["a", "b", command, "c"])] == [["a", "b"], [command], ["c"]]


def test_a_joined_line_never_grows_beyond_what_cmd_takes() -> None:
    """Many questions become several lines, in order, none lost."""
    commands = [f'reg query "HKLM\\Software\\{"x" * 300}\\{number}"' for number in range(60)]
    lines = list(joined(commands))
    assert [command for line in lines for command in line.commands] == commands
    assert 1 < len(lines) < 10
    assert all(len(line.line) <= ROOM for line in lines)


def test_a_program_is_named_with_its_extension() -> None:
    """In a line of questions and alone, so that cmd need not search; cmd's own commands and paths stay as they are."""
    line = Joined(("reg query HKCU", "dir C:\\", '"C:\\reg" query', "net start", "regedit /e"), "--m--").line
    for part in (" reg.exe query HKCU&", " dir C:\\&", ' "C:\\reg" query&', " net.exe start&", " regedit /e&"):
        assert part in line
    assert alone("tasklist /fo csv").endswith("& tasklist.exe /fo csv")


def test_a_missing_answer_is_an_error_and_not_an_empty_one() -> None:
    """When the line breaks off, no command gets another's answer."""
    line = Joined(("a", "b"), "--m--")
    whole = Outcome(command="", exit_code=1, stdout="x\n--m-- 0 \n", stderr="--m-- \n", seconds=0)
    with pytest.raises(HarnessError, match="1 of 2 commands answered"):
        line.outcomes(whole)


def test_each_joined_command_gets_its_own_code_and_streams() -> None:
    """Output without a line end before the mark stays with its command."""
    line = Joined(("a", "b"), "--m--")
    whole = Outcome(
        command="",
        exit_code=0,
        stdout="no end--m-- 0 \ntwo\n--m-- -5 \n",
        stderr="--m-- \noops\n--m-- \n",
        seconds=1,
    )
    assert [(one.exit_code, one.stdout, one.stderr) for one in line.outcomes(whole)] == [
        (0, "no end", ""),
        (-5, "two\n", "oops\n"),
    ]


def _answers(**printed: str) -> list[Outcome]:
    names = ("version", "account", "temp", "tools", "powershell")
    return [
        Outcome(command=command, exit_code=0, stdout=printed.get(name, ""), stderr="", seconds=0)
        for name, command in zip_longest(names, QUESTIONS, fillvalue="")
    ]


VERSION = (
    "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\n    CurrentBuild    REG_SZ    22631\n"
    "    CurrentBuildNumber    REG_SZ    9600\n    DisplayVersion    REG_SZ    23H2\n"
    "    EditionID    REG_SZ    Enterprise\n"
    "    ProductName    REG_SZ    Windows 10 Enterprise\n    UBR    REG_DWORD    0xfc5\n"
)


def test_facts_of_windows() -> None:
    """The build is CurrentBuild with UBR, never the CurrentBuildNumber that compatibility modes fake."""
    facts = read_facts(_answers(version=VERSION, temp="C:\\Temp\\\n", tools="curl\ncertutil\n"), machine="win-a")
    assert facts.build == Build(22631, 4037)
    assert facts.provenance == "Windows"
    assert not facts.is_lab
    assert facts.has == {"curl", "certutil"}
    assert facts.temp == r"C:\Temp"
    assert facts.as_text()["build"] == "22631.4037"


def test_a_lab_guest_says_that_it_is_wine() -> None:
    """Nothing from the lab can be taken for Windows."""
    facts = read_facts(_answers(version=VERSION + "    Wine    REG_SZ    8.0\n"), machine="win-a")
    assert facts.provenance == "Wine 8.0 presenting as 22631.4037"
    assert facts.is_lab


def test_a_guest_that_does_not_tell_its_build_is_not_taken_for_any() -> None:
    """Without a build there is no evidence."""
    with pytest.raises(GuestLost, match="does not tell its Windows build"):
        read_facts(_answers(version="ERROR: Access is denied.\n"), machine="win-a")
