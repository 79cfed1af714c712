"""Wine's registry files: text, edited while no server holds them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

Value = str | int


def written(text: str, key: str, values: Mapping[str, Value]) -> str:
    """Set values (text or a 32-bit number) of a key, parted with backslashes and made when it is not there."""
    heading = f"[{key.replace(chr(92), chr(92) * 2)}]"
    section = re.search(rf"^{re.escape(heading)}.*?(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL | re.IGNORECASE)
    lines = section[0].rstrip("\n").split("\n") if section else [f"{heading} 0"]
    for name, value in values.items():
        start = f'"{name}"='.lower()
        lines = [line for line in lines if not line.lower().startswith(start)]
        lines.append(f'"{name}"={_literal(value)}')
    block = "\n".join(lines) + "\n\n"
    if section is None:
        return text.rstrip("\n") + "\n\n" + block
    return text[: section.start()] + block + text[section.end() :]


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


def _literal(value: Value) -> str:
    if isinstance(value, int):
        return f"dword:{value:08x}"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
