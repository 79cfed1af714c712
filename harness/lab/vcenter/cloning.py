"""Making machines of a machine: full and linked clones, and instant clones of one that runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.lab.vcenter.entities import Task
from harness.lab.vcenter.snapshots import Snapshot
from harness.lab.vcenter.soap import Call, vim, vmodl

if TYPE_CHECKING:
    from harness.lab.guest import LabGuest
    from harness.lab.vcenter.places import Folder
    from harness.lab.vcenter.virtualmachine import VirtualMachine

#: Where a clone's own address stands for its guest to take, as vSphere customises no instant clone.
_ADDRESS = re.compile(r"guestinfo\..*\baddress")

_LINKED = ("createNewChildDiskBacking", "moveChildMostDiskBacking")


def clone(vm: VirtualMachine, call: Call) -> Any:
    """Answer CloneVM_Task: a machine with the disk of a snapshot, or of this moment."""
    spec, folder = call["spec"], vm.premises.folder(call["folder"])
    source = None if spec.snapshot is None else vm.premises.inventory.find(spec.snapshot)
    if source is not None and (not isinstance(source, Snapshot) or source.vm is not vm):
        raise vmodl.fault.InvalidArgument(invalidProperty="spec.snapshot", msg="The snapshot is of another machine.")
    if spec.location.diskMoveType == "createNewChildDiskBacking" and source is None:
        raise vmodl.fault.InvalidArgument(invalidProperty="spec.snapshot", msg="A linked clone needs a snapshot.")
    if spec.template or spec.memory:
        raise vmodl.fault.NotSupported(msg="The lab clones no templates and no memory.")
    computer, address = _customised(spec.customization, call["name"])
    extra = {} if spec.config is None else _extra(spec.config.extraConfig)

    async def work(task: Task) -> Any:
        with vm.premises.naming(folder, call["name"]):
            key = source.key if isinstance(source, Snapshot) else vm.premises.inventory.number("disk")
            if source is None:
                await vm.guest.snapshot(key)
            try:
                guest = await vm.guest.clone(vm.premises.guest_name(_plain(call["name"])), key)
            finally:
                if source is None:
                    await vm.guest.drop_snapshot(key)
            guest.given_name = computer
            task.note(progress=60)
            made = await _made(vm, guest, call["name"], folder, address or _told_address(extra))
            made.extra.update(extra)
            if spec.location.diskMoveType in _LINKED:
                made.disk_parent = f"[{vm.premises.datastore.name}] {vm.folder_name}/{vm.folder_name}.vmdk"
            made.is_customised = spec.customization is not None
            if spec.config is not None and spec.config.annotation is not None:
                made.annotation = spec.config.annotation
            vm.premises.house(made)  # only now, for nobody is to see it without its marks
        if spec.powerOn:
            await guest.power_on()
        return made.ref

    return vm.operate(call, work, shares=True)


def instant_clone(vm: VirtualMachine, call: Call) -> Any:
    """Answer InstantClone_Task: a machine that runs at once, of one that runs or is frozen."""
    spec = call["spec"]
    assert vm.parent is not None  # noqa: S101 - a machine is always in a folder
    folder = vm.premises.folder(spec.location.folder or vm.parent.ref)
    extra = _extra(spec.config)

    async def work(task: Task) -> Any:
        vm.require("poweredOn")
        with vm.premises.naming(folder, spec.name):
            guest = await vm.guest.instant_clone(vm.premises.guest_name(_plain(spec.name)))
            task.note(progress=80)
            made = await _made(vm, guest, spec.name, folder, _told_address(extra))
            made.uuid = spec.biosUuid or made.uuid
            made.extra.update(extra)
            made.disk_parent = f"[{vm.premises.datastore.name}] {vm.folder_name}/{vm.folder_name}.vmdk"
            vm.premises.house(made)
        return made.ref

    return vm.operate(call, work, shares=True)


async def _made(vm: VirtualMachine, guest: LabGuest, name: str, folder: Folder, address: str) -> VirtualMachine:
    """Give a new guest its address and make a machine of it; it is gone again when there is no such address."""
    try:
        place = await vm.premises.admit(guest, address)
    except LookupError as error:
        await guest.destroy()
        raise vim.fault.CustomizationFault(msg=str(error)) from error
    made = type(vm)(name, folder, guest, place, vm.premises)
    made.annotation, made.extra = vm.annotation, dict(vm.extra)
    return made


def _extra(options: list[Any]) -> dict[str, str]:
    return {option.key: str(option.value or "") for option in options}


def _customised(spec: Any, name: str) -> tuple[str, str]:
    """Read from a customization what a lab guest can take on: its computer name and a fixed address, empty if none."""
    if spec is None:
        return "", ""
    identity, computer = spec.identity, ""
    if isinstance(identity, vim.vm.customization.Sysprep):
        chosen = identity.userData.computerName
        computer = chosen.name if isinstance(chosen, vim.vm.customization.FixedName) else name
    elif not isinstance(identity, vim.vm.customization.IdentitySettings):
        raise vmodl.fault.InvalidArgument(invalidProperty="spec.customization.identity", msg="Windows takes a Sysprep.")
    adapters = [mapping.adapter.ip for mapping in spec.nicSettingMap]
    if len(adapters) > 1:
        raise vim.fault.NicSettingMismatch(numberOfNicsInSpec=len(adapters), numberOfNicsInVM=1, msg="one adapter")
    fixed = [ip.ipAddress for ip in adapters if isinstance(ip, vim.vm.customization.FixedIp)]
    return computer, fixed[0] if fixed else ""


def _told_address(extra: dict[str, str]) -> str:
    return next((value for key, value in extra.items() if _ADDRESS.fullmatch(key)), "")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9-]+", "-", name.casefold()).strip("-") or "clone"
