"""Which programs run on a guest, by the names of their files."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from harness.guest.tasklist import PROGRAMS, programs

if TYPE_CHECKING:
    from harness.guest.guest import Guest

# NSIS runs Au_.exe, Un_A.exe or Un.exe in the folder for temporary files, by its version; Inno Setup _iu14D2N.tmp
_UNINSTALLER = re.compile(r"(?:au|un)(?:_.*)?\.exe|_iu.*\.tmp|_?unins.*\.(?:exe|tmp)")
_NOT_FOUND = 128  # taskkill, where no process has this name (Microsoft's reference of taskkill; Wine's says the same)


def running(guest: Guest) -> frozenset[str]:
    """Name the programs that run, in small letters.

    A guest whose tasklist tells nothing is asked by wmic, which newer Windows do not have any more; what neither tells
    is not there.
    """
    if found := programs(guest.ask(PROGRAMS).stdout):
        return found
    listed = guest.ask("wmic process get Name").stdout.replace("\0", "")
    return frozenset(line.strip().lower() for line in listed.splitlines())


def uninstallers(guest: Guest) -> list[str]:
    """Name the programs that run and are, by their names, uninstallers or copies that these make of themselves."""
    return sorted(name for name in running(guest) if _UNINSTALLER.fullmatch(name))


def answering(guest: Guest, names: Collection[str]) -> tuple[str, ...]:
    """Ask programs to close their windows, and tell which of them are there; for a guest that lists none.

    Who is not there is told by the exit code. To be asked when nothing can be disturbed any more.
    """
    wanted = sorted({name.lower() for name in names})
    answers = guest.run_each([f'taskkill /im "{name}"' for name in wanted]) if wanted else []
    return tuple(name for name, answer in zip(wanted, answers, strict=True) if answer.exit_code != _NOT_FOUND)
