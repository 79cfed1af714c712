"""Snapshots of a virtual machine: a tree of moments that it can be put back to, with the settings it had then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from harness.lab.vcenter import description
from harness.lab.vcenter.entities import Task
from harness.lab.vcenter.objects import Served, answers, shows
from harness.lab.vcenter.soap import Call, vim, vmodl

if TYPE_CHECKING:
    from harness.lab.vcenter.virtualmachine import VirtualMachine


class Snapshot(Served):
    """One snapshot: the key of the guest's disk, and what the machine's settings were."""

    kind = vim.vm.Snapshot

    def __init__(self, vm: VirtualMachine, key: str, name: str, words: str, parent: Snapshot | None) -> None:
        super().__init__(vm.premises.inventory.number("snapshot"))
        self.vm, self.key, self.name, self.words, self.parent = vm, key, name, words, parent
        self.number = int(self.moid.rpartition("-")[2])
        self.created = datetime.now(UTC)
        self.children: list[Snapshot] = []
        self.annotation, self.extra = vm.annotation, dict(vm.extra)

    @property
    def is_missing(self) -> bool:
        """Whether the lab was asked to let it be gone."""
        gone = self.vm.premises.faults.shows("snapshot-missing", self.vm.name, snapshot=self.name)
        return gone or (self.parent is not None and self.parent.is_missing)

    def described(self) -> Any:
        """Describe it and those below it; the state is what a revert leaves the machine in."""
        state = "poweredOn" if self.vm.guest.holds_memory(self.key) else "poweredOff"
        return vim.vm.SnapshotTree(
            snapshot=self.ref, vm=self.vm.ref, name=self.name, description=self.words, id=self.number,
            createTime=self.created, state=state, quiesced=False, replaySupported=False,
            childSnapshotList=[child.described() for child in self.children if not child.is_missing],
        )  # fmt: skip

    def below(self) -> Iterator[Snapshot]:
        """Every snapshot below this one, the deepest first."""
        for child in self.children:
            yield from child.below()
            yield child

    @shows("config")
    def _config(self) -> Any:
        then = description.config(self.vm)
        then.annotation = self.annotation
        then.extraConfig = [vim.option.OptionValue(key=key, value=value) for key, value in sorted(self.extra.items())]
        return then

    @shows("childSnapshot")
    def _children(self) -> Any:
        return [child.ref for child in self.children]

    @shows("vm")
    def _vm(self) -> Any:
        return self.vm.ref

    @answers("RevertToSnapshot_Task")
    def _revert(self, call: Call) -> Any:
        return self.vm.operate(call, lambda _: self.vm.snapshots.revert(self, stay_off=bool(call["suppressPowerOn"])))

    @answers("RemoveSnapshot_Task")
    def _remove(self, call: Call) -> Any:
        gone = [*self.below(), self] if call["removeChildren"] else [self]
        return self.vm.operate(call, lambda task: self.vm.snapshots.remove(gone, task))

    @answers("RenameSnapshot")
    def _rename(self, call: Call) -> None:
        if call["name"] == "":
            raise vim.fault.InvalidName(name="", msg="A snapshot needs a name.")
        self.name = call["name"] if call["name"] is not None else self.name
        self.words = call["description"] if call["description"] is not None else self.words
        self.vm.premises.inventory.changed(self.vm)


class Snapshots:
    """The snapshots of one machine, and the one that its disk comes from."""

    def __init__(self, vm: VirtualMachine) -> None:
        self.vm = vm
        self.roots: list[Snapshot] = []
        self.current: Snapshot | None = None

    def all(self) -> list[Snapshot]:
        """Every snapshot, the deepest first."""
        return [snapshot for root in self.roots for snapshot in (*root.below(), root)]

    def put(self, key: str, name: str, words: str, created: datetime | None = None) -> Snapshot:
        """Enter a snapshot of the guest's disk as the newest one; the disk itself was taken by the guest."""
        snapshot = Snapshot(self.vm, key, name, words, self.current)
        snapshot.created = created or snapshot.created
        (self.current.children if self.current is not None else self.roots).append(snapshot)
        self.current = snapshot
        self.vm.premises.inventory.objects[snapshot.moid] = snapshot
        self.vm.premises.inventory.changed(self.vm)
        return snapshot

    async def take(self, name: str, words: str, *, memory: bool) -> Any:
        """Take a snapshot of the disk as it is now, with the memory if it is wanted and there is any."""
        key = self.vm.premises.inventory.number("disk")
        await self.vm.guest.snapshot(key, memory=memory and self.vm.is_on)
        return self.put(key, name, words).ref

    async def revert(self, to: Snapshot | None, *, stay_off: bool = False) -> None:
        """Put disk and settings back; with a snapshot that holds memory the machine is on then, unless told not to."""
        if to is None:
            raise vim.fault.NotFound(msg="The machine has no current snapshot.")
        if to not in self.all() or to.is_missing:
            raise vmodl.fault.ManagedObjectNotFound(obj=to.ref, msg="The snapshot has been removed.")
        self.vm.resuming = True  # what brings it on now is the memory of the snapshot
        try:
            await self.vm.guest.revert(to.key, stay_off=stay_off)
        finally:
            self.vm.resuming = False
        self.vm.premises.events.reverted(self.vm, to.name)
        self.vm.premises.audit.note("lab", "reverted", machine=self.vm.name, snapshot=to.name)
        self.current = to
        self.vm.annotation, self.vm.extra = to.annotation, dict(to.extra)
        self.vm.reverted()

    async def remove(self, gone: list[Snapshot], task: Task | None = None) -> None:
        """Take snapshots away, the deepest first; what is below one that goes moves up to its parent."""
        for count, snapshot in enumerate(gone):
            if snapshot not in self.all():
                continue
            await self.vm.guest.drop_snapshot(snapshot.key)
            siblings = snapshot.parent.children if snapshot.parent is not None else self.roots
            place = siblings.index(snapshot)
            siblings[place : place + 1] = snapshot.children
            for child in snapshot.children:
                child.parent = snapshot.parent
            if self.current is snapshot:
                self.current = snapshot.parent
            self.vm.premises.inventory.objects.pop(snapshot.moid, None)
            if task is not None:
                task.note(progress=100 * (count + 1) // len(gone))
        self.vm.premises.inventory.changed(None)
