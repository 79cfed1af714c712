"""What a guest has, as plain values: things with names, sorted by area."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.guest.state.journal import Place
from harness.guest.state.listing import Entry


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing of an area: ``name`` as people call it, ``facts`` about it in plain text, ``at`` where it is kept."""

    name: str
    facts: Mapping[str, str] = field(default_factory=dict)
    at: str = ""


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

    kind: str = ""
    entries: tuple[str, ...] = ()

    @property
    def length(self) -> int:
        """Characters of the whole value."""
        return sum(map(len, self.entries)) + max(0, len(self.entries) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What was there when it was taken; ``account`` owns the part that belongs to one person.

    ``things`` are by area (``service``, ``run entry``, ``vendor key``, ...) and, in it, by a key that stays the same.
    ``untold`` says of an area why the guest could not tell it. ``programs`` are the files that run, as ``setup.exe``;
    none where the guest does not tell. ``hashes`` are SHA-256 by path, of the few files that were looked at so closely.
    ``place`` is where the file system's own journal of changes was.
    """

    account: str
    files: Mapping[str, Entry]
    uninstall: Mapping[str, UninstallEntry]
    system_path: SearchPath = SearchPath()
    user_path: SearchPath = SearchPath()
    things: Mapping[str, Mapping[str, Thing]] = field(default_factory=dict)
    untold: Mapping[str, str] = field(default_factory=dict)
    programs: frozenset[str] = frozenset()
    hashes: Mapping[str, str] = field(default_factory=dict)
    place: Place | None = None
