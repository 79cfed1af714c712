"""What can be seen of a machine without touching it, in plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyVmomi import vim

from harness.machines.addresses import told
from harness.machines.inventory import find_snapshot
from harness.machines.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A machine as vSphere shows it now.

    ``connection`` is vSphere's word (``connected`` is well); ``question`` is one that vSphere waits to have answered;
    ``tools`` is ``running``, ``not running`` or ``not installed``; ``host_name`` and ``addresses`` are what Tools
    tell, but for addresses of the link alone.
    """

    on: bool
    since: datetime | None
    frozen: bool
    template: bool
    connection: str
    question: str
    tools: str
    tools_are_old: bool
    host_name: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SnapshotSeen:
    """A snapshot of a machine: its path in the tree, whether it holds memory, when it was taken.

    ``moid`` is its MoRef: a snapshot that was taken anew under the same name has another one.
    """

    path: str
    moid: str
    with_memory: bool
    taken: datetime


def condition(session: Session, vm: Any) -> Condition:
    """Read a machine's condition in one call."""
    seen = session.read(
        vm,
        "runtime.powerState",
        "runtime.bootTime",
        "runtime.connectionState",
        "runtime.question",
        "runtime.instantCloneFrozen",
        "config.template",
        "guest.toolsRunningStatus",
        "guest.toolsVersionStatus2",
        "guest.hostName",
        "guest.ipAddress",
        "guest.net",
    )
    on = seen.get("runtime.powerState") == vim.VirtualMachine.PowerState.poweredOn
    running = str(seen.get("guest.toolsRunningStatus", ""))
    version = str(seen.get("guest.toolsVersionStatus2", ""))
    question = seen.get("runtime.question")
    return Condition(
        on=on,
        since=seen.get("runtime.bootTime") if on else None,
        frozen=bool(seen.get("runtime.instantCloneFrozen")),
        template=bool(seen.get("config.template")),
        connection=str(seen.get("runtime.connectionState", "connected")),
        question=" ".join(str(question.text).split()) if question is not None else "",
        tools="not installed"
        if version == "guestToolsNotInstalled"
        else "running"
        if running in ("guestToolsRunning", "guestToolsExecutingScripts")
        else "not running",
        tools_are_old=version in ("guestToolsNeedUpgrade", "guestToolsTooOld", "guestToolsSupportedOld"),
        host_name=str(seen.get("guest.hostName") or ""),
        addresses=tuple(told(seen)),
    )


def snapshot_seen(session: Session, vm: Any, machine: str, wanted: str) -> SnapshotSeen:
    """Find a snapshot as a revert would; raises MachineMissing naming those there."""
    snapshots: Any = session.read(vm, "snapshot").get("snapshot")
    return snapshot_in(snapshots, find_snapshot(machine, snapshots, wanted))


def snapshot_in(snapshots: Any, found: Any) -> SnapshotSeen:
    """Describe a snapshot out of the machine's ``snapshot`` property."""
    path, node = next(
        (path, node) for path, node in _nodes(snapshots.rootSnapshotList) if node.snapshot._moId == found._moId
    )
    return SnapshotSeen(
        path=path,
        moid=found._moId,
        # what power it reverts to: a running machine's snapshot without memory reverts to off, and says so here
        with_memory=node.state == vim.VirtualMachine.PowerState.poweredOn,
        taken=node.createTime,
    )


def snapshots_named(snapshots: Any, start: str) -> list[Any]:
    """List the snapshots whose name begins so, out of the machine's ``snapshot`` property, None without any."""
    tree = snapshots.rootSnapshotList if snapshots is not None else ()
    return [node for _, node in _nodes(tree) if node.name.startswith(start)]


def _nodes(tree: Sequence[Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for node in tree:
        yield above + node.name, node
        yield from _nodes(node.childSnapshotList or (), f"{above}{node.name}/")


def time_of(session: Session) -> datetime:
    """Ask what time it is by the vCenter's clock."""
    told: datetime = vim.ServiceInstance("ServiceInstance", session.stub).CurrentTime()
    return told


def lacking(session: Session, things: Mapping[str, Any], privileges: Sequence[str]) -> dict[str, list[str]]:
    """Ask which of the privileges our user lacks on which of the named objects of the inventory, in one call.

    Gives privileges with the names of the objects they lack on; empty when all are there.
    """
    if not things or not privileges:
        return {}
    content = session.content
    mine = session.read(content.sessionManager, "currentSession")["currentSession"]
    names = {thing._moId: name for name, thing in things.items()}
    rows = content.authorizationManager.HasPrivilegeOnEntities(list(things.values()), mine.key, list(privileges))
    lacks: dict[str, list[str]] = {}
    for row in rows:
        for privilege in row.privAvailability or ():
            if not privilege.isGranted:
                lacks.setdefault(privilege.privId, []).append(names[row.entity._moId])
    return lacks
