"""The streams of a compound file ([MS-CFB]), by way of olefile: nothing is read before it is asked for.

olefile opens a package of a gigabyte in milliseconds; it would read a whole cabinet into memory, so streams are walked
sector by sector here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from harness.packages.msi.bounds import BIGGEST_PROPERTIES, lists_fit, refuse_false_header, refuse_false_sizes
from harness.packages.unreadable import Unreadable, reading

WHAT = "a Windows Installer package"
CHUNK = 1 << 20
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"


class CompoundFile:
    """An open compound file, used as ``with``; raises Unreadable where the file is none."""

    def __init__(self, file: Path) -> None:
        self._file = file
        with reading(file, WHAT):
            from olefile import OleFileIO

            refuse_false_header(file, WHAT)
            self._ole: Any = OleFileIO(str(file))  # its stubs leave out what its directory entries hold
            try:
                refuse_false_sizes(file, self._ole, WHAT)
            except Unreadable:
                self._ole.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ole.close()

    @property
    def root(self) -> Any:
        """The root of the directory, for what needs more than streams: a signature covers the directory, too."""
        return self._ole.root

    def streams(self) -> Mapping[str, int]:
        """Give the streams at the top by their name in clear, with their sizes in bytes."""
        with reading(self._file, WHAT):
            return {in_clear(entry.name): entry.size for entry in self._entries()}

    def read(self, name: str, *, at_most: int) -> bytes:
        """Read a stream; raises Unreadable where it is not there or holds more than ``at_most`` bytes."""
        with reading(self._file, WHAT):
            entry = next((one for one in self._entries() if in_clear(one.name) == name), None)
            if entry is None:
                raise Unreadable(f"{self._file.name} is not {WHAT}: it has no stream {name!r}")
            if entry.size > at_most:
                raise Unreadable(f"{self._file.name}: its stream {name!r} of {entry.size:,} bytes is too big")
            return b"".join(self.chunks(entry))

    def properties(self, name: str) -> Mapping[int, Any]:
        """Read a stream that is a property set, such as the summary information: property number to value."""
        with reading(self._file, WHAT):
            if not lists_fit(self.read(name, at_most=BIGGEST_PROPERTIES)):
                raise Unreadable(f"{self._file.name} is not {WHAT}: {name!r} claims more than it holds")
            found: dict[int, Any] = self._ole.getproperties(name, convert_time=False)
            return found

    def chunks(self, entry: Any) -> Iterator[bytes]:
        """Give a directory entry's bytes, a megabyte at a time however big it is."""
        if entry.is_minifat:
            # by entry, not by name: olefile takes names that differ by case for the same
            yield self._ole._open(entry.isectStart, entry.size).read()
            return
        size, sector, left, number = self._ole.sectorsize, b"", entry.size, entry.isectStart
        held: list[bytes] = []
        for _ in range(-(-entry.size // size)):
            sector = self._ole.getsect(number)[: min(size, left)]
            left -= len(sector)
            held.append(sector)
            if len(held) * size >= CHUNK:
                yield b"".join(held)
                held.clear()
            number = self._ole.fat[number]
        yield b"".join(held)

    def _entries(self) -> Iterator[Any]:
        from olefile import STGTY_STREAM

        return (entry for entry in self._ole.root.kids if entry.entry_type == STGTY_STREAM)


def in_clear(name: str) -> str:
    """Undo how Windows Installer packs stream names: two letters of a 64-letter alphabet to one character."""
    text = ""
    for code in map(ord, name):
        if 0x3800 <= code < 0x4800:
            text += _LETTERS[code - 0x3800 & 0x3F] + _LETTERS[code - 0x3800 >> 6]
        elif 0x4800 <= code < 0x4840:
            text += _LETTERS[code - 0x4800]
        else:
            text += "!" if code == 0x4840 else chr(code)
    return text
