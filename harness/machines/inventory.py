"""Finding a machine by its inventory path, name or MoRef, and a snapshot by its path in the tree."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from pyVmomi import vim, vmodl

from harness.errors import MachineMissing
from harness.machines.session import Session


@dataclass(frozen=True, slots=True)
class Found:
    """A machine of the inventory: its full path and the datacenter that it lies in, by its own path."""

    vm: Any
    path: str

    @property
    def datacenter(self) -> str:
        """The part of the path before the datacenter's folder of machines."""
        return self.path.partition("/vm/")[0]


def find_machine(session: Session, wanted: str) -> Found:
    """Find a machine by inventory path (one call) or, where the text has no slash, by a name that only it has.

    Raises MachineMissing with the nearest names, or with every path of a name that several machines have.
    """
    if "/" in wanted:
        path = wanted.strip("/")
        vm = session.content.searchIndex.FindByInventoryPath(path)
        if isinstance(vm, vim.VirtualMachine):
            return Found(vm, path)
    known = _machines(session)
    named = [found for found in known if _name(found.path) == wanted]
    if len(named) == 1:
        return named[0]
    if named:
        raise MachineMissing(
            f"{len(named)} machines have this name", machine=wanted, advice=f"write the path of one: {_list(named)}"
        )
    raise MachineMissing("no such machine in the inventory", machine=wanted, advice=_nearest(wanted, known))


def find_by_moid(session: Session, moid: str) -> Found:
    """Find a machine by its MoRef (``vm-1234``); raises MachineMissing when nothing has it."""
    vm = vim.VirtualMachine(moid, session.stub)
    try:
        return paths_of(session, {moid: session.read(vm, "name", "parent")})[0]
    except vmodl.fault.ManagedObjectNotFound as error:
        raise MachineMissing(
            "no machine has this MoRef", machine=moid, advice="look it up in vSphere, or write the machine's path"
        ) from error


def paths_of(session: Session, machines: Mapping[str, Mapping[str, Any]]) -> list[Found]:
    """Find the paths of machines of which ``name`` and ``parent`` are known, by MoRef; in a call for each level."""
    things = dict(machines)
    while True:
        above = {thing["parent"]._moId: thing["parent"] for thing in things.values() if thing.get("parent") is not None}
        unknown = [reference for moid, reference in above.items() if moid not in things]
        if not unknown:
            break
        asked = [vmodl.query.PropertyCollector.ObjectSpec(obj=reference) for reference in unknown]
        things |= _properties(session.retrieve(asked, {vim.ManagedEntity: ("name", "parent")}))
        for reference in unknown:
            things.setdefault(reference._moId, {})  # not ours to see
    top = session.content.rootFolder._moId
    return [
        Found(vim.VirtualMachine(moid, session.stub), _path(moid, {key: things[key] for key in things if key != top}))
        for moid in machines
    ]


def _properties(rows: Sequence[Any]) -> dict[str, Mapping[str, Any]]:
    return {row.obj._moId: {prop.name: prop.val for prop in row.propSet or ()} for row in rows}


def _path(key: str, things: Mapping[str, Mapping[str, Any]]) -> str:
    parts: list[str] = []
    while key in things and len(parts) < 100:
        parts.append(str(things[key].get("name", "?")))
        key = getattr(things[key].get("parent"), "_moId", "")
    return "/".join(reversed(parts))


def _machines(session: Session) -> list[Found]:
    kinds: list[type[Any]] = [vim.VirtualMachine, vim.Folder, vim.Datacenter]
    with session.everything_of(kinds) as objects:
        rows = session.retrieve(objects, {vim.ManagedEntity: ("name", "parent")})
    things = _properties(rows)
    return [Found(row.obj, _path(row.obj._moId, things)) for row in rows if isinstance(row.obj, vim.VirtualMachine)]


def _name(path: str) -> str:
    return unquote(path.rsplit("/", 1)[-1])  # vSphere writes a slash in a name as %2f


def _nearest(wanted: str, known: Sequence[Found]) -> str:
    if not known:
        return "the inventory shows this user no machine at all; check the user's rights"
    by_path = difflib.get_close_matches(wanted, [found.path for found in known], n=3, cutoff=0.7)
    by_name = difflib.get_close_matches(_name(wanted), [_name(found.path) for found in known], n=3, cutoff=0.6)
    near = [found for found in known if found.path in by_path or _name(found.path) in by_name][:3]
    return f"did you mean {_list(near)}?" if near else f"the inventory has {_list(known)}"


def _list(known: Sequence[Found]) -> str:
    shown = ", ".join(sorted(found.path for found in known)[:8])
    return shown if len(known) <= 8 else f"{shown} and {len(known) - 8} more"


def find_snapshot(machine: str, snapshots: Any, wanted: str) -> Any:
    """Find a snapshot by its path in the tree (``base/clean``), a name that only one has, or MoRef (``snapshot-12``).

    ``snapshots`` is the machine's ``snapshot`` property, None without any. Raises MachineMissing naming those there.
    """
    every = list(_walk(snapshots.rootSnapshotList if snapshots is not None else ()))
    paths = sorted(path for path, _, _ in every)
    if not every:
        raise MachineMissing("it has no snapshot", machine=machine, advice=f"take one named {wanted!r} in vSphere")
    chosen = [snapshot for path, _, snapshot in every if path == wanted]
    chosen = chosen or [snapshot for _, name, snapshot in every if name == wanted]
    chosen = chosen or [snapshot for _, _, snapshot in every if snapshot._moId == wanted]
    if not chosen:
        raise MachineMissing(f"no snapshot {wanted!r}", machine=machine, advice=f"it has {', '.join(paths)}")
    if len(chosen) > 1:
        same = [path for path, name, _ in every if wanted in (path, name)]
        advice = (
            f"write the path of one: {', '.join(sorted(same))}"
            if len(set(same)) == len(same)
            else "rename one in vSphere"
        )
        raise MachineMissing(f"{len(chosen)} snapshots are called {wanted!r}", machine=machine, advice=advice)
    return chosen[0]


def _walk(tree: Sequence[Any], above: str = "") -> Iterator[tuple[str, str, Any]]:
    for node in tree:
        name = unquote(node.name)
        yield above + name, name, node.snapshot
        yield from _walk(node.childSnapshotList or (), f"{above}{name}/")
