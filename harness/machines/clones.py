"""Every clone of ours in the inventory, whose it is, and the end of those that nobody wants any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pyVmomi import vim, vmodl

from harness.errors import SiteError
from harness.machines.border import crossing
from harness.machines.destroying import destroy
from harness.machines.drawing import CLONE
from harness.machines.inventory import paths_of
from harness.machines.machine import Machine
from harness.machines.marks import Mark, mark_in
from harness.machines.vcenter import VCenter


@dataclass(frozen=True, slots=True)
class Clone:
    """A clone in the inventory: where it is, whose it is, and whether its run is dead by the vCenter's clock."""

    path: str
    mark: Mark
    on: bool
    is_orphan: bool
    _vm: Any = field(repr=False)

    def __str__(self) -> str:
        kept = f", kept: {self.mark.kept}" if self.mark.kept else ""
        state = "orphan" if self.is_orphan else "wanted"
        until = f"{self.mark.until.astimezone():%Y-%m-%d %H:%M:%S}"
        return f"{self.path}  {'on' if self.on else 'off'}  {state} until {until}  {self.mark.holder}{kept}"


def clones_of(vcenter: VCenter) -> list[Clone]:
    """List every clone that carries our mark, in the order of their paths; raises SiteError."""
    session = vcenter._session
    with crossing(vcenter.site, "clones", "looking for clones", otherwise=SiteError):
        now = vcenter.now()
        with session.everything_of([vim.VirtualMachine]) as objects:
            rows = session.retrieve(objects, {vim.VirtualMachine: ("name", "parent")})
        seen = {row.obj._moId: {prop.name: prop.val for prop in row.propSet or ()} for row in rows}
        # settings are long, and an inventory may have thousands of machines: only those that are named like clones
        named = {moid: facts for moid, facts in seen.items() if str(facts.get("name", "")).startswith(CLONE)}
        found = [_look(vcenter, place.vm, place.path, now) for place in paths_of(session, named)]
    return sorted((clone for clone in found if clone is not None), key=lambda clone: clone.path)


def clone_of(vcenter: VCenter, machine: Machine) -> Clone | None:
    """Tell whose clone a machine is; None when it is no clone of ours. Raises SiteError."""
    with crossing(vcenter.site, machine.name, "looking whose clone it is", otherwise=SiteError):
        return _look(vcenter, machine._vm, machine.path, vcenter.now())


def destroy_clone(vcenter: VCenter, clone: Clone) -> None:
    """Destroy a clone that is given back, with what it holds; raises SiteError."""
    with crossing(vcenter.site, clone.path, "destroying the clone"):
        destroy(vcenter._session, vcenter._tasks, clone._vm)


def _look(vcenter: VCenter, vm: Any, path: str, now: datetime) -> Clone | None:
    try:
        seen = vcenter._session.read(vm, "config.extraConfig", "runtime.powerState")
    except vmodl.fault.ManagedObjectNotFound:
        return None  # destroyed a moment ago
    mark = mark_in(seen.get("config.extraConfig"))
    if mark is None:
        return None
    on = seen.get("runtime.powerState") == vim.VirtualMachine.PowerState.poweredOn
    return Clone(path, mark, on, mark.over(now), vm)


def reap(vcenter: VCenter, *, run: str = "") -> Iterator[tuple[Clone, str]]:
    """Destroy the clones of dead runs, or those of one ``run``, which has ended; kept ones stay until their time.

    Gives each with what went wrong, or nothing. Raises SiteError when the inventory cannot be read.
    """
    for clone in clones_of(vcenter):
        if clone.is_orphan or (run and clone.mark.run == run and not clone.mark.kept):
            trouble = _reaped(vcenter, clone, run)
            if trouble is not None:
                yield clone, trouble


def _reaped(vcenter: VCenter, clone: Clone, run: str) -> str | None:
    """Destroy one; None when its run turned out to live."""
    try:
        with crossing(vcenter.site, clone.path, "destroying the clone"):
            # looked at again right before: a run that had lost its vCenter for a while may have found it again
            again = _look(vcenter, clone._vm, clone.path, vcenter.now())
            if again is None or not (again.is_orphan or (run and again.mark.run == run)):
                return None
            destroy_clone(vcenter, clone)
    except SiteError as error:
        return str(error)
    return ""


def told(reaped: Sequence[tuple[Clone, str]]) -> list[str]:
    """Say in sentences what was reaped and what could not be."""
    gone = [clone.path for clone, trouble in reaped if not trouble]
    sentences = [f"destroyed {len(gone)} clones of runs that died: {', '.join(gone)}"] if gone else []
    return sentences + [trouble for _, trouble in reaped if trouble]
