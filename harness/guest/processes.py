"""Which programs run on a guest, by the names of their files."""

from __future__ import annotations

import csv
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.guest.guest import Guest

PROGRAMS = "tasklist /fo csv /nh"
"""The question whose answer `programs` reads."""

_NOT_FOUND = 128  # taskkill, where no process has this name (Microsoft's reference of taskkill; Wine's says the same)


def programs(listed: str) -> frozenset[str]:
    """Read the names of the files that run, in small letters: the first column, which is in no language."""
    return frozenset(row[0].lower() for row in csv.reader(listed.splitlines()) if len(row) > 1)


def answering(guest: Guest, names: Collection[str]) -> tuple[str, ...]:
    """Ask programs to close their windows, and tell which of them are there; for a guest that lists none.

    Who is not there is told by the exit code. To be asked when nothing can be disturbed any more.
    """
    wanted = sorted({name.lower() for name in names})
    answers = guest.run_each([f'taskkill /im "{name}"' for name in wanted]) if wanted else []
    return tuple(name for name, answer in zip(wanted, answers, strict=True) if answer.exit_code != _NOT_FOUND)
