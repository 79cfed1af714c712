"""Which vCenter privileges a site needs, by the strategies in use, and which of them its user lacks."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from harness.machines.places import folder_of, location
from harness.machines.session import Session
from harness.machines.survey import lacking
from harness.site import SiteMachine


@dataclass(frozen=True, slots=True, kw_only=True)
class Privilege:
    """A privilege of vSphere: ``on`` says on which object, ``why`` what for; see ``privileges.toml``.

    Cells run without an ``optional`` one; one with ``when`` is needed where that part of ``clones`` is set.
    """

    privilege: str
    on: str
    why: str
    optional: bool = False
    when: str = ""


@dataclass(frozen=True, slots=True)
class Lack:
    """A privilege that is lacking, and the names of the objects that it lacks on."""

    privilege: Privilege
    objects: tuple[str, ...]


@cache
def _table() -> Mapping[str, tuple[Privilege, ...]]:
    text = resources.files("harness.machines").joinpath("privileges.toml").read_text("utf-8")
    return {key: tuple(Privilege(**row) for row in rows) for key, rows in tomllib.loads(text).items()}


def needed(entry: SiteMachine) -> tuple[Privilege, ...]:
    """List what an entry of a site file needs, for its strategy and the one that it falls back on."""
    table = _table()
    strategies = [entry.strategy, *([entry.fallback] if entry.fallback else [])]
    rows = [*table["always"], *(row for strategy in strategies for row in table[strategy])]
    return tuple(dict.fromkeys(row for row in rows if not row.when or getattr(entry.clones, row.when)))


def lacks(session: Session, machines: Mapping[str, tuple[SiteMachine, Any]]) -> list[Lack]:
    """Ask for what the machines, by their names, need; raises what the vCenter raises."""
    wanted: dict[str, tuple[Any, str, list[Privilege]]] = {}
    for name, (entry, vm) in machines.items():
        places = dict(_places(session, name, entry, vm))
        for row in needed(entry):
            for thing, label in places.get(row.on, ()):
                wanted.setdefault(thing._moId, (thing, label, []))[2].append(row)
    # machines of one strategy need the same: they are asked about in one call
    alike: dict[tuple[Privilege, ...], list[tuple[str, Any]]] = {}
    for thing, label, rows in wanted.values():
        alike.setdefault(tuple(dict.fromkeys(rows)), []).append((label, thing))
    missing: dict[Privilege, list[str]] = {}
    for asked, things in alike.items():
        names = lacking(session, dict(things), sorted({row.privilege for row in asked}))
        for row in asked:
            if row.privilege in names:
                missing.setdefault(row, []).extend(names[row.privilege])
    return [Lack(row, tuple(dict.fromkeys(labels))) for row, labels in missing.items()]


def _places(
    session: Session, name: str, entry: SiteMachine, vm: Any
) -> Iterator[tuple[str, Sequence[tuple[Any, str]]]]:
    """Give the objects that ``on`` stands for, each with a label; clones do not exist yet, their folder does."""
    seen = session.read(vm, "resourcePool", "datastore")
    cloned = entry.strategy != "revert"
    folder = [(folder_of(session, vm, entry.clones), f"the folder for clones of {name}")] if cloned else []
    spec = location(session, entry.clones) if cloned else None
    pool = (spec and spec.pool) or seen.get("resourcePool")
    stores = [spec.datastore] if spec and spec.datastore else list(seen.get("datastore", ()))[:1]
    yield "machine", folder or [(vm, name)]
    yield "source", [(vm, name)]
    yield "folder", folder
    yield "pool", [(pool, f"the resource pool of {name}")] if pool is not None else []
    yield "datastore", [(store, f"the datastore of {name}") for store in stores]
    yield "vcenter", [(session.content.rootFolder, "the root of the inventory")]
