"""The inventory's tree: one datacenter with one host, one datastore, one network, and folders of machines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness.lab.audit import Audit
from harness.lab.faults.asked import Faults
from harness.lab.vcenter.customfields import CustomFields
from harness.lab.vcenter.customspecs import CustomizationSpecs
from harness.lab.vcenter.entities import Entity, Task
from harness.lab.vcenter.events import Events
from harness.lab.vcenter.objects import Inventory, Served, answers
from harness.lab.vcenter.places import (
    ComputeResource,
    Datacenter,
    Datastore,
    Folder,
    Host,
    Network,
    Pool,
    reference,
)
from harness.lab.vcenter.soap import Call, vim, vmodl
from harness.lab.vcenter.tasks import Tasks
from harness.lab.vcenter.virtualmachine import VirtualMachine

if TYPE_CHECKING:
    from harness.lab.guest import LabGuest

_GIB = 1024**3


class FileManager(Served):
    """Deletes files from the datastore."""

    kind = vim.FileManager

    def __init__(self, premises: Premises) -> None:
        super().__init__("FileManager")
        self.premises = premises

    @answers("DeleteDatastoreFile_Task")
    def _delete(self, call: Call) -> Any:
        store = self.premises.datastore

        async def work(_: Task) -> None:
            path = call["name"].removeprefix(f"[{store.name}]").strip()
            if store.files.pop(path, None) is None:
                raise vim.fault.FileNotFound(file=call["name"], msg=f"File {call['name']} was not found")

        return self.premises.tasks.start(call.method, store, call.user, work).ref


class Premises:
    """The tree, and what a machine needs of it: places, names, and somebody who gives its guest an address."""

    def __init__(
        self,
        inventory: Inventory,
        *,
        admit: Callable[[LabGuest, str], Awaitable[str]],
        dismiss: Callable[[LabGuest], Awaitable[None]],
        audit: Audit,
        faults: Faults,
    ) -> None:
        self.inventory, self.admit, self.dismiss = inventory, admit, dismiss
        self.audit, self.faults = audit, faults
        self._of: dict[LabGuest, VirtualMachine] = {}
        self._coming: set[tuple[Folder, str]] = set()
        self._guests: set[str] = set()
        self.tasks = Tasks(inventory)
        self.fields = CustomFields(inventory)
        self.events = Events(inventory)
        self.root = Folder("group-d1", "Datacenters", None, [vim.Folder, vim.Datacenter])
        self.datacenter = Datacenter("datacenter-1", "Lab", self.root)
        self.root.held.append(self.datacenter)
        for word, name, kinds in _FOLDERS:
            self.datacenter.folders[name] = Folder(inventory.number(word), name, self.datacenter, kinds)
        folders = self.datacenter.folders
        self.compute = ComputeResource("domain-s1", "lab-host", folders["host"], self._compute())
        self.host = Host("host-1", "lab-host", self.compute, self._host())
        self.pool = Pool("resgroup-1", "Resources", self.compute, self._pool())
        self.datastore = Datastore("datastore-1", "lab", folders["datastore"], self._datastore())
        self.network = Network("network-1", "Lab loopback", folders["network"], self._network())
        self.compute.below_it = [self.host, self.pool]
        for name, held in (("host", self.compute), ("datastore", self.datastore), ("network", self.network)):
            folders[name].held.append(held)
        self.datacenter.properties = {
            **Datacenter.properties,
            **{f"{name}Folder": reference(folder) for name, folder in folders.items()},
            "datastore": lambda _: [self.datastore.ref],
            "network": lambda _: [self.network.ref],
            "configuration": lambda _: vim.Datacenter.ConfigInfo(),
        }
        folders["vm"].new_folder, folders["vm"].move_into = self.new_folder, self.move_into
        self.windows = self.new_folder(folders["vm"], "Windows")
        for thing in (
            self.root,
            self.tasks,
            self.fields,
            self.events,
            FileManager(self),
            CustomizationSpecs(),
            *self.root.below(),
        ):
            inventory.add(thing)

    def machines(self) -> list[VirtualMachine]:
        """Every machine, in the order of the tree."""
        return [entity for entity in self.root.below() if isinstance(entity, VirtualMachine)]

    def name_of(self, guest: LabGuest) -> str:
        """Tell what the machine is called that a guest is in; a guest's own name before it is in one."""
        vm = self._of.get(guest)
        return vm.name if vm is not None else guest.name

    def new_folder(self, parent: Folder, name: str) -> Folder:
        """Make a folder for machines; raises InvalidName or DuplicateName."""
        self.check_name(parent, name)
        folder = Folder(self.inventory.number("group-v"), name, parent, [vim.Folder, vim.VirtualMachine])
        folder.new_folder, folder.move_into = self.new_folder, self.move_into
        parent.held.append(folder)
        self.inventory.add(folder)
        return folder

    def move_into(self, folder: Folder, call: Call) -> Any:
        """Begin to move machines into another folder; their references stay."""
        moved = [self.inventory.find(each) for each in call["list"]]

        async def work(_: Task) -> None:
            for vm in moved:
                if not isinstance(vm, VirtualMachine):
                    raise vmodl.fault.NotSupported(msg="The lab moves machines only.")
                if vm.parent is not folder:
                    self.check_name(folder, vm.name)
                    assert isinstance(vm.parent, Folder)  # noqa: S101 - a machine is always in a folder
                    vm.parent.held.remove(vm)
                    folder.held.append(vm)
                    vm.parent = folder
            self.inventory.changed(None)

        return self.tasks.start(call.method, folder, call.user, work).ref

    def folder(self, reference: Any) -> Folder:
        """Find a folder that may hold machines; raises InvalidArgument for another."""
        folder = self.inventory.find(reference)
        if not isinstance(folder, Folder) or vim.VirtualMachine not in folder.kinds:
            raise vmodl.fault.InvalidArgument(invalidProperty="folder", msg="The folder holds no machines.")
        return folder

    def check_name(self, folder: Entity, name: str) -> None:
        """Raise InvalidName or DuplicateName unless a machine may have this name here."""
        if not name or len(name) > 80 or "/" in name:
            raise vim.fault.InvalidName(name=name, msg=f"{name!r} cannot be the name of a machine.")
        taken = next((child for child in folder.children if child.name == name), None)
        if taken is not None:
            raise vim.fault.DuplicateName(name=name, object=taken.ref, msg=f"The name {name!r} already exists.")

    def guest_name(self, wanted: str) -> str:
        """Find a name for a new guest that no other guest has."""
        name = wanted
        while name in self._guests:
            name = self.inventory.number(wanted)
        self._guests.add(name)
        return name

    @contextmanager
    def naming(self, folder: Folder, name: str) -> Iterator[None]:
        """Keep a name free for a machine that is being made; raises InvalidName or DuplicateName."""
        self.check_name(folder, name)
        if (folder, name) in self._coming:
            raise vim.fault.DuplicateName(name=name, object=folder.ref, msg=f"The name '{name}' already exists.")
        self._coming.add((folder, name))
        try:
            yield
        finally:
            self._coming.remove((folder, name))

    def house(self, vm: VirtualMachine) -> None:
        """Put a machine into its folder."""
        assert isinstance(vm.parent, Folder)  # noqa: S101 - machines are made for a folder
        vm.parent.held.append(vm)
        self._of[vm.guest] = vm
        self._guests.add(vm.guest.name)
        self.inventory.add(vm)

    def evict(self, vm: VirtualMachine) -> None:
        """Take a machine and its snapshots out of the inventory."""
        assert isinstance(vm.parent, Folder)  # noqa: S101 - machines are made for a folder
        vm.parent.held.remove(vm)
        self._of.pop(vm.guest, None)
        self._guests.discard(vm.guest.name)
        for snapshot in vm.snapshots.all():
            self.inventory.objects.pop(snapshot.moid, None)
        self.inventory.remove(vm)

    def _all(self) -> Any:
        return [vm.ref for vm in self.machines()]

    def _compute(self) -> dict[str, Callable[[], Any]]:
        return {
            "host": lambda: [self.host.ref],
            "resourcePool": lambda: self.pool.ref,
            "datastore": lambda: [self.datastore.ref],
            "network": lambda: [self.network.ref],
            "summary": lambda: vim.ComputeResource.Summary(
                totalCpu=4000, totalMemory=8 * _GIB, numCpuCores=2, numCpuThreads=2, effectiveCpu=4000,
                effectiveMemory=8192, numHosts=1, numEffectiveHosts=1, overallStatus="green",
            ),
            "configurationEx": lambda: vim.ComputeResource.ConfigInfo(vmSwapPlacement="vmDirectory"),
        }  # fmt: skip

    def _host(self) -> dict[str, Callable[[], Any]]:
        def runtime() -> Any:
            state = "disconnected" if self.faults.shows("host-lost", "") else "connected"
            return vim.host.RuntimeInfo(connectionState=state, powerState="poweredOn", inMaintenanceMode=False)

        config = vim.host.Summary.ConfigSummary(
            name="lab-host", port=902, vmotionEnabled=False, faultToleranceEnabled=False
        )
        return {
            "runtime": runtime,
            "summary": lambda: vim.host.Summary(
                host=self.host.ref, runtime=runtime(), config=config, quickStats=vim.host.Summary.QuickStats(),
                overallStatus="green", rebootRequired=False,
            ),
            "vm": self._all,
            "datastore": lambda: [self.datastore.ref],
            "network": lambda: [self.network.ref],
        }  # fmt: skip

    def _pool(self) -> dict[str, Callable[[], Any]]:
        def share() -> Any:
            return vim.ResourceAllocationInfo(reservation=0, limit=-1, expandableReservation=True)

        def config() -> Any:
            return vim.ResourceConfigSpec(entity=self.pool.ref, cpuAllocation=share(), memoryAllocation=share())

        def runtime() -> Any:
            usage = vim.ResourcePool.ResourceUsage
            return vim.ResourcePool.RuntimeInfo(memory=usage(), cpu=usage(), overallStatus="green")

        return {
            "owner": lambda: self.compute.ref,
            "vm": self._all,
            "config": config,
            "runtime": runtime,
            "summary": lambda: vim.ResourcePool.Summary(name="Resources", config=config(), runtime=runtime()),
        }

    def _datastore(self) -> dict[str, Callable[[], Any]]:
        url = "ds:///vmfs/volumes/lab/"
        return {
            "vm": self._all,
            "info": lambda: vim.Datastore.Info(name="lab", url=url, freeSpace=512 * _GIB, maxFileSize=64 * _GIB),
            "summary": lambda: vim.Datastore.Summary(
                datastore=self.datastore.ref, name="lab", url=url, capacity=1024 * _GIB, freeSpace=512 * _GIB,
                accessible=True, type="VMFS", maintenanceMode="normal", multipleHostAccess=False,
            ),
            "host": lambda: [
                vim.Datastore.HostMount(key=self.host.ref, mountInfo=vim.host.MountInfo(accessMode="readWrite"))
            ],
            "capability": lambda: vim.Datastore.Capability(
                directoryHierarchySupported=True, rawDiskMappingsSupported=False, perFileThinProvisioningSupported=True,
            ),
        }  # fmt: skip

    def _network(self) -> dict[str, Callable[[], Any]]:
        return {
            "vm": self._all,
            "host": lambda: [self.host.ref],
            "summary": lambda: vim.Network.Summary(
                network=self.network.ref, name=self.network.name, accessible=True, ipPoolName=""
            ),
        }


_FOLDERS: tuple[tuple[str, str, list[Any]], ...] = (
    ("group-v", "vm", [vim.Folder, vim.VirtualMachine]),
    ("group-h", "host", [vim.Folder, vim.ComputeResource]),
    ("group-s", "datastore", [vim.Folder, vim.Datastore]),
    ("group-n", "network", [vim.Folder, vim.Network]),
)
