"""Wine's registry files: text, edited while no server holds them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

Value = str | int


def written(text: str, key: str, values: Mapping[str, Value]) -> str:
    """Set values (text or a 32-bit number) of a key, parted with backslashes and made when it is not there."""
    heading = f"[{key.replace(chr(92), chr(92) * 2)}]"
    start, end = _section(text, heading)
    lines = text[start:end].rstrip("\n").split("\n") if end > start else [f"{heading} 0"]
    for name, value in values.items():
        named = f'"{name}"='.lower()
        lines = [line for line in lines if not line.lower().startswith(named)]
        lines.append(f'"{name}"={_literal(value)}')
    block = "\n".join(lines) + "\n\n"
    if end == start:
        return text.rstrip("\n") + "\n\n" + block
    return text[:start] + block + text[end:]


def _section(text: str, heading: str) -> tuple[int, int]:
    """Find where a key's lines begin and end; both the same where it is not there.

    Sought as plain text: a pattern that does not mind capitals takes a hundred times longer, once for each new guest.
    """
    plain = text.lower()
    if len(plain) != len(text):  # a few letters of the world grow when they are made small
        plain = "".join(letter.lower() if letter.isascii() else letter for letter in text)
    before = f"\n{plain}" if plain.startswith("[") else plain
    shift = len(before) - len(plain)
    at = before.find("\n" + heading.lower())
    if at < 0:
        return 0, 0
    end = before.find("\n[", at + 1)
    return at + 1 - shift, (end + 1 if end >= 0 else len(before)) - shift


def edit(file: Path, settings: Mapping[str, Mapping[str, Value]]) -> None:
    """Set the values of several keys in a registry file."""
    text = file.read_text("utf-8")
    for key, values in settings.items():
        text = written(text, key, values)
    file.write_text(text, "utf-8")


def keep_only(file: Path, parent: str, child: str) -> None:
    """Remove every key below a parent but one."""
    escaped = re.escape(parent.replace("\\", "\\" * 2) + "\\" * 2)
    others = re.compile(rf"^\[{escaped}(?!{re.escape(child)}\]).*?(?=^\[|\Z)", re.MULTILINE | re.DOTALL | re.IGNORECASE)
    file.write_text(others.sub("", file.read_text("utf-8")), "utf-8")


def remove(file: Path, key: str, *values: str) -> None:
    """Remove values of a key; what is not there is passed over."""
    text = file.read_text("utf-8")
    start, end = _section(text, f"[{key.replace(chr(92), chr(92) * 2)}]")
    named = tuple(f'"{value}"='.lower() for value in values)
    kept = [line for line in text[start:end].splitlines(keepends=True) if not line.lower().startswith(named)]
    file.write_text(text[:start] + "".join(kept) + text[end:], "utf-8")


def _literal(value: Value) -> str:
    if isinstance(value, int):
        return f"dword:{value:08x}"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
