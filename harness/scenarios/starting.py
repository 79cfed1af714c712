"""Why a program does not even start: Windows says that a DLL was not found, and not which."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import DeliveryFailed
from harness.exit_codes import signed
from harness.packages.program import read_program
from harness.packages.unreadable import Unreadable

if TYPE_CHECKING:
    from harness.guest.guest import Guest
    from harness.guest.outcome import Outcome

_DLL_NOT_FOUND = signed(0xC0000135)
_NOT_STARTED = (193, 216, 9009)  # of Windows for what is no program of its kind, and of cmd for what it cannot start
_SETS = ("api-ms-", "ext-ms-")  # names that Windows maps to DLLs of its own; no files
_PROGRAM = re.compile(r'\s*(?:"([A-Za-z]:\\[^"]+)"|([A-Za-z]:\\\S+))')


def what_is_missing(guest: Guest, outcome: Outcome, *, file: Path | None = None) -> str:
    """Say which DLLs the program of a command needs and the guest does not have, or that it is none; else nothing.

    ``file`` is the program itself where this machine has it; else it is fetched from the guest.
    """
    if outcome.exit_code in _NOT_STARTED and file is not None and file.suffix.lower() == ".exe":
        return _unlike_a_program(file)
    named = _PROGRAM.match(outcome.command)
    if signed(outcome.exit_code) != _DLL_NOT_FOUND or named is None:
        return ""
    program = named[1] or named[2]
    with tempfile.TemporaryDirectory(prefix="wincompat-") as scratch:
        try:
            if file is None:
                file = Path(scratch) / "program"
                guest.fetch(program, file)
            read = read_program(file)
        except (DeliveryFailed, Unreadable):
            return ""
    places = [program.rpartition("\\")[0], r"%SystemRoot%\SysWOW64" if read.machine == "x86" else _SYSTEM, _WINDOWS]
    needed = [name for name in read.imports if not name.startswith(_SETS)]
    asked = [f'if exist "{place}\\{name}" echo there' for name in needed for place in places]
    there = {answer.command.lower() for answer in guest.run_each(asked) if "there" in answer.stdout} if asked else set()
    missing = [name for name in needed if not any(f'\\{name}"' in command for command in there)]
    return f"it needs {', '.join(missing)}, which this Windows does not have" if missing else ""


def _unlike_a_program(file: Path) -> str:
    try:
        machine = read_program(file).machine
    except Unreadable as error:
        return str(error)
    return "" if machine in ("x86", "x64") else f"{file.name} is a program for {machine}"


_SYSTEM, _WINDOWS = r"%SystemRoot%\System32", "%SystemRoot%"
