"""Linked clone: a machine of its own on top of the source's snapshot, used once and destroyed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyVmomi import vim

from harness.machines.customising import customisation, guestinfo, until_customised
from harness.machines.inventory import find_snapshot
from harness.machines.machine import Machine
from harness.machines.marks import Mark
from harness.machines.places import location
from harness.machines.strategies.clone import clone_in_use, slot_of
from harness.machines.strategies.supplying import Asked, Supplied


@contextmanager
def supply(asked: Asked) -> Iterator[Supplied]:
    """Clone the snapshot of the entry's machine, with a disk that holds what changes, and power the clone on."""
    entry = slot_of(asked)
    source = asked.vcenter.machine(entry)
    session = source._session

    def ask(name: str, folder: Any, mark: Mark) -> Any:
        asked.fence()
        where = location(session, entry.clones)
        where.diskMoveType = "createNewChildDiskBacking"
        snapshots = session.read(source._vm, "snapshot").get("snapshot")
        spec = vim.vm.CloneSpec(
            location=where,
            snapshot=find_snapshot(source.name, snapshots, entry.snapshot),
            template=False,
            powerOn=True,
            config=vim.vm.ConfigSpec(extraConfig=[*mark.options(), *guestinfo(entry, name)]),
            customization=customisation(session, entry),
        )
        return source._vm.CloneVM_Task(folder, name, spec)

    def ready(clone: Machine) -> None:
        if entry.clones.customization is not None:
            until_customised(clone)

    how = f"cloned from {entry.snapshot!r} of {source.name}"
    with clone_in_use(asked, source, ask, how, ready=ready) as supplied:
        yield supplied
