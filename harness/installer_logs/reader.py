"""Reads any installer's log: tells its kind by its lines, and never raises for what it finds in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol

from harness.installer_logs import burn, inno, nsis
from harness.installer_logs.clock import TIME
from harness.installer_logs.lines import Lines, NotALog
from harness.installer_logs.plain import PlainLog
from harness.installer_logs.reading import LogReading, unreadable
from harness.installer_logs.windows_installer import WindowsInstallerLog

_UNDECIDED = 2_000  # lines that may come before the first one that tells the kind

_WINDOWS_INSTALLER = re.compile(
    r"=== (?:Verbose )?[Ll]ogging started|MSI \([a-zA-Z]\) \([0-9A-Fa-f]{2}[:!]|Property\([SCN]\): "
    rf"|Message type: \d+, Argument|[^\d:\[(]{{2,40}}? ?{TIME} ?[:\uff1a] ?\w{{2,72}}[.。]"
    r"|CustomAction \S+ returned actual error code"
)


class _Reader(Protocol):
    def feed(self, line: str, number: int) -> None: ...

    def reading(self) -> LogReading: ...


_KINDS: tuple[tuple[re.Pattern[str], Callable[[], _Reader]], ...] = (
    (burn.LINE, burn.BurnLog),
    (inno.LINE, inno.InnoLog),
    (_WINDOWS_INSTALLER, WindowsInstallerLog),
    (nsis.LINE, nsis.NsisLog),
)


def read_log(source: Path | BinaryIO | bytes | str, *, ansi: str = "cp1252") -> LogReading:
    """Read a log from a file, an open binary stream, or its content.

    The stream is read once and a piece at a time: 500 MB take less than 200 MB of memory. ``ansi`` is the code page of
    the Windows that wrote it, for logs that are neither UTF-16 nor UTF-8. Raises nothing for what is in the log: what
    cannot be read is a reading that says "unreadable, because ...", and damage is told beside what could be read.
    """
    if isinstance(source, str):
        source = source.encode("utf-8", "surrogatepass")
    if isinstance(source, bytes):
        return _read(BytesIO(source), ansi)
    if isinstance(source, Path):
        try:
            with source.open("rb") as stream:
                return _read(stream, ansi)
        except FileNotFoundError:
            return unreadable("there is no such file")
        except IsADirectoryError:
            return unreadable("it is a folder")
        except PermissionError:
            return unreadable("this account may not read it")
        except (OSError, ValueError) as error:
            return unreadable(f"it cannot be opened: {error}")
    return _read(source, ansi)


def _read(stream: BinaryIO, ansi: str) -> LogReading:
    lines = Lines(stream, ansi=ansi)
    numbered = enumerate(lines, 1)
    try:
        reader = _decided(numbered)
        feed = reader.feed
        for number, line in numbered:
            feed(line, number)
    except NotALog as error:
        return unreadable(str(error), encoding=lines.encoding, size=lines.size)
    reading = reader.reading()
    return replace(
        reading,
        encoding=lines.encoding,
        size=lines.size,
        lines=lines.count,
        damage=tuple(lines.damage()),
        truncated=reading.truncated or bool(lines.broken),
    )


def _decided(numbered: Iterator[tuple[int, str]]) -> _Reader:
    """Choose the reader by the first line that only one of them knows, and give it all lines up to there."""
    before: list[tuple[int, str]] = []
    reader: _Reader | None = None
    for number, line in numbered:
        before.append((number, line))
        reader = next((make() for pattern, make in _KINDS if pattern.match(line)), None)
        if reader is not None or number >= _UNDECIDED:
            break
    reader = reader or PlainLog()
    for number, line in before:
        reader.feed(line, number)
    return reader
