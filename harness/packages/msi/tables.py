"""The tables of a Windows Installer package: column-wise arrays of numbers that point into one pool of strings.

Microsoft does not document the layout; it is read as every free reader of MSI files does.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.packages.msi.compound import WHAT, CompoundFile
from harness.packages.unreadable import Unreadable, reading

_STRING, _KEY_OR_NULL, _BINARY = 0x0800, 0x7000, 0x0900
_COLUMNS = (("Table", _STRING), ("Number", 2), ("Name", _STRING), ("Type", 2))
_BIGGEST = 64 << 20  # bytes of tables; the biggest real packages stay below a tenth of it
_MOST = 500_000  # rows of a table, and strings: as Python keeps them, each takes many times its bytes

Row = Mapping[str, str | int | None]


class NotAPackage(Unreadable):
    """The file is no Windows Installer package, or a damaged one."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The summary information that the installer goes by, with the names that MSI gives the fields.

    ``template``: platforms and languages, ``x64;1033``. ``words``: bit 2 (value 8) says that no elevation is needed.
    ``schema``: the Windows Installer version needed, 300 for 3.0. ``package_code``: unlike for every build.
    """

    template: str = ""
    package_code: str = ""
    words: int = 0
    schema: int = 0

    @property
    def platform(self) -> str:
        """The first part of the template, such as Intel, x64 or Arm64; an empty one means Intel."""
        return self.template.partition(";")[0].partition(",")[0].strip() or "Intel"


class MsiPackage:
    """A package's tables, its summary and its streams; raises NotAPackage where the file is none."""

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            with CompoundFile(file) as compound, reading(file, WHAT):
                self.streams = compound.streams()
                wanted = [name for name in self.streams if name.startswith("!")]
                if sum(self.streams[name] for name in wanted) > _BIGGEST:
                    raise Unreadable(f"{file.name}: its tables are too big to be a package's")
                held = {name[1:]: compound.read(name, at_most=_BIGGEST) for name in wanted}
                self._strings, self._width = _pool(held.pop("_StringPool"), held.pop("_StringData"))
                self._stored = held
                self._rows: dict[str, Sequence[Row]] = {}
                self._columns = self._read_columns()
                self.summary = _summary(compound) if "\x05SummaryInformation" in self.streams else Summary()
        except Unreadable as error:
            raise NotAPackage(str(error)) from error

    @property
    def tables(self) -> frozenset[str]:
        """The tables that hold rows."""
        return frozenset(self._stored) & frozenset(self._columns)

    def rows(self, table: str) -> Sequence[Row]:
        """Read a table's rows as column: value; a table that is not there has none."""
        if table not in self._rows:
            self._rows[table] = self._read(table, self._columns.get(table, ()))
        return self._rows[table]

    def binary(self, name: str, *, at_most: int) -> bytes:
        """Read what the Binary table holds under a name; empty where it has none or more than ``at_most`` bytes."""
        stream = f"!Binary.{name}" if f"!Binary.{name}" in self.streams else f"Binary.{name}"
        if not 0 < self.streams.get(stream, 0) <= at_most:
            return b""
        try:
            with CompoundFile(self.file) as compound:
                return compound.read(stream, at_most=at_most)
        except Unreadable as error:
            raise NotAPackage(str(error)) from error

    def _read_columns(self) -> dict[str, list[tuple[str, int]]]:
        columns: dict[str, list[tuple[str, int]]] = {}
        for row in sorted(self._read("_Columns", _COLUMNS), key=lambda row: number(row, "Number")):
            columns.setdefault(text(row, "Table"), []).append((text(row, "Name"), number(row, "Type")))
        return columns

    def _read(self, table: str, columns: Sequence[tuple[str, int]]) -> Sequence[Row]:
        stored = self._stored.get(table, b"")
        widths = [self._bytes(kind) for _, kind in columns]
        count = len(stored) // sum(widths) if widths else 0
        if count > _MOST:
            raise NotAPackage(f"{self.file.name}: its table {table} is too big to be a package's")
        start, values = 0, []
        for (_, kind), width in zip(columns, widths, strict=True):
            values.append(self._values(stored[start : start + width * count], kind, width))
            start += width * count
        names = [name for name, _ in columns]
        return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]

    def _bytes(self, kind: int) -> int:
        if kind & ~_KEY_OR_NULL == _BINARY:
            return 2
        if kind & _STRING:
            return self._width
        return 2 if kind & 0xFF <= 2 else 4

    def _values(self, stored: bytes, kind: int, width: int) -> list[str | int | None]:
        numbers: Iterable[int]
        if width == 3:
            numbers = (int.from_bytes(stored[place : place + 3], "little") for place in range(0, len(stored), 3))
        else:
            numbers = (one for (one,) in struct.iter_unpack("<H" if width == 2 else "<I", stored))
        if kind & _STRING and kind & ~_KEY_OR_NULL != _BINARY:
            return [self._strings.get(one, "") for one in numbers]
        offset = 0x8000 if width == 2 else 0x8000_0000
        return [None if one == 0 else one - offset for one in numbers]


def text(row: Row, column: str) -> str:
    """Read a text; empty where there is none or no such column."""
    value = row.get(column)
    return value if isinstance(value, str) else ""


def number(row: Row, column: str) -> int:
    """Read a number; 0 where there is none or no such column."""
    value = row.get(column)
    return value if isinstance(value, int) else 0


def _summary(compound: CompoundFile) -> Summary:
    found = compound.properties("\x05SummaryInformation")

    def words(place: int) -> str:
        value = found.get(place, b"")
        return value.decode("cp1252", "replace").rstrip("\0") if isinstance(value, bytes) else str(value or "")

    def count(place: int) -> int:
        value = found.get(place, 0)
        return value if isinstance(value, int) else 0

    return Summary(template=words(7), package_code=words(9), words=count(15), schema=count(14))


def _pool(pool: bytes, letters: bytes) -> tuple[dict[int, str], int]:
    """Read the strings by number, and how many bytes a number takes in the tables."""
    words = [word for (word,) in struct.iter_unpack("<H", pool[: len(pool) & ~1])]
    codepage, width = words[0], 3 if words[1] & 0x8000 else 2
    encoding = _encoding(codepage)
    strings, place, reference, index = {}, 0, 1, 2
    if len(words) > 2 * _MOST:
        raise Unreadable("it has too many strings to be a package's")
    while index + 1 < len(words):
        length, uses = words[index], words[index + 1]
        index += 2
        if length == 0 and uses:  # longer than 64 KB: the length stands in the next entry
            length = words[index] + (words[index + 1] << 16)
            index += 2
        strings[reference] = letters[place : place + length].decode(encoding, "replace")
        place += length
        reference += 1
    return strings, width


def _encoding(codepage: int) -> str:
    name = "utf-8" if codepage in (0, 65001) else f"cp{codepage}"
    try:
        b"".decode(name)
    except LookupError:
        return "cp1252"
    return name
