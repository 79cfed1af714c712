"""Machines through the real client: power, snapshots, clones, and the faults that vCenter has for each."""

from __future__ import annotations

from typing import Any

import pytest

from tests.waiting import until

from .vcenter_served import Served, vim, vmodl, wait_for


def test_power_is_a_task_and_windows_comes_later(served: Served, vm: Any) -> None:
    """Power-on succeeds when there is power; the tools are running when Windows is up."""
    served.guests["a"].boots_in = 600
    assert vm.runtime.powerState == "poweredOff"
    assert vm.runtime.bootTime is None
    task = vm.PowerOn()
    assert wait_for(task) == "success"
    assert task.info.entity == vm
    assert task.info.descriptionId == "VirtualMachine.powerOn"
    assert vm.runtime.powerState == "poweredOn"
    assert vm.runtime.bootTime is not None
    assert vm.guest.toolsRunningStatus == "guestToolsNotRunning"
    assert vm.guest.ipAddress is None
    with pytest.raises(vim.fault.ToolsUnavailable):
        vm.ShutdownGuest()
    served.guests["a"].boots_in = 0.01
    served.do(served.guests["a"]._come_up())
    until(lambda: vm.guest.toolsRunningStatus == "guestToolsRunning")
    assert (vm.guest.ipAddress, vm.guest.hostName) == ("127.0.0.11", "A")
    assert wait_for(vm.PowerOff()) == "success"
    assert vm.guest.guestState == "notRunning"
    assert vm.runtime.bootTime is None


def test_power_that_is_there_already_is_an_invalid_power_state(vm: Any) -> None:
    """The fault names the state that is and the state that was asked for."""
    with pytest.raises(vim.fault.InvalidPowerState) as off:
        wait_for(vm.PowerOff())
    assert (off.value.existingState, off.value.requestedState) == ("poweredOff", "poweredOn")
    wait_for(vm.PowerOn())
    with pytest.raises(vim.fault.InvalidPowerState):
        wait_for(vm.PowerOn())
    with pytest.raises(vim.fault.InvalidPowerState):
        wait_for(vm.Destroy())


def test_a_restart_keeps_the_power_on(served: Served, vm: Any) -> None:
    """RebootGuest and Reset restart Windows without the machine ever being off for a client."""
    wait_for(vm.PowerOn())
    until(lambda: served.guests["a"].is_up)
    since, boot = vm.runtime.bootTime, served.guests["a"].boot_id
    vm.RebootGuest()
    until(lambda: served.guests["a"].is_up and served.guests["a"].boot_id != boot)
    boot = served.guests["a"].boot_id
    wait_for(vm.Reset())
    until(lambda: served.guests["a"].is_up and served.guests["a"].boot_id != boot)
    assert vm.runtime.powerState == "poweredOn"
    assert vm.runtime.bootTime == since
    vm.ShutdownGuest()
    until(lambda: vm.runtime.powerState == "poweredOff")


def test_one_operation_at_a_time(served: Served, vm: Any) -> None:
    """A second operation on a busy machine ends with TaskInProgress, which names the first."""
    served.fault("task-never-ends", machine="a", method="PowerOnVM_Task")  # it is at work for as long as this looks
    first, second = vm.PowerOn(), vm.CreateSnapshot("x", "", False, False)
    with pytest.raises(vim.fault.TaskInProgress) as busy:
        wait_for(second)
    assert busy.value.task == first
    assert first.info.state == "running"
    assert vm.recentTask == [first, second]
    served.clear()
    assert wait_for(first) == "success"


def test_a_task_that_has_ended_is_recent_for_a_while(si: Any, vm: Any) -> None:
    """Whoever lost touch finds a finished task, of the machine and of the task manager, for some minutes."""
    task = vm.PowerOn()
    wait_for(task)
    assert vm.recentTask == [task]
    assert task in si.content.taskManager.recentTask


def test_a_revert_puts_disk_and_settings_back(served: Served, vm: Any) -> None:
    """Reverting powers off and puts back what the disk held, the annotation and the extra settings."""
    disk = served.guests["a"].disk
    disk["x"] = b"1"
    wait_for(vm.Reconfigure(vim.vm.ConfigSpec(annotation="one", extraConfig=[_option("guestinfo.x", "1")])))
    wait_for(vm.CreateSnapshot("first", "words", False, False))
    disk["x"] = b"2"
    wait_for(vm.Reconfigure(vim.vm.ConfigSpec(annotation="two", extraConfig=[_option("guestinfo.x", "")])))
    assert vm.config.annotation == "two"
    assert vm.config.extraConfig == []
    wait_for(vm.PowerOn())
    wait_for(vm.snapshot.currentSnapshot.Revert())
    assert served.guests["a"].disk == {"x": b"1"}
    assert (vm.config.annotation, vm.config.extraConfig[0].value) == ("one", "1")
    assert vm.runtime.powerState == "poweredOff"


