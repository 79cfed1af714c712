"""A Windows command line, carried into Wine's cmd.exe unharmed.

Wine makes a Windows command line out of Unix arguments by escaping quotes in a way cmd.exe does not understand, and
cuts exit codes to eight bits. So each command is written into a batch file, where quotes, pipes and built-ins work, and
the whole exit code is written into a file: by a second cmd.exe around the first, or, where the command is sure to
return, by the same one, which takes half the time.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from .chains import steps

#: Variables that cmd.exe makes up when they are asked for.
_MADE_UP = frozenset({"CD", "DATE", "TIME", "RANDOM", "ERRORLEVEL", "CMDEXTVERSION", "CMDCMDLINE"})

#: Built-in commands that do nothing but return.
_RETURNING = frozenset(
    (
        *("cd", "chdir", "copy", "date", "del", "dir", "echo", "erase", "md", "mkdir", "move", "path", "rd", "rem"),
        *("ren", "rename", "rmdir", "set", "time", "type", "ver", "verify", "vol"),
    )
)

#: Unix variables of the session that Windows programs have no business with.
FOREIGN = (
    *("USER", "LOGNAME", "LANG", "LC_CTYPE", "LOCPATH", "OLDPWD", "DISPLAY", "FONTCONFIG_FILE", "WINCOMPAT_JOB"),
    *("WINEARCH", "WINEDEBUG", "WINEDLLOVERRIDES", "WINEPREFIX", "WINELOADER"),
)

#: What a variable may be called; what stands between percent signs that have nothing to do with each other is none.
_NAME = re.compile(r"[A-Z_][\w().#$-]*", re.IGNORECASE)

#: With an empty entry in PATH, Wine's ``call`` finds none of cmd.exe's own commands.
_FULL_PATH = (
    'if defined PATH set "PATH=%PATH:;;=;%"',
    'if "%PATH:~-1%"==";" set "PATH=%PATH:~0,-1%"',
    'if "%PATH:~0,1%"==";" set "PATH=%PATH:~1%"',
)

#: Variables that Wine does not take over from its own environment; the batch file sets them.
_OWN_OF_WINE = re.compile(r"PATH|PWD|HOME|TEMP|TMP|PATHEXT|WINE.*|XDG_.*|QT_.*|VK_.*", re.IGNORECASE)


def carried(line: str, known: Collection[str]) -> str:
    """Write a line for a batch file so that ``%`` means what it means on a command line.

    A batch file replaces an unset variable with nothing, a command line leaves it as it stands; and a batch file reads
    ``%1`` and ``%i`` in its own way. ``known`` are the variables that are set, in capitals.
    """
    # like cmd /c, which reads no further than the end of the line
    line = re.split(r"[\r\n\0]", line, maxsplit=1)[0]
    out = []
    at = 0
    while at < len(line):
        name, end = _variable(line, at)
        if line[at] == "%" and (name in known or name in _MADE_UP):
            out.append(line[at:end])
            at = end
        else:
            out.append("%%" if line[at] == "%" else line[at])
            at += 1
    return "".join(out)


def asked(line: str) -> set[str]:
    """Find the variables that a line may be asking for, in capitals."""
    names = {_variable(line, at)[0] for at, letter in enumerate(line) if letter == "%"}
    return {name for name in names if _NAME.fullmatch(name)} - _MADE_UP


def _variable(line: str, at: int) -> tuple[str, int]:
    """Read the name between this percent sign and the next, without its ``:~0,2``, and where it is over."""
    end = line.find("%", at + 1)
    name = line[at + 1 : end].partition(":")[0].upper() if end > 0 else ""
    return name, end + 1


def inner_batch(line: str, settings: Mapping[str, str], known: Collection[str], code: str | None) -> str:
    """Write the batch file of one command: the variables that only cmd.exe can set, then the line itself.

    A simple line's exit code is written here, into the file ``code``; any other's by `outer_batch`.
    """
    lines = ["@echo off", *(f"set {name}=" for name in FOREIGN)]
    lines += [f"set {name}={value.replace('%', '%%')}" for name, value in settings.items()]
    if re.search(r"\bcall\b", line, re.IGNORECASE):
        lines += _FULL_PATH
    lines += steps(carried(line, known))
    if code is not None:
        lines.append(_kept(code))
    return "\r\n".join(lines) + "\r\n"


def is_simple(line: str, programs: Collection[str]) -> bool:
    """Tell whether every command of a line surely comes back to the batch file that they stand in.

    ``exit`` does not, nor does another batch file; neither does a line that goes on in the next one.
    """
    if re.search(r"[\r\n]|\^$", line) or line.count('"') % 2 or re.search(r"\bexit\b", line, re.IGNORECASE):
        return False
    commands = [_COMES_BEFORE.sub("", command) for command in _commands(_LOOP.sub("", line))]
    return any(commands) and all(_returns(command, programs) for command in commands if command)


#: What may stand before a command: echoing off, a call of it, conditions.
_COMES_BEFORE = re.compile(
    r'^(?:\s|@|call\b|else\b|if\s+(?:/i\s+)?(?:not\s+)?(?:(?:exist|defined|errorlevel)\s+)?(?:"[^"]*"|\S)+\s)*',
    re.IGNORECASE,
)
_LOOP = re.compile(r"\bfor\s+(?:/[dr]\s+)?%+\w\s+in\s*\([^()]*\)\s*do\b", re.IGNORECASE)


def _commands(line: str) -> list[str]:
    """Cut a line at what joins commands and at brackets, where they are not quoted."""
    pieces = re.findall(r'"[^"]*"|\^.|[<>]&|[&|()]|[^"^&|()<>]+|.', line)
    commands = [""]
    for piece in pieces:
        if piece in ("&", "|", "(", ")"):
            commands.append("")
        else:
            commands[-1] += piece
    return commands


def _returns(command: str, programs: Collection[str]) -> bool:
    first = re.match(r'\s*(?:"([^"]*)"|([^\s"/<>]+)|[<>])', command)
    if first is None:
        return False
    word = (first[1] or first[2] or "").lower()
    return not word or word in _RETURNING or word.endswith((".exe", ".com")) or f"{word}.exe" in programs


def outer_batch(inner: str, code: str) -> str:
    """Write the batch file around it, which puts the exit code into the file ``code``."""
    return f"@C:\\windows\\system32\\cmd.exe /d /c {inner}\r\n{_kept(code)}\r\n"


def _kept(code: str) -> str:
    # a blank before the ">", for "7>file" would redirect handle 7
    return f"@echo %errorlevel% >{code}"


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
