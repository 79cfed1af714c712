"""Snapshots with memory and instant clones, through the real client."""

from __future__ import annotations

from typing import Any

import pytest

from tests.waiting import until

from .vcenter_served import Served, vim, wait_for


@pytest.mark.parametrize("method", ["CreateSnapshot", "CreateSnapshotEx"])
def test_a_snapshot_with_memory_leaves_the_machine_on(served: Served, vm: Any, method: str) -> None:
    """It says poweredOn in the tree, a revert finds Windows up, and suppressPowerOn keeps it off."""
    wait_for(vm.PowerOn())
    until(lambda: served.guests["a"].is_up)
    wait_for(getattr(vm, method)("live", "", True, None if method.endswith("Ex") else False))
    live = vm.snapshot.rootSnapshotList[0].childSnapshotList[0]
    assert (live.name, live.state) == ("live", "poweredOn")
    wait_for(vm.PowerOff())
    wait_for(live.snapshot.Revert())
    assert (vm.runtime.powerState, vm.guest.toolsRunningStatus) == ("poweredOn", "guestToolsRunning")
    assert vm.runtime.bootTime is not None
    wait_for(live.snapshot.Revert(suppressPowerOn=True))
    assert vm.runtime.powerState == "poweredOff"


def test_the_memory_of_a_machine_that_is_off_is_none(vm: Any) -> None:
    """As in vSphere, memory is kept only of a machine that is on."""
    wait_for(vm.CreateSnapshot("still", "", True, False))
    assert vm.snapshot.rootSnapshotList[0].childSnapshotList[0].state == "poweredOff"


def test_an_instant_clone_runs_at_once(served: Served, vm: Any) -> None:
    """It is on and up when the task ends, has what it was told and an address of its own, and its source runs on."""
    spec = vim.vm.InstantCloneSpec(
        name="instant",
        location=vim.vm.RelocateSpec(),
        config=[vim.option.OptionValue(key="guestinfo.team.address", value="127.0.0.77")],
    )
    with pytest.raises(vim.fault.InvalidPowerState):
        wait_for(vm.InstantClone(spec))
    wait_for(vm.PowerOn())
    served.do(served.guests["a"].freeze())
    assert vm.runtime.instantCloneFrozen
    task = vm.InstantClone(spec)
    wait_for(task)
    clone = task.info.result
    assert (clone.name, clone.runtime.powerState, clone.guest.ipAddress) == ("instant", "poweredOn", "127.0.0.77")
    assert not clone.runtime.instantCloneFrozen
    assert clone.config.extraConfig[0].value == "127.0.0.77"
    with pytest.raises(vim.fault.DuplicateName):
        wait_for(vm.InstantClone(spec))
    served.do(served.guests["a"].thaw())
    assert not vm.runtime.instantCloneFrozen


def test_clones_of_one_machine_are_made_side_by_side(served: Served, vm: Any) -> None:
    """Several clones share their source; what changes the source meanwhile is refused."""
    served.guests["a"].is_held = True
    spec = vim.vm.CloneSpec(location=vim.vm.RelocateSpec(), snapshot=vm.snapshot.currentSnapshot, powerOn=False)
    tasks = [vm.Clone(vm.parent, f"c{number}", spec) for number in range(3)]
    twin = vm.Clone(vm.parent, "c0", spec)
    revert = vm.RevertToCurrentSnapshot()
    with pytest.raises(vim.fault.TaskInProgress):
        wait_for(revert)
    served.guests["a"].is_held = False
    with pytest.raises(vim.fault.DuplicateName):
        wait_for(twin)
    assert [wait_for(task) for task in tasks] == ["success"] * 3


def test_a_clone_is_customised_as_far_as_it_can_be(vm: Any) -> None:
    """A Sysprep gives a computer name and a fixed address; an address that is not the lab's is a fault."""
    custom = vim.vm.customization
    account = custom.Password(value="x", plainText=True)
    sysprep = custom.Sysprep(
        guiUnattended=custom.GuiUnattended(timeZone=85, autoLogon=False, autoLogonCount=0, password=account),
        userData=custom.UserData(
            fullName="x", orgName="x", productId="", computerName=custom.FixedName(name="renamed")
        ),
        identification=custom.Identification(joinWorkgroup="WORKGROUP"),
    )
    for address in ("10.0.0.1", "127.0.0.55"):
        adapter = custom.IPSettings(ip=custom.FixedIp(ipAddress=address), subnetMask="255.0.0.0")
        spec = vim.vm.CloneSpec(
            location=vim.vm.RelocateSpec(),
            snapshot=vm.snapshot.currentSnapshot,
            powerOn=True,
            customization=custom.Specification(
                identity=sysprep,
                globalIPSettings=custom.GlobalIPSettings(),
                nicSettingMap=[custom.AdapterMapping(adapter=adapter)],
            ),
        )
        task = vm.Clone(vm.parent, "custom", spec)
        if address == "10.0.0.1":
            with pytest.raises(vim.fault.CustomizationFault, match="no address"):
                wait_for(task)
    wait_for(task)
    clone = task.info.result
    until(lambda: clone.guest.hostName)
    assert (clone.guest.hostName, clone.guest.ipAddress) == ("RENAMED", "127.0.0.55")
