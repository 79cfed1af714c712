"""Where Windows lets programs hook in is read as people would say it."""

from __future__ import annotations

from harness.guest.outcome import Outcome
from harness.guest.state.hooks import HOOKS, NEXT_START

PRINTED = r"""
HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Session Manager
    BootExecute    REG_MULTI_SZ    autocheck autochk *
    PendingFileRenameOperations    REG_MULTI_SZ    \??\C:\A b\x.dll\0\0\??\C:\new.exe\0!\??\C:\old.exe\0*1\??\C:\z

HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Session Manager\Environment
"""


def test_what_waits_for_the_next_start_is_told_by_file_and_fate() -> None:
    """Windows keeps pairs: a file and its new name, or nothing where it is to go; marks before them are its own."""
    (area,) = (area for area in HOOKS if area.name == NEXT_START)
    found = area.read([Outcome(command=area.questions[0], exit_code=0, stdout=PRINTED, stderr="", seconds=0.0)])
    assert {thing.name: thing.facts["value"] for thing in found.values()} == {
        r"C:\A b\x.dll": "is removed",
        r"C:\new.exe": r"becomes C:\old.exe",
        r"C:\z": "is removed",
    }
