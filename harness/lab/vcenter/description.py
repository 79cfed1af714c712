"""How a virtual machine describes itself: its properties, each made afresh from the state of its guest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from harness.lab.vcenter.customfields import values
from harness.lab.vcenter.customspecs import told_of
from harness.lab.vcenter.soap import vim

if TYPE_CHECKING:
    from harness.lab.vcenter.virtualmachine import VirtualMachine

_DISK = 64 * 1024**3
_NETWORK_DEVICE = 4000


def guest_id(vm: VirtualMachine) -> str:
    """Name the kind of Windows as vSphere does."""
    return "windows11_64Guest" if vm.guest.build.number >= 22000 else "windows9_64Guest"


def full_name(vm: VirtualMachine) -> str:
    """Name the kind of Windows in vSphere's words for people."""
    return f"Microsoft Windows {'11' if vm.guest.build.number >= 22000 else '10'} (64-bit)"


def power_state(vm: VirtualMachine) -> str:
    """Say ``poweredOn`` or ``poweredOff``."""
    return "poweredOn" if vm.is_on else "poweredOff"


def connection_state(vm: VirtualMachine) -> str:
    """Say whether its host can be reached."""
    return "disconnected" if vm.premises.faults.shows("host-lost", vm.name) else "connected"


def runtime(vm: VirtualMachine) -> Any:
    """Power, host and the time of the last power-on; a restart of Windows does not change that time, as in vSphere."""
    return vim.vm.RuntimeInfo(
        host=vm.premises.host.ref, connectionState=connection_state(vm), powerState=power_state(vm),
        bootTime=vm.powered_since,
        faultToleranceState="notConfigured", toolsInstallerMounted=False, numMksConnections=0,
        recordReplayState="inactive", onlineStandby=False, consolidationNeeded=False, paused=False,
        suspendInterval=0, snapshotInBackground=False, instantCloneFrozen=vm.guest.is_frozen,
        cleanPowerOff=None if vm.is_on else vm.clean_shut_down,
    )  # fmt: skip


def guest(vm: VirtualMachine) -> Any:
    """Tell what VMware Tools would tell: nothing but the kind of Windows until the guest is up."""
    up = vm.guest.is_up
    told = vim.vm.GuestInfo(
        guestState="running" if up else "notRunning",
        toolsStatus="toolsOk" if up else "toolsNotRunning",
        toolsRunningStatus="guestToolsRunning" if up else "guestToolsNotRunning",
        toolsVersionStatus="guestToolsCurrent", toolsVersionStatus2="guestToolsCurrent", toolsVersion="12389",
        guestOperationsReady=up, interactiveGuestOperationsReady=False, guestStateChangeSupported=up,
        guestId=guest_id(vm), guestFullName=full_name(vm), guestFamily="windowsGuest",
        appHeartbeatStatus="appStatusGray", guestKernelCrashed=False,
    )  # fmt: skip
    if vm.is_customised:
        told.customizationInfo = told_of(up)
    if up:
        told.hostName = vm.host_name
    if vm.told_address:
        told.ipAddress = vm.told_address
        told.net = [
            vim.vm.GuestInfo.NicInfo(
                network=vm.premises.network.name, ipAddress=[vm.told_address], macAddress=mac_address(vm),
                connected=True, deviceConfigId=_NETWORK_DEVICE,
            )
        ]  # fmt: skip
    return told


def mac_address(vm: VirtualMachine) -> str:
    """Make an address of VMware's range from the machine's identifier."""
    digits = vm.uuid.replace("-", "")
    return f"00:50:56:{int(digits[:2], 16) & 0x3F:02x}:{digits[2:4]}:{digits[4:6]}"


def vmx_path(vm: VirtualMachine) -> str:
    """Say where its configuration would lie on the datastore."""
    return f"[{vm.premises.datastore.name}] {vm.folder_name}/{vm.folder_name}.vmx"


def config(vm: VirtualMachine) -> Any:
    """Describe the machine as configured: names, notes, extra settings, hardware."""
    folder = f"[{vm.premises.datastore.name}] {vm.folder_name}/"
    return vim.vm.ConfigInfo(
        changeVersion=str(vm.revision), modified=vm.modified, name=vm.name, guestFullName=full_name(vm),
        version="vmx-21", uuid=vm.uuid, instanceUuid=vm.instance_uuid, template=False, guestId=guest_id(vm),
        alternateGuestName=full_name(vm), annotation=vm.annotation, createDate=vm.created,
        files=vim.vm.FileInfo(vmPathName=vmx_path(vm), snapshotDirectory=folder, logDirectory=folder),
        flags=vim.vm.FlagInfo(snapshotDisabled=False, snapshotLocked=False),
        defaultPowerOps=vim.vm.DefaultPowerOpInfo(powerOffType="soft", defaultPowerOffType="soft"),
        hardware=vim.vm.VirtualHardware(numCPU=1, numCoresPerSocket=1, memoryMB=2048, device=_devices(vm, folder)),
        extraConfig=[vim.option.OptionValue(key=key, value=value) for key, value in sorted(vm.extra.items())],
        tools=vim.vm.ToolsConfigInfo(
            toolsVersion=12389, lastInstallInfo=vim.vm.ToolsConfigInfo.ToolsLastInstallInfo(counter=0)
        ),
        firmware="efi",
        bootOptions=vim.vm.BootOptions(
            bootDelay=0, enterBIOSSetup=False, efiSecureBootEnabled=False, bootRetryEnabled=False, bootRetryDelay=10000,
        ),
        datastoreUrl=[vim.vm.ConfigInfo.DatastoreUrlPair(name=vm.premises.datastore.name, url="ds:///vmfs/volumes/lab/")],
    )  # fmt: skip


