"""The journal: one JSON line for each finished cell, on disk before the next begins. It is the truth of a run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from harness.errors import AuthoringError
from harness.results.result import Result

SCHEMA = 1


class Journal:
    """An append-only file of results; written by the controller alone, read by anyone at any time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, result: Result) -> None:
        """Write one result as a line and return when it is on the disk."""
        self.extend([result])

    def extend(self, results: Iterable[Result]) -> None:
        """Write results as lines and return when all are on the disk; raises OSError, and then none of them is."""
        lines = b"".join(map(_line, results))
        with self.path.open("ab", buffering=0) as file:
            end = file.tell()
            if end == 0:
                lines = json.dumps({"journal": "pytest-wincompat", "schema": SCHEMA}).encode() + b"\n" + lines
            elif not self._ends_with_a_line():
                lines = b"\n" + lines  # a torn line stays alone: it must not take this one with it
            try:
                rest = memoryview(lines)
                while rest:
                    rest = rest[file.write(rest) or 0 :]
                os.fsync(file.fileno())
            except OSError:
                with suppress(OSError):
                    file.truncate(end)  # a disk that was full in the middle of a line
                raise

    def _ends_with_a_line(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"


def _line(result: Result) -> bytes:
    # not model_dump_json: it refuses half characters, and writes what is no number as null, which cannot be read back
    text = json.dumps(result.model_dump(), ensure_ascii=False, default=str, separators=(",", ":"))
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a journal holds: results in the order their cells were first finished; ``left_out`` in sentences.

    ``earlier`` are results that a later one of the same cell replaced, ``damaged`` the number of lines that cannot be
    read.
    """

    results: tuple[Result, ...]
    left_out: tuple[str, ...]
    earlier: tuple[Result, ...] = ()
    damaged: int = 0


def read(path: Path) -> Reading:
    """Read a journal, also one that was torn by a crash, edited by hand or written twice.

    A missing journal is an empty one. Raises AuthoringError when the file cannot be read or a newer version wrote it.
    """
    found: dict[str, Result] = {}
    twice: list[str] = []
    earlier: list[Result] = []
    foreign: list[int] = []
    torn = False
    last = 0
    try:
        with path.open("rb") as file:
            for last, line in enumerate(file, start=1):
                if not line.strip() or _is_heading(line, path):
                    continue
                try:
                    result = Result.model_validate_json(line)
                except ValidationError:
                    torn = not line.endswith(b"\n")
                    if not torn:
                        foreign.append(last)
                    continue
                if result.cell in found:
                    earlier.append(found[result.cell])
                    if result.cell not in twice:
                        twice.append(result.cell)
                found[result.cell] = result
    except FileNotFoundError:
        return Reading((), (f"There is no journal ({path.name}): no cell has finished.",))
    except OSError as error:
        raise AuthoringError(f"{path}: cannot read the journal: {error.strerror}") from error
    left_out = tuple(_left_out(foreign, twice, last if torn else 0))
    return Reading(tuple(found.values()), left_out, tuple(earlier), len(foreign) + torn)


def _is_heading(line: bytes, path: Path) -> bool:
    if b'"schema"' not in line[:200]:
        return False
    try:
        heading = json.loads(line)
        schema = heading["schema"] if isinstance(heading, dict) and "journal" in heading else None
    except ValueError:
        return False
    if isinstance(schema, int) and schema > SCHEMA:
        raise AuthoringError(f"{path}: written by a newer version (schema {schema}, this one reads {SCHEMA}); update")
    return schema is not None


def _left_out(foreign: list[int], twice: list[str], torn: int) -> list[str]:
    sentences = []
    if torn:
        sentences.append(f"Line {torn} of the journal was cut off in the middle of writing and is left out.")
    if foreign:
        lines = ", ".join(map(str, foreign[:5])) + (f" and {len(foreign) - 5} more" if len(foreign) > 5 else "")
        subject, verb = (
            ("Line", "is not a result and is") if len(foreign) == 1 else ("Lines", "are not results and are")
        )
        sentences.append(f"{subject} {lines} of the journal {verb} left out.")
    if twice:
        cells = ", ".join(twice[:3]) + (f" and {len(twice) - 3} more" if len(twice) > 3 else "")
        sentences.append(f"The journal holds more than one result for {cells}; the last one counts.")
    return sentences
