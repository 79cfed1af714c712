"""Two ways to write one place: variables replaced, quotes and case left aside."""

from __future__ import annotations

import ntpath
import re

# where Windows puts them; a state does not tell the variables of the guest, and a rewritten entry is to be known again
_VARIABLES = {
    "systemroot": r"c:\windows",
    "windir": r"c:\windows",
    "systemdrive": "c:",
    "programfiles": r"c:\program files",
    "programw6432": r"c:\program files",
    "programfiles(x86)": r"c:\program files (x86)",
    "commonprogramfiles": r"c:\program files\common files",
    "programdata": r"c:\programdata",
    "allusersprofile": r"c:\programdata",
    "public": r"c:\users\public",
}
SET_BY_WINDOWS = frozenset(_VARIABLES) | {
    *("allusersprofile", "appdata", "localappdata", "userprofile", "username", "userdomain", "homedrive", "homepath"),
    *("computername", "commonprogramfiles(x86)", "commonprogramw6432", "driverdata", "onedrive", "logonserver"),
    *("temp", "tmp", "comspec", "os", "path", "processor_architecture"),
}
"""Variables, in small letters, that every log-on has without a value of their name in the registry."""

LISTED_WHOLE = ("c:\\program files\\", "c:\\program files (x86)\\", "c:\\programdata\\")
"""Folders of which a state names everything that is in them."""


def expanded(text: str) -> str:
    """Replace the variables that mean the same on every Windows."""
    return re.sub(r"%([^%]+)%", lambda name: _VARIABLES.get(name[1].casefold(), name[0]), text)


def plain(place: str) -> str:
    """Make folders comparable that are written differently."""
    told = expanded(place).strip('" ')
    # C:\\Demo\\bin\\..\\demo.exe, and the other slash
    return (
        ntpath.normpath(told).rstrip("\\").casefold()
        if re.search(r"[/]|\\\.|\\\\", told)
        else told.rstrip("\\").casefold()
    )


def program(command: str) -> str:
    """Name the file that a command line starts, as Windows reads it: quoted, or up to the first ``.exe``."""
    command = command.strip()
    if command.startswith('"'):
        return command[1:].partition('"')[0]
    found = re.match(r".*?\.exe(?=\s|$)", command, re.IGNORECASE)
    return found[0] if found else command.partition(" ")[0]
