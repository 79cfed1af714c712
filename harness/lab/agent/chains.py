"""``&&`` and ``||``, which Wine's cmd.exe takes for a plain ``&``: it runs what stands behind them in any case.

A line with one of them is written as several lines of a batch file that go on or not by the exit code, so that "install
&& verify" does not verify what was never installed. Inside brackets, IF and FOR they stay as Wine has them.
"""

from __future__ import annotations

import re

#: Commands that take the rest of the line as their own.
_GREEDY = re.compile(r"\s*@?\s*(if|for|rem)\b", re.IGNORECASE)
#: Wine's commands leave the exit code of the one before standing; setting a variable, even to nothing, clears it.
_CLEARED = "set WINCOMPAT_JOB="


def steps(line: str) -> list[str]:
    """Write a line of a batch file as the lines that do what it does on Windows."""
    parts = _parts(line)
    if parts is None or not {"&&", "||"} & set(parts[1::2]) or any(map(_GREEDY.match, parts[::2])):
        return [line]
    out: list[str] = []
    for number, alternatives in enumerate(_grouped(parts)):
        end = f"wincompat_end_{number}"
        for place, commands in enumerate(alternatives):
            last = place == len(alternatives) - 1
            otherwise = end if last else f"wincompat_or_{number}_{place}"
            for command in commands[:-1]:
                out += [_CLEARED, command, f"if not %errorlevel%==0 goto {otherwise}"]
            if last:
                out.append(commands[-1])
            else:
                out += [_CLEARED, commands[-1], f"if %errorlevel%==0 goto {end}", f":{otherwise}"]
        out.append(f":{end}")
    return out


def _grouped(parts: list[str]) -> list[list[list[str]]]:
    """Group commands as cmd.exe binds them: ``&`` least, then ``||``, then ``&&``."""
    groups = [[[parts[0]]]]
    for sign, command in zip(parts[1::2], parts[2::2], strict=True):
        if sign == "&":
            groups.append([[command]])
        elif sign == "||":
            groups[-1].append([command])
        else:
            groups[-1][-1].append(command)
    return groups


def _parts(line: str) -> list[str] | None:
    """Part a line into commands and the signs between them; None when it has brackets."""
    parts = [""]
    quoted = False
    at = 0
    while at < len(line):
        letter = line[at]
        if letter == '"':
            quoted = not quoted
        if not quoted and letter in "()":
            return None
        if not quoted and letter == "^":
            parts[-1] += line[at : at + 2]
            at += 2
            continue
        sign = "" if quoted else next((sign for sign in ("&&", "||", "&") if line.startswith(sign, at)), "")
        if sign and not (sign == "&" and parts[-1].endswith((">", "<"))):
            parts += [sign, ""]
            at += len(sign)
        else:
            parts[-1] += letter
            at += 1
    return parts
