"""Instant clone: a machine of its own that goes on from where the running source is, used once and destroyed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyVmomi import vim

from harness.errors import MachineFailed
from harness.machines.border import crossing
from harness.machines.customising import guestinfo
from harness.machines.machine import Machine
from harness.machines.marks import Mark
from harness.machines.places import location
from harness.machines.strategies.clone import clone_in_use, slot_of
from harness.machines.strategies.supplying import Asked, Supplied


@contextmanager
def supply(asked: Asked) -> Iterator[Supplied]:
    """Clone the entry's machine as it runs; one that was frozen gives every clone the same start."""
    entry = slot_of(asked)
    source = asked.vcenter.machine(entry)
    state = "frozen" if _is_frozen(source) else "running, not frozen"

    def ask(name: str, folder: Any, mark: Mark) -> Any:
        asked.fence()
        where = location(source._session, entry.clones)
        where.folder = folder
        spec = vim.vm.InstantCloneSpec(name=name, location=where, config=[*mark.options(), *guestinfo(entry, name)])
        return source._vm.InstantClone_Task(spec)

    how = f"cloned instantly from {source.name} ({state})"
    with clone_in_use(asked, source, ask, how, ready=lambda _: None) as supplied:
        yield supplied


def _is_frozen(source: Machine) -> bool:
    with crossing(source._site, source.name, "looking at the source of clones"):
        seen = source._session.read(source._vm, "runtime.powerState", "runtime.instantCloneFrozen")
    if seen.get("runtime.powerState") != vim.VirtualMachine.PowerState.poweredOn:
        raise MachineFailed(
            "it is the source of instant clones, and is not powered on",
            machine=source.name,
            advice='power it on, let Windows come up and freeze it, or add: fallback = "linked-clone"',
        )
    return bool(seen.get("runtime.instantCloneFrozen"))
