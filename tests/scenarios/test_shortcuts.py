"""Where shortcuts lead: the path that they hold, and nothing where they hold none."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from harness.expectations import Phase
from harness.guest.guest import Guest
from harness.guest.state import Entry, State
from harness.scenarios.shortcuts import leading_nowhere, target_of

MENU = r"C:\ProgramData\Microsoft\Windows\Start Menu\Programs"
EXE = r"C:\Program Files\Tool\tool.exe"


def shortcut(target: str, *, wide: bool = False, listed: bytes = b"", flags: int = 0x2) -> bytes:
    """Write a shortcut as [MS-SHLLINK] has it."""
    header = struct.pack("<I16sI", 76, b"\0" * 16, flags | (0x1 if listed else 0)).ljust(76, b"\0")
    items = struct.pack("<H", len(listed)) + listed if listed else b""
    narrow = target.encode("cp1252", "replace") + b"\0"
    start = 0x24 if wide else 0x1C
    text = narrow + (target.encode("utf-16-le") + b"\0\0" if wide else b"")
    info = struct.pack("<IIIIIII", start + len(text), start, 0x1, 0, start, 0, 0)
    info += struct.pack("<II", start + len(narrow), 0) if wide else b""
    return header + items + info + text


def test_the_path_that_a_shortcut_holds_is_read() -> None:
    """With a list of items before it or not, in letters of one code page or in Unicode."""
    assert target_of(shortcut(EXE)) == EXE
    assert target_of(shortcut(EXE, listed=b"items" * 9)) == EXE
    assert target_of(shortcut(r"C:\Programme\Größe 測量.exe", wide=True)) == r"C:\Programme\Größe 測量.exe"


def test_of_what_holds_no_certain_path_nothing_is_said() -> None:
    """An advertised shortcut, one in a code page that may be another's, one that is cut, what is none."""
    assert target_of(shortcut(EXE, flags=0x1000)) == ""
    assert target_of(shortcut(r"C:\Größe.exe")) == ""
    assert target_of(b"[InternetShortcut]\r\nURL=https://example.com") == ""
    whole = shortcut(EXE)
    assert [target_of(whole[:length]) for length in range(len(whole))] == [""] * len(whole)


@given(st.binary(max_size=200), st.sampled_from([b"", shortcut(EXE)[:76], shortcut(EXE, listed=b"i" * 9)[:80]]))
def test_any_bytes_are_read_without_an_error(content: bytes, start: bytes) -> None:
    """Counts and places in a shortcut are not believed."""
    assert isinstance(target_of(start + content), str)


class _Holding:
    """A guest that holds these files."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def fetch(self, path: str, here: Path) -> None:
        """Bring one."""
        here.write_bytes(self._files[path])


def test_only_new_shortcuts_to_what_is_not_there_are_named() -> None:
    """One that was there before is another's; what lies in folders that are not listed as a whole may be there."""
    files = {
        rf"{MENU}\Tool.lnk": shortcut(EXE),
        rf"{MENU}\Gone.lnk": shortcut(EXE.replace("tool.exe", "gone.exe")),
        rf"{MENU}\Editor.lnk": shortcut(r"C:\Windows\System32\notepad.exe"),
        rf"{MENU}\Old.lnk": shortcut(r"C:\Program Files\Old\old.exe"),
    }
    there = {path: Entry(1, "1") for path in (*files, EXE)}
    clean = State(account="a", files={rf"{MENU}\Old.lnk": Entry(1, "1")}, uninstall={})
    told: dict[str, Any] = {"clean": clean, "before": clean, "after": State(account="a", files=there, uninstall={})}
    found = list(leading_nowhere(cast(Guest, _Holding(files)), Phase(what="install", version="1", **told)))
    assert found == [(rf"{MENU}\Gone.lnk", r"C:\Program Files\Tool\gone.exe")]
