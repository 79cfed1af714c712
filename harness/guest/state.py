"""What is on a guest at one moment: files, software, services and PATH; taken in one round trip."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.errors import HarnessError
from harness.guest.differences import Change, changes
from harness.guest.listing import Entry, read_listings
from harness.guest.outcome import Outcome
from harness.guest.registry import RegistryValue, read_keys

DEFAULT_ROOTS: tuple[str, ...] = (
    r"C:\Program Files",
    r"C:\Program Files (x86)",
    r"C:\ProgramData",
    r"C:\Users\Public\Desktop",
    r"%USERPROFILE%\Desktop",
    r"%USERPROFILE%\AppData\Local\Programs",
    r"%USERPROFILE%\AppData\Roaming\Microsoft\Windows\Start Menu",
    "C:\\*",
)
"""Where installers leave things. A root that ends in ``*`` is listed itself, without what is below its folders."""

_UNINSTALL = r"Microsoft\Windows\CurrentVersion\Uninstall"
_SYSTEM_PATH = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
_SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"

Hive = Literal["machine", "user"]

HIVES: tuple[Hive, ...] = ("machine", "user")

# of each hive the two places where programs are registered, and its PATH
_REGISTRY: Mapping[Hive, tuple[str, str, str]] = {
    "machine": (
        rf"reg query HKLM\SOFTWARE\{_UNINSTALL} /s",
        rf"reg query HKLM\SOFTWARE\Wow6432Node\{_UNINSTALL} /s",
        f'reg query "{_SYSTEM_PATH}" /v Path',
    ),
    "user": (
        rf"reg query HKCU\SOFTWARE\{_UNINSTALL} /s",
        rf"reg query HKCU\SOFTWARE\Wow6432Node\{_UNINSTALL} /s",
        r"reg query HKCU\Environment /v Path",
    ),
}

_CHANGES_BY_ITSELF = {"installdate"}  # rewritten by every patch and repair (Microsoft: Uninstall Registry Key)


@dataclass(frozen=True, slots=True)
class UninstallEntry:
    """An entry of "Apps & features": its registry key and values by name in lower case, without the install date."""

    key: str
    values: Mapping[str, str]

    @property
    def name(self) -> str:
        """What people see: ``Ninja 1.13.0``; the key's last part when it has no display name."""
        return self.values.get("displayname") or self.key.rpartition("\\")[2]

    @property
    def version(self) -> str:
        """The display version, or nothing."""
        return self.values.get("displayversion", "")

    @property
    def title(self) -> str:
        """Name and version, the version only once."""
        return self.name if not self.version or self.version in self.name else f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class SearchPath:
    """A PATH as the registry holds it: its entries unexpanded, in order, and the type of the value."""

    kind: str
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What was there when it was taken; ``account`` owns the part that belongs to one person."""

    account: str
    files: Mapping[str, Entry]
    uninstall: Mapping[str, UninstallEntry]
    services: frozenset[str]
    system_path: SearchPath
    user_path: SearchPath

    def changes_since(self, before: State) -> tuple[Change, ...]:
        """Tell in plain words what differs from an earlier state of the same guest and account, noise left out."""
        return changes(before, self)


def questions(roots: Sequence[str], hives: Sequence[Hive] = HIVES) -> list[str]:
    """Give the commands whose answers make a state; without roots, software and PATH of these hives alone.

    Raises HarnessError for a root that is no absolute Windows path.
    """
    for root in roots:
        if not re.fullmatch(r'(?:[A-Za-z]:\\|%\w+%)[^"<>|&^!*?\r\n]*(?:\\\*|(?<=:\\)\*)?', root):
            raise HarnessError(rf"{root!r} is not a folder to list; write it like C:\Program Files or C:\*")
    registry = [question for hive in hives for question in _REGISTRY[hive]]
    return [*(_dir(root) for root in roots), *registry, *([f"reg query {_SERVICES}"] if roots else [])]


def read_state(
    roots: Sequence[str], answers: Sequence[Outcome], *, account: str, hives: Sequence[Hive] = HIVES
) -> State:
    """Read the answers to ``questions``; raises HarnessError when one was cut or cannot be read."""
    if cut := [answer.command for answer in answers if answer.truncated]:
        raise HarnessError(f"more was printed than is kept; list fewer or narrower roots: {', '.join(cut)}")
    listings = [(root.removesuffix("*"), answer.stdout) for root, answer in zip(roots, answers, strict=False)]
    try:
        files = read_listings(listings)
    except ValueError as error:
        raise HarnessError(str(error)) from error
    uninstall: dict[str, UninstallEntry] = {}
    paths: dict[Hive, SearchPath] = {}
    for number, hive in enumerate(hives):
        *registered, path = answers[len(roots) + 3 * number :][:3]
        uninstall.update(entry for answer in registered for entry in _entries(answer))
        paths[hive] = _path(path)
    services = read_keys(answers[-1].stdout) if roots else {}
    return State(
        account=account,
        files=files,
        uninstall=uninstall,
        services=frozenset(key.rpartition("\\")[2] for key in services) - {"Services"},
        system_path=paths.get("machine", SearchPath("", ())),
        user_path=paths.get("user", SearchPath("", ())),
    )


def _dir(root: str) -> str:
    return f'dir /a /-c "{root[:-1]}"' if root.endswith("*") else f'dir /s /a /-c "{root}"'


def _entries(answer: Outcome) -> list[tuple[str, UninstallEntry]]:
    found = []
    for key, values in read_keys(answer.stdout).items():
        if values and not key.lower().endswith(r"\uninstall"):
            kept = {name: value.text for name, value in values.items() if name not in _CHANGES_BY_ITSELF}
            found.append((key, UninstallEntry(key, kept)))
    return found


def _path(answer: Outcome) -> SearchPath:
    values = next(iter(read_keys(answer.stdout).values()), {})
    value = values.get("path", RegistryValue("", ""))
    return SearchPath(value.kind, tuple(entry for entry in value.text.split(";") if entry))
