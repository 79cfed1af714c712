"""Registry paths that stand in any program are found, however wide its letters are and whatever comes behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.packages.plain_strings import FROM_START, MOST, Mentioned, paths_in, registry_paths

KEY = r"SOFTWARE\Microsoft\Windows Defender\Exclusions\Paths"


@pytest.mark.parametrize(
    "content",
    [
        b"\0" + KEY.encode() + b"\0next",
        b"x\0" + KEY.encode("utf-16-le") + b"\0\0y\0",
        b'{"key": "HKLM\\\\' + KEY.replace("\\", "\\\\").encode() + b'", "n": 1}',
        b"[HKLM\\" + KEY.encode() + b"]\r\n",
    ],
)
def test_a_path_is_found_as_compilers_and_scripts_write_it(content: bytes) -> None:
    """Ended by a zero, in two bytes a letter, with doubled backslashes, in brackets."""
    (found,) = paths_in(b"MZ\x90" + content)
    assert found.removeprefix("HKLM\\") == KEY


def test_what_runtimes_name_is_left_out_and_of_many_the_last_are_believed() -> None:
    """Each path is a question to the guest, before and after."""
    many = b"\0".join(b"Software\\Demo\\%d" % number for number in range(50))
    assert len(paths_in(many)) == MOST
    assert paths_in(b"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Time Zones\0") == frozenset()


def test_the_middle_of_a_big_file_is_not_read(tmp_path: Path) -> None:
    """What was hung on behind a program is, as far as a megabyte goes."""
    file = tmp_path / "setup.exe"
    file.write_bytes(
        b"MZ" + bytes(FROM_START) + b"Software\\Demo\\Middle\0" + bytes(2 << 20) + b"Software\\Demo\\End\0"
    )
    assert registry_paths(file) == {r"Software\Demo\End"}


def test_a_value_is_the_programs_where_its_name_stands_in_it(tmp_path: Path) -> None:
    """In any letters and with doubled backslashes; a name of a few letters stands in every program."""
    file = tmp_path / "setup.exe"
    file.write_bytes(b"MZ\0DemoHook\0" + b"C:\\\\Demo\\\\x" + b"\0" + "Breit".encode("utf-16-le") + b"\0\0Type\0")
    names = Mentioned(file)
    assert [name in names for name in ("demohook", r"c:\demo\x", "breit", "type", "another")] == [True] * 3 + [
        False
    ] * 2
