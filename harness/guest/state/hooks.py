r"""Where Windows lets programs hook into itself and into others: menus of the shell, COM classes, its start.

Nothing here is looked at in the middle of a scenario. The places are those of Microsoft's "Registering Shell Extension
Handlers", "CLSID Key", "AppInit DLLs and Secure Boot", "GFlags and PageHeap" and "Run and RunOnce Registry Keys".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from itertools import zip_longest

from harness.guest.outcome import Outcome
from harness.guest.registry import query, read_keys
from harness.guest.state.areas import Area, Things, read_subkeys, read_trees, read_values
from harness.guest.state.things import Thing

_CURRENT = r"Microsoft\Windows\CurrentVersion"
_CERTIFICATES = r"Microsoft\SystemCertificates\Root\Certificates"
_NT = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
_SHELL = ("*", "Directory")
_OPTIONS = "Image File Execution Options"
_HOOKS = ("shell", "userinit", "taskman", "appinit_dlls", "loadappinit_dlls", "load", "run")
"""Values by which something starts with Windows or in every program; the others of these keys change at each log-on."""


def _under(top: str) -> Callable[[Sequence[Outcome]], Things]:
    r"""Make a reader that names keys by where they are below a key: ``*\shellex\ContextMenuHandlers\7-Zip``."""

    def read(answers: Sequence[Outcome]) -> Things:
        marker = f"\\{top}\\".casefold()
        return {
            key: Thing(thing.at[thing.at.casefold().find(marker) + len(marker) :], thing.facts, thing.at)
            for key, thing in read_trees(answers).items()
        }

    return read


def _only(names: Collection[str]) -> Callable[[Sequence[Outcome]], Things]:
    """Make a reader that keeps values of these names."""

    def read(answers: Sequence[Outcome]) -> Things:
        return {key: thing for key, thing in read_values(answers).items() if thing.name.casefold() in names}

    return read


def _debuggers(answers: Sequence[Outcome]) -> Things:
    """Programs in whose place another one is started."""
    return {
        key.casefold(): Thing(f"{_OPTIONS}\\{key.rpartition(_OPTIONS)[2].strip(chr(92))}", {"debugger": set_.text}, key)
        for answer in answers
        for key, found in read_keys(answer.stdout).items()
        if (set_ := found.get("debugger"))
    }


def _at_the_next_start(answers: Sequence[Outcome]) -> Things:
    r"""Files that Windows is to remove or rename when it starts next: pairs of names, the second empty or the new one.

    ``reg`` prints the list in one line, a ``\0`` written out between its entries (Microsoft: MoveFileEx).
    """
    asked = [
        value.text
        for answer in answers
        for values in read_keys(answer.stdout).values()
        for name, value in values.items()
        if name == "pendingfilerenameoperations"
    ]
    found: Things = {}
    for text in asked:
        entries = [re.sub(r"^!?\*?\d*\\\?\?\\", "", entry) for entry in text.split(r"\0")]
        for path, becomes in zip_longest(entries[::2], entries[1::2], fillvalue=""):
            if path:
                found[path.casefold()] = Thing(path, {"value": f"becomes {becomes}" if becomes else "is removed"})
    return found


NEXT_START = "work for the next start"

HOOKS: tuple[Area, ...] = (
    Area(
        "shell extension",
        "machine",
        tuple(query(rf"HKLM\SOFTWARE\Classes\{kind}", "/s") for kind in _SHELL),
        _under("Classes"),
    ),
    Area(
        "shell extension",
        "user",
        (query(r"HKCU\SOFTWARE\Classes\*", "/s"),),
        _under("Classes"),
    ),
    Area("COM class", "machine", (query(r"HKLM\SOFTWARE\Classes\CLSID"),), read_subkeys),
    Area("run entry", "machine", (query(rf"HKLM\SOFTWARE\Wow6432Node\{_CURRENT}\RunOnce"),), read_values),
    Area("Windows setting", "machine", (query(rf"HKLM\SOFTWARE\{_CURRENT}\Policies", "/s"),), read_values),
    Area("Windows setting", "user", (query(rf"HKCU\SOFTWARE\{_CURRENT}\Policies", "/s"),), read_values),
    Area("app path", "user", (query(rf"HKCU\SOFTWARE\{_CURRENT}\App Paths", "/s"),), read_trees),
    Area("certificate", "user", (query(rf"HKCU\SOFTWARE\{_CERTIFICATES}"),), read_subkeys),
    Area("policy", "user", (query(r"HKCU\SOFTWARE\Policies", "/s"),), read_trees),
    Area("Windows setting", "machine", (query(rf"{_NT}\Winlogon"), query(rf"{_NT}\Windows")), _only(_HOOKS)),
    Area("Windows setting", "machine", (query(rf"{_NT}\{_OPTIONS}", "/s"),), _debuggers),
    Area(
        NEXT_START,
        "machine",
        (query(r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager"),),
        _at_the_next_start,
    ),
)