def test_tools_tell_what_clients_read_without_looking(vm: Any) -> None:
    """A real vCenter always tells of the last installation of VMware Tools; clients take that for granted."""
    assert vm.config.tools.lastInstallInfo.counter == 0


def test_the_tree_of_snapshots(served: Served, vm: Any) -> None:
    """A snapshot taken after a revert is a second branch; removing one lifts its children."""
    clean = vm.snapshot.currentSnapshot
    wait_for(vm.CreateSnapshot("one", "", False, False))
    one = vm.snapshot.currentSnapshot
    wait_for(vm.CreateSnapshot("two", "", False, False))
    wait_for(clean.Revert())
    wait_for(vm.CreateSnapshotEx("three", "", False, None))
    vm.snapshot.currentSnapshot.Rename("drei", "renamed")
    assert _tree(vm) == {"clean": {"one": {"two": {}}, "drei": {}}}
    wait_for(one.Remove(removeChildren=False))
    assert _tree(vm) == {"clean": {"two": {}, "drei": {}}}
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        one.Revert()
    wait_for(clean.Remove(removeChildren=True))
    assert vm.snapshot is None
    assert served.guests["a"].kept == {}
    with pytest.raises(vim.fault.NotFound):
        wait_for(vm.RevertToCurrentSnapshot())


def test_what_the_lab_cannot_do_is_not_supported(vm: Any) -> None:
    """Suspending and new hardware are refused in words, never half done."""
    wait_for(vm.PowerOn())
    with pytest.raises(vmodl.fault.NotSupported, match="suspended"):
        vm.Suspend()
    with pytest.raises(vmodl.fault.NotSupported, match="memoryMB"):
        wait_for(vm.Reconfigure(vim.vm.ConfigSpec(memoryMB=4096)))
    with pytest.raises(vmodl.fault.NotSupported, match="AcquireTicket"):
        vm.AcquireTicket("webmks")


def test_a_linked_clone_is_a_machine_of_its_own(served: Served, si: Any, vm: Any) -> None:
    """A clone has the snapshot's disk, its own address and name, and can be destroyed."""
    clean = vm.snapshot.currentSnapshot
    place = vim.vm.RelocateSpec(diskMoveType="createNewChildDiskBacking")
    spec = vim.vm.CloneSpec(location=place, template=False, powerOn=True, snapshot=clean)
    task = vm.Clone(vm.parent, "my clone", spec)
    assert wait_for(task) == "success"
    clone = task.info.result
    assert clone.name == "my clone"
    assert clone.runtime.powerState == "poweredOn"
    assert clone.snapshot is None
    disk = next(device for device in clone.config.hardware.device if isinstance(device, vim.vm.device.VirtualDisk))
    assert disk.backing.parent.fileName == "[lab] a/a.vmdk"
    assert clone.config.uuid != vm.config.uuid
    with pytest.raises(vim.fault.DuplicateName):
        wait_for(vm.Clone(vm.parent, "my clone", spec))
    wait_for(clone.PowerOff())
    wait_for(clone.Destroy())
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        _ = clone.name
    assert si.content.searchIndex.FindByInventoryPath("Lab/vm/Windows/my clone") is None
    assert served.dismissed == ["my-clone"]


def test_a_full_clone_leaves_no_snapshot_behind(served: Served, vm: Any) -> None:
    """A clone without a snapshot takes the disk as it is, and the source keeps no trace of it."""
    served.guests["a"].disk["now"] = b"1"
    spec = vim.vm.CloneSpec(location=vim.vm.RelocateSpec(), template=False, powerOn=False)
    wait_for(vm.Clone(vm.parent, "full", spec))
    assert list(served.guests["a"].kept) == ["clean"]
    assert _tree(vm) == {"clean": {}}
    linked = vim.vm.RelocateSpec(diskMoveType="createNewChildDiskBacking")
    with pytest.raises(vmodl.fault.InvalidArgument):
        vm.Clone(vm.parent, "linked", vim.vm.CloneSpec(location=linked, template=False, powerOn=False))


def _option(key: str, value: str) -> Any:
    return vim.option.OptionValue(key=key, value=value)


def _tree(vm: Any) -> dict[str, Any]:
    def level(nodes: Any) -> dict[str, Any]:
        return {node.name: level(node.childSnapshotList) for node in nodes}

    return level(vm.snapshot.rootSnapshotList)
