"""What a compound file ([MS-CFB]) claims, held against what it holds, before a reader counts as far as it claims.

olefile follows chains of sectors for as many steps as a header or a directory entry says, and a chain may lead back to
its own beginning: a file of two thousand bytes could fill any memory. It also counts lists as far as they claim.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.packages.unreadable import Unreadable

_HEADER = 512
_NUMBERS_IN_SECTOR = 4  # bytes of a sector's number
_IS_LIST = 0x1000
BIGGEST_PROPERTIES = 1 << 16
"""Bytes of a property set; Windows Installer writes some hundred."""
MOST_PROPERTIES = 1_000


def refuse_false_header(file: Path, what: str) -> None:
    """Raise Unreadable where the header claims more sectors of bookkeeping than the file has in all.

    Offsets are those of [MS-CFB] 2.2. What is no compound file at all is left to the reader, who says so.
    """
    with file.open("rb") as stream:
        header = stream.read(_HEADER)
    if len(header) < _HEADER:
        return
    size = 1 << min(int.from_bytes(header[30:32], "little"), 31)
    sectors = -(-file.stat().st_size // size)
    # a sector of the table tells of so many others; some writers leave room for as many again
    table = 2 * (sectors // (size // _NUMBERS_IN_SECTOR) + 128) if size >= _HEADER else 0
    for name, at, most in (
        ("sector table", 44, table),
        ("table of small sectors", 64, sectors),
        ("list of tables", 72, sectors),
    ):
        claimed = int.from_bytes(header[at : at + 4], "little")
        if claimed > most:
            raise Unreadable(f"{file.name} is not {what}: its {name} claims {claimed:,} sectors")


def refuse_false_sizes(file: Path, ole: Any, what: str) -> None:
    """Raise Unreadable where an entry of the directory claims to be bigger than the file."""
    most = file.stat().st_size
    for entry in ole.direntries:
        if entry is not None and entry.size > most:
            raise Unreadable(f"{file.name} is not {what}: {entry.name!r} claims {entry.size:,} bytes of {most:,}")


def lists_fit(properties: bytes) -> bool:
    """Whether a property set ([MS-OLEPS]) is small, and its lists together have no more items than it has bytes."""

    def word(at: int) -> int:
        return int.from_bytes(properties[at : at + 4], "little")

    start = word(44)  # of the first section: its size, its number of properties, then their numbers and places
    count = min(word(start + 4), len(properties) // 8)
    if len(properties) > BIGGEST_PROPERTIES or count > MOST_PROPERTIES:
        return False
    places = (start + word(start + 12 + 8 * number) for number in range(count))
    return sum(word(place + 4) for place in places if word(place) & _IS_LIST) <= len(properties)
