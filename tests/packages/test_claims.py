"""Counts and lengths that a file claims are held against the file before anything counts, unpacks or reads that far."""

from __future__ import annotations

import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from harness.installer_logs import read_log
from harness.packages import archive
from harness.packages.inspection import inspect
from harness.packages.msi import tables
from harness.packages.msi.bounds import lists_fit
from harness.packages.msi.tables import MsiPackage, NotAPackage
from tests.packages.wares import Bench

BOUND = 10 << 20  # bytes
SECTOR = 512


def said_of(content: bytes, file: Path) -> str:
    """Inspect a file with this content, and give the one thing that is said of it."""
    file.write_bytes(content)
    (found,) = inspect(file).findings
    assert found.code == "unreadable"
    return found.sentence


def entry_of(content: bytearray, name: str) -> int:
    """Find where the directory of a compound file speaks of a name."""
    return content.index(name.encode("utf-16-le") + b"\0\0")


@pytest.mark.parametrize(("at", "words"), [(44, "sector table"), (64, "small sectors"), (72, "list of tables")])
def test_a_header_that_claims_more_sectors_than_there_are(at: int, words: str, bench: Bench, tmp_path: Path) -> None:
    """Each table of a compound file that claims millions of sectors is damage, and no sector is followed for it."""
    made = bytearray(bench.clean.read_bytes())
    made[at : at + 4] = (0x0200_0000).to_bytes(4, "little")
    assert words in said_of(bytes(made), tmp_path / "damaged.msi")


def test_a_list_of_tables_that_leads_back_to_itself(bench: Bench, tmp_path: Path) -> None:
    """A list of tables in a circle, with a length to match, ends at once: olefile would fill any memory."""
    made = bytearray(bench.clean.read_bytes())
    circle = len(made) // SECTOR - 1  # the number of the sector that is appended
    made += bytes(-len(made) % SECTOR) + struct.pack("<I", 0) * 127 + struct.pack("<I", circle)
    struct.pack_into("<I", made, 44, 127 * 0x10000 + 109)
    struct.pack_into("<II", made, 68, circle, 0x10000)
    assert "claims" in said_of(bytes(made), tmp_path / "damaged.msi")


def test_an_entry_that_claims_to_be_bigger_than_the_file(bench: Bench, tmp_path: Path) -> None:
    """A stream of two thousand million bytes in a small file is damage: its sectors may lead in a circle."""
    made = bytearray(bench.clean.read_bytes())
    struct.pack_into("<I", made, entry_of(made, "\x05SummaryInformation") + 120, 0x7FFF_FFFF)
    assert "claims 2,147,483,647 bytes" in said_of(bytes(made), tmp_path / "damaged.msi")


def test_lists_that_share_their_place_are_counted_each() -> None:
    """Many properties that point to one list, each within bounds, are together more than the set holds."""
    count, size = 400, 3_000
    section = struct.pack("<II", size, count) + b"".join(
        struct.pack("<II", number, 8 + 8 * count) for number in range(count)
    )
    listed = section + struct.pack("<II", 0x1000 | 30, 1_000)
    whole = bytes(44) + struct.pack("<I", 48) + listed + bytes(size)
    assert not lists_fit(whole)
    assert lists_fit(whole.replace(struct.pack("<II", 0x1000 | 30, 1_000), struct.pack("<II", 0x1000 | 30, 2)))


def test_a_table_of_too_many_rows_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table with more rows than any package has is refused before each becomes an object."""
    monkeypatch.setattr(tables, "_MOST", 3)
    with pytest.raises(NotAPackage, match=r"too many strings|too big"):
        MsiPackage(bench.clean)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_is_packed_unusually_is_said_and_not_unpacked(method: int, tmp_path: Path) -> None:
    """A member that a few bytes may make any memory full of is named, and its like of the usual kind read in pieces."""
    packed = tmp_path / "demo.zip"
    with zipfile.ZipFile(packed, "w", method) as written, written.open("demo.exe", "w") as member:
        for _ in range(20):
            member.write(bytes(1 << 20))
    tracemalloc.start()
    try:
        codes = [found.code for found in inspect(packed).findings]
        assert tracemalloc.get_traced_memory()[1] < BOUND
    finally:
        tracemalloc.stop()
    assert codes == ["zip-packed-unusually"]


def test_an_archive_that_never_ends_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What unpacks to more than any product has is refused, and not unpacked to its end."""
    monkeypatch.setattr(archive, "MOST_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "demo.zip", "w", zipfile.ZIP_DEFLATED) as written:
        for number in range(4):
            written.writestr(f"{number}.txt", bytes(1 << 19))
    (found,) = inspect(tmp_path / "demo.zip").findings
    assert found.code == "unreadable"


def test_a_long_list_of_members_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive whose list of members is longer than any product's is refused by the length of that list."""
    with zipfile.ZipFile(tmp_path / "demo.zip", "w") as written:
        for number in range(30):
            written.writestr(f"{number}.txt", b"")
    monkeypatch.setattr(archive, "MOST_MEMBERS", 2)
    (found,) = inspect(tmp_path / "demo.zip").findings
    assert "list of members" in found.sentence


def test_a_log_that_asks_for_restarts_for_ever_is_read_in_bounds() -> None:
    """Of wishes for a restart a few hundred are kept, however many a log of Inno Setup holds."""
    line = "2026-11-20 10:00:01.123   Need to restart Windows? Yes\n"
    assert len(read_log(line * 3_000).reboots) <= 200
