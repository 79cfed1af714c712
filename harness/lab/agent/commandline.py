"""A Windows command line, carried into Wine's cmd.exe unharmed.

Wine makes a Windows command line out of Unix arguments by escaping quotes in a way cmd.exe does not understand, and
cuts exit codes to eight bits. So each command is written into a batch file, where quotes, pipes and built-ins work, and
a second cmd.exe around it writes the whole exit code into a file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

#: Variables that cmd.exe makes up when they are asked for.
_MADE_UP = frozenset({"CD", "DATE", "TIME", "RANDOM", "ERRORLEVEL", "CMDEXTVERSION", "CMDCMDLINE"})

#: Unix variables of the session that Windows programs have no business with.
_FOREIGN = ("USER", "LOGNAME", "LANG", "LC_CTYPE", "LOCPATH", "OLDPWD", "SHLVL", "_", "WINEARCH")

#: Variables that Wine does not take over from its own environment; the batch file sets them.
_OWN_OF_WINE = re.compile(r"PATH|PWD|HOME|TEMP|TMP|PATHEXT|WINE.*|XDG_.*|QT_.*|VK_.*", re.IGNORECASE)


def carried(line: str, known: Collection[str]) -> str:
    """Write a line for a batch file so that ``%`` means what it means on a command line.

    ``known`` are the names of the variables that are set, in capitals: only those are expanded there, while a batch
    file replaces an unknown one with nothing and reads ``%1`` and ``%i`` in its own way.
    """
    # like cmd /c, which reads no further than the end of the line
    line = re.split(r"[\r\n\0]", line, maxsplit=1)[0]
    out = []
    at = 0
    while at < len(line):
        if line[at] != "%":
            out.append(line[at])
            at += 1
            continue
        end = line.find("%", at + 1)
        name = line[at + 1 : end].partition(":")[0].upper() if end > 0 else ""
        if name and (name in known or name in _MADE_UP):
            out.append(line[at : end + 1])
            at = end + 1
        else:
            out.append("%%")
            at += 1
    return "".join(out)


def inner_batch(line: str, settings: Mapping[str, str], known: Collection[str]) -> str:
    """Write the batch file of one command: the variables that only cmd.exe can set, then the line itself."""
    lines = ["@echo off", *(f"set {name}=" for name in _FOREIGN)]
    lines += [f"set {name}={value.replace('%', '%%')}" for name, value in settings.items()]
    lines.append(carried(line, known))
    return "\r\n".join(lines) + "\r\n"


def outer_batch(inner: str, code: str) -> str:
    """Write the batch file around it, which puts the exit code into the file ``code``."""
    # a blank before the ">", for "7>file" would redirect handle 7
    return f"@cmd.exe /d /c {inner}\r\n@echo %errorlevel% >{code}\r\n"


def divided(environment: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Divide a command's variables into those handed over by the Unix environment and those the batch file sets."""
    through: dict[str, str] = {}
    settings: dict[str, str] = {}
    for name, value in environment.items():
        (settings if _OWN_OF_WINE.fullmatch(name) else through)[name] = value
    return through, settings


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """Replace each ``%NAME%`` that is set; ``variables`` have their names in capitals."""
    return re.sub(r"%([^%]+)%", lambda found: variables.get(found[1].upper(), found[0]), text)
