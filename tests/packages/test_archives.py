"""ZIPs: names that Windows cannot or should not unpack, and programs that lack what they need."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.builds import Build
from harness.packages.inspection import inspect
from tests.packages.tiny_program import ARM64, tiny_program

PROGRAM = tiny_program()


def zipped(file: Path, members: Mapping[str, bytes]) -> Path:
    """Write an archive; zipfile itself warns of names that are there twice, so they are not."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo("x")
            entry.filename = entry.orig_filename = name
            archive.writestr(entry, content)
    return file


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../evil.txt", "zip-slip"),
        ("demo/../../evil.txt", "zip-slip"),
        ("/evil.txt", "zip-slip"),
        (r"..\evil.txt", "zip-slip"),
        (r"demo\..\..\evil.txt", "zip-slip"),
        ("demo/aux.txt", "zip-unwritable-name"),
        ("demo/COM1", "zip-unwritable-name"),
        ("nul/demo.txt", "zip-unwritable-name"),
        ("demo/what?.txt", "zip-unwritable-name"),
        ("demo/dot.", "zip-unwritable-name"),
        ("demo/end\0.txt", "zip-unwritable-name"),
        ("demo/space ", "zip-unwritable-name"),
        ("BIN/Demo.EXE", "zip-names-collide"),
        ("/".join(["long"] * 50), "zip-path-too-long"),
    ],
)
def test_a_name_that_windows_cannot_take_is_found(name: str, code: str, tmp_path: Path) -> None:
    """Each kind of bad name draws its own finding beside a good program."""
    package = zipped(tmp_path / "demo.zip", {"bin/demo.exe": PROGRAM, name: PROGRAM})
    assert {found.code for found in inspect(package).findings} == {code}


def test_a_drive_in_a_name_is_found(tmp_path: Path) -> None:
    """A drive letter leads out of the folder, and no file can be called so."""
    package = zipped(tmp_path / "demo.zip", {"bin/demo.exe": PROGRAM, "C:/Windows/evil.dll": PROGRAM})
    assert {found.code for found in inspect(package).findings} == {"zip-slip", "zip-unwritable-name"}


@pytest.mark.parametrize(
    "name", ["bin/console.txt", "auxiliary/x", "com.txt", "lpt10", "a..b/c", ".hidden", "name with space"]
)
def test_a_name_that_only_looks_bad_is_let_pass(name: str, tmp_path: Path) -> None:
    """Names that merely begin like a device are good names."""
    package = zipped(tmp_path / "demo.zip", {"bin/demo.exe": PROGRAM, name: b"text"})
    assert inspect(package).findings == ()


def test_a_link_is_found(tmp_path: Path) -> None:
    """A symbolic link needs a right to be made, and can lead anywhere."""
    with zipfile.ZipFile(tmp_path / "demo.zip", "w") as archive:
        archive.writestr("demo.exe", PROGRAM)
        link = zipfile.ZipInfo("other.exe")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "demo.exe")
    assert "zip-links" in {found.code for found in inspect(tmp_path / "demo.zip").findings}


def test_a_broken_member_is_found(tmp_path: Path) -> None:
    """A flipped bit in a member is found by its checksum before a machine is touched."""
    package = zipped(tmp_path / "demo.zip", {"demo.exe": PROGRAM, "text": b"text" * 1000})
    content = bytearray(package.read_bytes())
    content[60] ^= 0xFF
    package.write_bytes(content)
    (found,) = inspect(package).findings
    assert (found.code, found.subject) == ("zip-broken-member", "demo.exe")


def test_an_encrypted_member_is_found(tmp_path: Path) -> None:
    """Nobody is there to give a password."""
    content = zipped(tmp_path / "demo.zip", {"demo.exe": PROGRAM}).read_bytes()
    # the flag stands in the member's own header and in the list at the end
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.index(mark) + offset
        content = content[:place] + b"\x01" + content[place + 1 :]
    (tmp_path / "demo.zip").write_bytes(content)
    assert {one.code for one in inspect(tmp_path / "demo.zip").findings} == {"zip-encrypted"}


def test_programs_inside_are_looked_into(tmp_path: Path) -> None:
    """A DLL that the archive brings is not missing; one that it does not is, and so is another processor's program."""
    needs = tiny_program(imports=["vcruntime140.dll", "demo.dll"])
    builds = (Build(22631),)
    package = zipped(tmp_path / "good.zip", {"demo.exe": needs, "VCRUNTIME140.dll": tiny_program(dll=True)})
    assert inspect(package, builds=builds).findings == ()
    package = zipped(tmp_path / "bad.zip", {"demo.exe": needs, "arm/demo.exe": tiny_program(machine=ARM64)})
    assert {found.code for found in inspect(package, builds=builds).findings} == {
        "needs-missing-dll",
        "other-architecture",
    }


def test_a_program_that_is_none_is_found(tmp_path: Path) -> None:
    """What is called a program and is none, or is cut off, is noticed before somebody starts it."""
    package = zipped(tmp_path / "demo.zip", {"demo.exe": PROGRAM, "text.dll": b"text", "half.dll": PROGRAM[:-100]})
    found = {one.subject: one.code for one in inspect(package).findings}
    assert found == {"text.dll": "member-no-program", "half.dll": "cut-off"}


def test_a_zip_without_anything_to_run_is_noted(tmp_path: Path) -> None:
    """A product of which nothing can be started is worth a note."""
    package = zipped(tmp_path / "texts.zip", {"read.me": b"text"})
    assert [found.code for found in inspect(package).findings] == ["zip-nothing-to-run"]


def test_an_archive_without_a_file_is_found(tmp_path: Path) -> None:
    """Nothing, and nothing but folders: neither installs anything."""
    for members in ({}, {"bin/": b""}):
        found, *_ = inspect(zipped(tmp_path / "demo.zip", members)).findings
        assert (found.code, found.subject) == ("zip-without-files", "demo.zip")
