"""The tables of a Windows Installer package, read without Windows: a compound file of column-wise tables.

Only what explains a failure is read from them. Layout: [MS-CFB] for the compound file; the tables and their string pool
are not documented by Microsoft, and are read as every free reader of MSI files does.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

_SIGNATURE = bytes.fromhex("d0cf11e0a1b11ae1")
_END = 0xFFFF_FFFA  # sector numbers from here on are marks, not sectors
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
_STRING, _KEY_OR_NULL = 0x0800, 0x7000
_BINARY = 0x0900

Row = dict[str, str | int | None]


class NotAPackage(ValueError):
    """The file is no Windows Installer package, or a damaged one."""


class MsiPackage:
    """A package's tables; raises NotAPackage where the file is none."""

    def __init__(self, file: Path) -> None:
        try:
            self._streams = dict(_streams(file.read_bytes()))
            self._strings, self._width = _string_pool(self._streams["!_StringPool"], self._streams["!_StringData"])
        except (OSError, KeyError, IndexError, struct.error) as error:
            raise NotAPackage(f"{file.name} is not a Windows Installer package") from error

    def rows(self, table: str) -> list[Row]:
        """Read a table's rows as column: value; a table that is not there has none."""
        columns = [
            (str(row["Name"]), int(row["Type"] or 0))
            for row in self._read("_Columns", [("Table", _STRING), ("Number", 2), ("Name", _STRING), ("Type", 2)])
            if row["Table"] == table
        ]
        return self._read(table, columns) if columns else []

    def _read(self, table: str, columns: list[tuple[str, int]]) -> list[Row]:
        stored = self._streams.get(f"!{table}", b"")
        widths = [self._bytes(kind) for _, kind in columns]
        count = len(stored) // sum(widths)
        rows: list[Row] = [{} for _ in range(count)]
        start = 0
        for (name, kind), width in zip(columns, widths, strict=True):
            for index, row in enumerate(rows):
                place = start + index * width
                row[name] = self._value(int.from_bytes(stored[place : place + width], "little"), kind, width)
            start += width * count
        return rows

    def _bytes(self, kind: int) -> int:
        if kind & ~_KEY_OR_NULL == _BINARY:
            return 2
        if kind & _STRING:
            return self._width
        return 2 if kind & 0xFF <= 2 else 4

    def _value(self, stored: int, kind: int, width: int) -> str | int | None:
        if kind & _STRING and kind & ~_KEY_OR_NULL != _BINARY:
            return self._strings.get(stored, "")
        return None if stored == 0 else stored - (0x8000 if width == 2 else 0x8000_0000)


def _streams(content: bytes) -> Iterator[tuple[str, bytes]]:
    if content[:8] != _SIGNATURE:
        raise KeyError("signature")
    sector, small = 1 << content[30], 1 << content[32]
    directory, cutoff, small_fat = (*struct.unpack_from("<I", content, 48), *struct.unpack_from("<2I", content, 56))
    fat_sectors = [number for number in struct.unpack_from("<109I", content, 76) if number < _END]
    (more,) = struct.unpack_from("<I", content, 68)
    while more < _END:  # packages above 7 MB list the rest of their allocation table in a chain of sectors
        listed = struct.unpack_from(f"<{sector // 4}I", content, (more + 1) * sector)
        fat_sectors += [number for number in listed[:-1] if number < _END]
        more = listed[-1]
    fat = [
        entry
        for number in fat_sectors
        for entry in struct.unpack_from(f"<{sector // 4}I", content, (number + 1) * sector)
    ]

    def chain(start: int, table: list[int]) -> Iterator[int]:
        for _ in range(len(table) + 1):
            if start >= _END:
                return
            yield start
            start = table[start]

    def read(start: int) -> bytes:
        return b"".join(content[(number + 1) * sector : (number + 2) * sector] for number in chain(start, fat))

    entries = read(directory)
    small_table = [number for (number,) in struct.iter_unpack("<I", read(small_fat))]
    small_content = read(struct.unpack_from("<I", entries, 116)[0])  # the first entry is the root, which owns it
    for place in range(0, len(entries), 128):
        length, kind = struct.unpack_from("<HB", entries, place + 64)
        start, size = struct.unpack_from("<IQ", entries, place + 116)
        if kind != 2:
            continue
        name = entries[place : place + max(length - 2, 0)].decode("utf-16-le", "replace")
        if size >= cutoff:
            if not _decoded(name).startswith("!"):
                continue  # cabinets and icons: not needed, and big
            yield _decoded(name), read(start)[:size]
        else:
            found = b"".join(small_content[n * small : (n + 1) * small] for n in chain(start, small_table))
            yield _decoded(name), found[:size]


def _decoded(name: str) -> str:
    """Undo how stream names are packed: two letters of a 64-letter alphabet to one character."""
    text = ""
    for code in map(ord, name):
        if 0x3800 <= code < 0x4800:
            text += _LETTERS[code - 0x3800 & 0x3F] + _LETTERS[code - 0x3800 >> 6]
        elif 0x4800 <= code < 0x4840:
            text += _LETTERS[code - 0x4800]
        else:
            text += "!" if code == 0x4840 else chr(code)
    return text


def _string_pool(pool: bytes, text: bytes) -> tuple[dict[int, str], int]:
    """Read the strings by number, and how many bytes a number takes in the tables."""
    words = [word for (word,) in struct.iter_unpack("<H", pool)]
    codepage, width = words[0], 3 if words[1] & 0x8000 else 2
    encoding = "utf-8" if codepage in (0, 65001) else f"cp{codepage}"
    strings, place, number, index = {}, 0, 1, 2
    while index + 1 < len(words):
        length, uses = words[index], words[index + 1]
        index += 2
        if length == 0 and uses:  # longer than 64 KB: the length stands in the next entry
            length = words[index] + (words[index + 1] << 16)
            index += 2
        try:
            strings[number] = text[place : place + length].decode(encoding, "replace")
        except LookupError:
            strings[number] = text[place : place + length].decode("cp1252", "replace")
        place += length
        number += 1
    return strings, width