def _devices(vm: VirtualMachine, folder: str) -> list[Any]:
    device, described = vim.vm.device, vim.Description
    disk = device.VirtualDisk.FlatVer2BackingInfo(
        fileName=f"{folder}{vm.folder_name}.vmdk", datastore=vm.premises.datastore.ref, diskMode="persistent",
        thinProvisioned=True,
    )  # fmt: skip
    if vm.disk_parent:
        disk.parent = device.VirtualDisk.FlatVer2BackingInfo(fileName=vm.disk_parent, diskMode="persistent")
    network = vm.premises.network
    return [
        device.ParaVirtualSCSIController(
            key=1000, busNumber=0, sharedBus="noSharing", device=[2000], scsiCtlrUnitNumber=7,
            deviceInfo=described(label="SCSI controller 0", summary="VMware paravirtual SCSI"),
        ),
        device.VirtualDisk(
            key=2000, controllerKey=1000, unitNumber=0, backing=disk, capacityInKB=_DISK // 1024,
            capacityInBytes=_DISK, deviceInfo=described(label="Hard disk 1", summary=f"{_DISK // 1024:,} KB"),
        ),
        device.VirtualVmxnet3(
            key=_NETWORK_DEVICE, addressType="assigned", macAddress=mac_address(vm),
            backing=device.VirtualEthernetCard.NetworkBackingInfo(deviceName=network.name, network=network.ref),
            connectable=device.VirtualDevice.ConnectInfo(
                startConnected=True, allowGuestControl=True, connected=vm.is_on
            ),
            deviceInfo=described(label="Network adapter 1", summary=network.name),
        ),
    ]  # fmt: skip


def summary(vm: VirtualMachine) -> Any:
    """Say the short of it, as lists of machines show it."""
    told, up_for = guest(vm), (datetime.now(UTC) - vm.powered_since).total_seconds() if vm.powered_since else 0
    return vim.vm.Summary(
        vm=vm.ref,
        runtime=runtime(vm),
        config=vim.vm.Summary.ConfigSummary(
            name=vm.name, template=False, vmPathName=vmx_path(vm), memorySizeMB=2048, numCpu=1,
            numEthernetCards=1, numVirtualDisks=1, uuid=vm.uuid, instanceUuid=vm.instance_uuid, guestId=guest_id(vm),
            guestFullName=full_name(vm), annotation=vm.annotation,
        ),
        guest=vim.vm.Summary.GuestSummary(
            guestId=told.guestId, guestFullName=told.guestFullName, toolsStatus=told.toolsStatus,
            toolsVersionStatus2=told.toolsVersionStatus2, toolsRunningStatus=told.toolsRunningStatus,
            hostName=told.hostName, ipAddress=told.ipAddress,
        ),
        quickStats=vim.vm.Summary.QuickStats(guestHeartbeatStatus=heartbeat(vm), uptimeSeconds=int(up_for)),
        overallStatus="green",
    )  # fmt: skip


def heartbeat(vm: VirtualMachine) -> str:
    """Green while the guest is up, gray otherwise."""
    return "green" if vm.guest.is_up else "gray"


def capability(_: VirtualMachine) -> Any:
    """Say what can be done with it."""
    able = (
        "snapshotOperationsSupported multipleSnapshotsSupported poweredOffSnapshotsSupported revertToSnapshotSupported "
        "snapshotConfigSupported memorySnapshotsSupported"
    )
    return vim.vm.Capability(**dict.fromkeys(able.split(), True))


def snapshot_tree(vm: VirtualMachine) -> Any:
    """Describe the tree of snapshots, None when there are none, as in vSphere."""
    roots = [snapshot.described() for snapshot in vm.snapshots.roots if not snapshot.is_missing]
    if not roots:
        return None
    current = vm.snapshots.current
    shown = None if current is None or current.is_missing else current.ref
    return vim.vm.SnapshotInfo(rootSnapshotList=roots, currentSnapshot=shown)


PROPERTIES: dict[str, Callable[[Any], Any]] = {
    "capability": capability,
    "config": config,
    "runtime": runtime,
    "guest": guest,
    "summary": summary,
    "snapshot": snapshot_tree,
    "guestHeartbeatStatus": heartbeat,
    "rootSnapshot": lambda vm: [snapshot.ref for snapshot in vm.snapshots.roots],
    "datastore": lambda vm: [vm.premises.datastore.ref],
    "network": lambda vm: [vm.premises.network.ref],
    "customValue": values,
    "value": values,
    "availableField": lambda vm: vm.premises.fields.of(vm),
    "resourcePool": lambda vm: vm.premises.pool.ref,
}
