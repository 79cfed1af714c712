"""What ``reg query`` is asked and what it prints, as plain values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from harness.guest.figures import figure

_VALUE = re.compile(r"^ {4}(?P<name>.*?) {4}(?P<kind>REG_[A-Z_]+)(?: {4}(?P<text>.*))?$")
_KEY = re.compile(r"^HKEY_[A-Z_]+(\\.*)?$")


@dataclass(frozen=True, slots=True)
class RegistryValue:
    """A registry value: its type as ``reg`` names it (REG_SZ, ...), its content as ``reg`` prints it, its own name."""

    kind: str
    text: str
    name: str = field(default="", compare=False)

    @property
    def number(self) -> int | None:
        """The content of a REG_DWORD or REG_QWORD, or None."""
        return figure(self.text) if self.text.startswith("0x") else None


Keys = Mapping[str, Mapping[str, RegistryValue]]
"""Registry keys by their full path, each with its values by name in lower case."""


def query(key: str, *switches: str) -> str:
    """Write the question for a key: for its values and the keys right below it, or for what switches make of it."""
    return " ".join([f'reg query "{key}"', *switches])


def read_keys(printed: str) -> Keys:
    """Read keys and values; a value of several lines keeps them all."""
    keys: dict[str, dict[str, RegistryValue]] = {}
    values: dict[str, RegistryValue] = {}
    name: str | None = None
    further: list[str] = []
    for line in printed.splitlines():
        begins_key, found = _KEY.match(line), _VALUE.match(line)
        if not begins_key and not found:
            if name is not None and line:
                further.append(line)
            continue
        _append(values, name, further)
        if begins_key:
            values, name = keys.setdefault(line, {}), None
        elif found:
            name = found["name"].lower()
            values[name] = RegistryValue(found["kind"], found["text"] or "", found["name"])
    _append(values, name, further)
    return keys


def _append(values: dict[str, RegistryValue], name: str | None, further: list[str]) -> None:
    """Add further lines to a value, all at once: one by one they would be copied over and over."""
    if name is not None and further:
        values[name] = replace(values[name], text="\n".join([values[name].text, *further]))
        further.clear()
