"""The part of a log that a reader needs: the lines that name the failure, and how the log ends."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from harness.results.text import clipped, decoded

_READ = 2_000_000  # bytes of a log that are looked at, from its end
_LINE = 400  # characters of one line
_TAIL = 8
# what Windows Installer, NSIS and people write where it went wrong; "Return value 3" marks the failing action
_TELLING = re.compile(r"return value 3\b|\berror\b|\bfailed\b|\bfatal\b|\bdenied\b|\bnot found\b", re.IGNORECASE)
_DECISIVE = re.compile(r"return value 3\b", re.IGNORECASE)


def told_lines(file: Path) -> tuple[int, ...]:
    """Tell at which lines of a log its reading, kept beside it, saw the failing action and the error; from 1."""
    beside = file.with_name(f"{file.name}.json")
    try:
        if beside.stat().st_size > _READ:
            return ()
        said = json.loads(beside.read_bytes())
        places = [said.get(name) for name in ("cause", "failed")]
        lines = [place.get("line") for place in places if isinstance(place, dict)]
    except (OSError, ValueError, AttributeError, RecursionError):
        return ()
    return tuple(line for line in lines if isinstance(line, int) and line > 0)


def excerpt(file: Path, most: int, decisive: Sequence[int] = ()) -> tuple[str, bool]:
    """Take what matters of a log file, at most about ``most`` characters; tell too whether that is all of it.

    ``decisive`` are lines that are known to matter, from 1; where none is, they are looked for.
    Gaps are marked with the number of lines left out. Raises OSError when the file cannot be read.
    """
    size = file.stat().st_size
    with file.open("rb") as log:
        head = log.read(2)
        log.seek(max(0, (size - _READ) // 2 * 2))
        content = log.read(_READ)
    if size > _READ and head in (b"\xff\xfe", b"\xfe\xff"):
        content = head + content
    text = decoded(content).strip("\r\n\0")
    if size <= _READ and len(text) <= most and all(len(line) <= _LINE for line in text.splitlines()):
        return text, True
    lines = [clipped(line.rstrip(), _LINE) for line in text.replace("\r\n", "\n").split("\n")]
    cut = f"… (the first {size - _READ:,} bytes are not looked at)\n" if size > _READ else ""
    return cut + _around(lines, most, () if cut else decisive), False


def _around(lines: list[str], most: int, known: Sequence[int]) -> str:
    """Choose lines in order of weight until the room is used, then put them back in their order."""
    decisive = [number - 1 for number in known]
    decisive += [number for number, line in enumerate(lines) if _DECISIVE.search(line)]
    telling = [number for number, line in enumerate(lines) if _TELLING.search(line)]
    wanted = [near for number in decisive[:4] for near in range(number - 6, number + 2)]
    wanted += range(len(lines) - _TAIL, len(lines))
    wanted += [near for number in telling[:20] for near in (number, number - 1, number + 1)]
    wanted += range(len(lines) - 4 * _TAIL, len(lines))
    chosen: set[int] = set()
    room = most
    for number in wanted:
        if 0 <= number < len(lines) and number not in chosen:
            room -= len(lines[number]) + 1
            if room < 0:
                break
            chosen.add(number)
    written: list[str] = []
    before = -1
    for number in [*sorted(chosen), len(lines)]:
        if number - before > 1:
            written.append(f"… ({number - before - 1:,} lines)")
        if number < len(lines):
            written.append(lines[number])
        before = number
    return "\n".join(written)
