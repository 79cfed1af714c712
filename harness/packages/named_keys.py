r"""Which registry keys a package names, so that a guest can be asked for them: nobody else knows where to look.

An MSI names them in its Registry table and in the command lines of its custom actions, an NSIS installer in the strings
of its script, which lie packed behind the program, any other program in the texts that it carries. What is only read is
named, too; what a program makes up at run time is not.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from harness.packages.msi.product import Msi, registry_path
from harness.packages.msi.tables import MsiPackage, number, text
from harness.packages.nsis_script import strings_of
from harness.packages.plain_strings import Mentioned, registry_paths
from harness.packages.program import read_program
from harness.packages.unreadable import Unreadable

_WRITTEN_OUT = re.compile(
    r"\b(HKLM|HKCU|HKCR|HKEY_LOCAL_MACHINE|HKEY_CURRENT_USER|HKEY_CLASSES_ROOT)\\([^\"'\r\n<>|]{3,200}?)"
    r"(?=[\"']|\s+/|\s*$|\s-)",
    re.IGNORECASE,
)
_BARE = re.compile(r"(?:software|system)\\[^\x00-\x1f\"<>|/]{3,200}", re.IGNORECASE)
_OF_CLASSES = re.compile(r"(?:clsid|typelib|appid|interface)\\\{[0-9a-f-]{36}\}", re.IGNORECASE)
_SHORT = {"HKEY_LOCAL_MACHINE": "HKLM", "HKEY_CURRENT_USER": "HKCU", "HKEY_CLASSES_ROOT": "HKCR"}
_CLASSES = r"HKLM\SOFTWARE\Classes"
_BITS_64 = 256


@dataclass(frozen=True, slots=True)
class NamedKey:
    r"""A key such as ``HKLM\SOFTWARE\Microsoft\Demo``, and names in small letters that its values may have."""

    path: str
    values: Container[str]


@lru_cache(maxsize=64)
def named_keys(file: Path, kind: str) -> tuple[NamedKey, ...]:
    """Read the keys that a package of a kind (``msi``, ``exe``) names; none for what cannot be read or is another."""
    try:
        if kind == "msi":
            return tuple(_joined(_of_msi(Msi(MsiPackage(file)))))
        if kind == "exe":
            program = read_program(file)
            narrow = program.machine == "x86"
            if strings := strings_of(program):
                return tuple(_joined(_of_script(strings, narrow=narrow)))
            found = _joined(_of_script(registry_paths(file), narrow=narrow))
            return tuple(replace(key, values=Mentioned(file)) for key in found)
    except (Unreadable, OSError):
        pass  # what is wrong with a package is said by those who look at packages
    return ()


def _of_msi(msi: Msi) -> Iterator[tuple[str, str]]:
    wide = {text(row, "Component"): bool(number(row, "Attributes") & _BITS_64) for row in msi.rows("Component")}
    for row in msi.rows("Registry"):
        place = registry_path({**row, "Name": ""})
        name = text(row, "Name")
        is_value = name not in ("+", "-", "*") or bool(text(row, "Value"))
        root, _, below = _filled(place, msi.properties).partition("\\")
        if "[" in below:
            continue  # known only while it is installed
        roots = {"HKCU or HKLM": ("HKLM", "HKCU"), "HKLM": ("HKLM",), "HKCU": ("HKCU",), "HKCR": ("HKCR",)}
        for one in roots.get(root, ()):
            yield (
                _as_it_lies(one, below, wide=wide.get(text(row, "Component_"), True)),
                _filled(name, msi.properties) if is_value else "",
            )
    for row in msi.rows("CustomAction"):
        for root, below in _WRITTEN_OUT.findall(text(row, "Target")):
            yield _as_it_lies(root, below.rstrip("\\ "), wide=True), ""


def _of_script(strings: frozenset[str], *, narrow: bool) -> Iterator[tuple[str, str]]:
    """Give keys and values; a ``narrow`` installer of 32 bits may mean the part of the registry that such ones see."""
    for one in strings:
        if _BARE.fullmatch(one):
            yield f"HKLM\\{one}", ""
            if one[:8].casefold() == "software":
                yield f"HKCU\\{one}", ""
                if narrow and not one.casefold().startswith("software\\classes\\"):
                    yield _as_it_lies("HKLM", one, wide=False), ""
        elif _OF_CLASSES.match(one):
            yield f"{_CLASSES}\\{one}", ""
        for root, below in _WRITTEN_OUT.findall(one):
            yield _as_it_lies(root, below.rstrip("\\ "), wide=True), ""
    for one in strings:
        yield "", one


def _joined(found: Iterator[tuple[str, str]]) -> Iterator[NamedKey]:
    """Put the values of one key together; those that stand alone may be any key's."""
    values: dict[str, set[str]] = {}
    written: dict[str, str] = {}
    for path, value in found:
        values.setdefault(path.casefold(), set()).add(value.casefold())
        written.setdefault(path.casefold(), path.rstrip("\\"))
    of_any = values.pop("", set())
    for folded, names in values.items():
        yield NamedKey(written[folded], frozenset((names | of_any) - {""}))


def _as_it_lies(root: str, below: str, *, wide: bool) -> str:
    root = _SHORT.get(root.upper(), root.upper())
    if root == "HKCR":
        root, below = "HKLM", rf"SOFTWARE\Classes\{below}"
    software, _, rest = below.partition("\\")
    if root == "HKLM" and not wide and software.casefold() == "software":
        return rf"HKLM\SOFTWARE\Wow6432Node\{rest}"
    return f"{root}\\{below}"


def _filled(words: str, properties: Mapping[str, str]) -> str:
    return re.sub(r"\[([A-Za-z_][\w.]*)\]", lambda name: properties.get(name[1], name[0]), words)
