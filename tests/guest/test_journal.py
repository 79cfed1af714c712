"""Files since a place in the file system's own journal: only folders with changes are listed anew."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from harness.guest.outcome import Outcome
from harness.guest.state.journal import Place, files_since, read_folders, read_place
from harness.guest.state.listing import Entry

ENGLISH = """Usn Journal ID   : 0x01dc84b0d77fa447
First Usn        : 0x0000000000000000
Next Usn         : 0x0000000004a0b8f0
Lowest Valid Usn : 0x0000000000000000
Max Usn          : 0x7fffffffffff0000
"""
COLUMNS = (
    "Usn,File name,File name length,Reason #,Reason,Time stamp,File attributes #,File attributes,"
    "File ID,Parent file ID,Source info #,Source info,Security ID,Major version,Minor version,Record length"
)
ROOTS = ("C:\\Program Files", "C:\\*")
BACKSLASH = "\\"
START = Place(7, 100)


def _said(command: str, stdout: str, exit_code: int = 0) -> Outcome:
    return Outcome(command=command, exit_code=exit_code, stdout=stdout, stderr="", seconds=0)


def _record(name: str, folder: int) -> str:
    quoted = name.replace('"', '""')
    parent = f"{folder:032x}"
    return f'120,"{quoted}",20,0x80000001,"x | y","22.11.2026 1:00",0x20,"A",{9:032x},{parent},0x0,"*NONE*",0,3,0,96'


@dataclass
class Disk:
    """An NTFS as fsutil and dir show it: ``files`` by path, None for a folder; ``numbers`` of folders."""

    files: dict[str, int | None]
    numbers: dict[str, int] = field(default_factory=dict)
    records: list[tuple[str, str]] = field(default_factory=list)
    journal: int = 7
    asked: list[str] = field(default_factory=list)

    def ask(self, commands: Sequence[str]) -> list[Outcome]:
        """Answer as cmd would."""
        self.asked += commands
        return [_said(command, self._answer(command)) for command in commands]

    def _answer(self, command: str) -> str:
        if "readjournal" in command:
            rows = [_record(name, self._number(folder)) for name, folder in self.records]
            return "\n".join([f"Journal : 0x{self.journal:x}", "Next : 900", "", COLUMNS, *rows]) + "\n"
        if "queryjournal" in command:
            return f"A : 0x{self.journal:x}\nB : 0x0\nC : 0x384\n"
        if found := re.search(r"ById \S+ 0x(\w+)", command):
            path = next((path for path, number in self.numbers.items() if number == int(found[1], 16)), None)
            if path is None or (path != "C:" and path not in self.files):
                return "Error:  The parameter is incorrect."
            named = path + BACKSLASH if path == "C:" else path
            return f"A random link name to this file is \\\\?\\{named}\n"
        if command.startswith("echo "):
            return command[5:] + "\n"
        found = re.fullmatch(r'dir (/s )?/a /-c "(.*)\\"', command)
        assert found, command
        return self._listing(found[2], deep=bool(found[1]))

    def _number(self, folder: str) -> int:
        return self.numbers.setdefault(folder, 0x5000000000000 + len(self.numbers))

    def _listing(self, folder: str, *, deep: bool) -> str:
        lines = [f" Directory of {folder}", "", "11/22/2026  02:59 AM    <DIR>          ."]
        inside = [path for path in self.files if path.rpartition("\\")[0] == folder]
        for path in inside:
            size = self.files[path]
            shown = "   <DIR>          " if size is None else f"{size:>17} "
            lines.append(f"11/22/2026  02:59 AM {shown}{path.rpartition(BACKSLASH)[2]}")
        text = "\n".join(lines) + "\n\n"
        below = [self._listing(path, deep=True) for path in inside if self.files[path] is None] if deep else []
        return text + "".join(below)


def _known(disk: Disk) -> dict[str, Entry]:
    return {path: Entry(size, "11/22/2026  02:59 AM") for path, size in disk.files.items()}


@pytest.fixture
def disk() -> Disk:
    """Make a disk with two programs."""
    folders = ("C:\\Program Files", "C:\\Program Files\\Old", "C:\\Program Files\\Other")
    files = {f"{folders[1]}\\old.exe": 10, f"{folders[2]}\\other.dll": 20, "C:\\top.txt": 3}
    return Disk({**dict.fromkeys(folders), **files})


def test_a_place_is_read_in_any_language() -> None:
    """The first number is the journal's own, the third is the next record's; without a journal there is no place."""
    assert read_place(_said("", ENGLISH)) == Place(0x01DC84B0D77FA447, 0x4A0B8F0)
    assert read_place(_said("", ENGLISH.replace("Next Usn ", "Nächste USN"))) == read_place(_said("", ENGLISH))
    assert read_place(_said("", "- Supported Commands -\n\nhardlink      hardlink management\n")) is None
    assert read_place(_said("", "Error:  The volume change journal is not active.", 1)) is None


def test_folders_are_read_whatever_the_name_and_the_version() -> None:
    """A name with commas and quotes is one field, and older versions have fewer columns."""
    older = f'120,"a, ""b"".txt",20,0x100,22.11.2026,0x20,{9:016x},{5:016x},0x0,0,2,0,96'
    assert read_folders("\n".join(["Journal : 0x1", COLUMNS, _record('x, "y"', 0xABC), older])) == {"abc", "5"}
    assert read_folders("120,broken record\n") is None


def test_nothing_changed_lists_nothing(disk: Disk) -> None:
    """Without records the files are what was known, and no folder is listed."""
    assert files_since(START, _known(disk), ROOTS, disk.ask) == _known(disk)
    assert not any(command.startswith("dir") for command in disk.asked)


def test_only_folders_with_changes_are_listed(disk: Disk) -> None:
    """Added, changed and removed files are seen where they are; other folders are not touched."""
    known = _known(disk)
    disk.files["C:\\Program Files\\Old\\new.exe"] = 7
    disk.files["C:\\Program Files\\Old\\old.exe"] = 11
    del disk.files["C:\\top.txt"]
    disk.records = [("new.exe", "C:\\Program Files\\Old"), ("top.txt", "C:")]
    assert files_since(START, known, ROOTS, disk.ask) == _known(disk)
    assert [one for one in disk.asked if one.startswith("dir")] == [
        'dir /a /-c "C:\\Program Files\\Old\\"',
        'dir /a /-c "C:\\"',
    ]


def test_a_folder_that_went_takes_its_content_along(disk: Disk) -> None:
    """What was below a removed folder is gone, though only the folder above it has a record that can be named."""
    known = _known(disk)
    for path in [path for path in disk.files if path.startswith("C:\\Program Files\\Old")]:
        del disk.files[path]
    disk.records = [("old.exe", "C:\\Program Files\\Old"), ("Old", "C:\\Program Files")]
    assert files_since(START, known, ROOTS, disk.ask) == _known(disk)


def test_a_folder_that_was_moved_here_is_listed_with_all_below_it(disk: Disk) -> None:
    """A renamed folder has one record, and its content none."""
    known = _known(disk)
    new = "C:\\Program Files\\New"
    disk.files |= {new: None, f"{new}\\deep": None, f"{new}\\deep\\a.exe": 1}
    disk.records = [("New", "C:\\Program Files")]
    assert files_since(START, known, ROOTS, disk.ask) == _known(disk)


def test_a_change_elsewhere_is_none(disk: Disk) -> None:
    """Folders that no state looks at are not listed."""
    known = _known(disk)
    disk.files |= {"C:\\Windows": None, "C:\\Windows\\x.log": 1}
    del disk.files["C:\\Windows"]
    disk.numbers["C:\\Windows\\Logs"] = 0x77
    disk.records = [("x.log", "C:\\Windows\\Logs")]
    assert files_since(START, known, ROOTS, disk.ask) == known


def test_another_journal_or_too_many_changes_ask_for_everything(disk: Disk) -> None:
    """Where the journal cannot answer, nothing is guessed."""
    disk.journal = 8
    assert files_since(START, _known(disk), ROOTS, disk.ask) is None
    disk.journal = 7
    disk.records = [("x", f"C:\\{number}") for number in range(500)]
    assert files_since(START, _known(disk), ROOTS, disk.ask) is None
