"""Revert: the machine itself goes back to its snapshot, and on from there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.machines.addresses import PATHS, Settling, settled_address, told
from harness.machines.border import crossing
from harness.machines.strategies.supplying import Asked, Supplied
from harness.site import FROM_TOOLS


@contextmanager
def supply(asked: Asked) -> Iterator[Supplied]:
    """Revert; a snapshot that holds memory finds Windows up, another one has it boot. ``how`` says which it was."""
    site = asked.vcenter.site
    machine = asked.vcenter.machine(asked.entry, fence=asked.fence)
    from_tools = asked.entry.address == FROM_TOOLS
    before: list[str] = []
    if from_tools:
        with crossing(site, machine.name, "asking for its address"):
            before = told(machine._session.read(machine._vm, *PATHS))
    how = machine.revert()
    if from_tools:
        settling = Settling(before=before, settle=site.budgets.settle, report=site.budgets.tools)
        with crossing(site, machine.name, "asking VMware Tools for its address"):
            address = settled_address(machine._session, machine._vm, machine.name, settling, within=site.budgets.ready)
        machine = machine.reached_at(address)
    yield Supplied(machine, how)
