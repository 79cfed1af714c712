"""Faults of the vCenter through the real client: what each looks like from outside, and that it ends."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.waiting import until

from .vcenter_served import Served, vim, vmodl, wait_for


def test_a_privilege_is_refused_by_name(served: Served, vm: Any) -> None:
    """The privilege that was named is refused on the machine that was named, and nothing else."""
    served.fault("privilege-refused", machine="a", privilege="VirtualMachine.Interact.PowerOn")
    with pytest.raises(vim.fault.NoPermission) as refused:
        vm.PowerOn()
    assert refused.value.privilegeId == "VirtualMachine.Interact.PowerOn"
    wait_for(vm.CreateSnapshot("x", "", False, False))
    served.clear()
    wait_for(vm.PowerOn())


def test_any_privilege_but_those_of_reading_is_refused(served: Served, si: Any, vm: Any) -> None:
    """Without a name every change is refused, on any method, and reading goes on."""
    served.fault("privilege-refused")
    with pytest.raises(vim.fault.NoPermission):
        vm.snapshot.currentSnapshot.Revert()
    with pytest.raises(vim.fault.NoPermission):
        si.content.rootFolder.CreateFolder("x")
    assert vm.name == "a"


def test_a_killed_session_is_not_authenticated(served: Served, si: Any, vm: Any) -> None:
    """The call that meets the fault is refused, and so is every later one of that session."""
    served.fault("session-killed", method="PowerOnVM_Task")
    assert vm.name == "a"
    with pytest.raises(vim.fault.NotAuthenticated):
        vm.PowerOn()
    collector = si.content.propertyCollector
    with pytest.raises(vim.fault.NotAuthenticated):
        collector.CreatePropertyCollector()


def test_a_task_fails_once(served: Served, vm: Any) -> None:
    """The task of the method that was named ends with an error; the next one is as ever."""
    served.fault("task-fails", machine="a", method="RevertToSnapshot_Task")
    wait_for(vm.PowerOn())
    with pytest.raises(vmodl.fault.SystemError, match="asked to let this task fail"):
        wait_for(vm.snapshot.currentSnapshot.Revert())
    assert vm.runtime.powerState == "poweredOn"
    wait_for(vm.snapshot.currentSnapshot.Revert())


def test_a_task_never_ends_until_the_fault_is_cleared(served: Served, vm: Any) -> None:
    """It runs and has done nothing, the machine is busy, and it goes on when it may."""
    served.fault("task-never-ends")
    task = vm.PowerOn()
    until(lambda: task.info.state == "running")
    with pytest.raises(vim.fault.TaskInProgress):
        wait_for(vm.PowerOff())
    assert vm.runtime.powerState == "poweredOff"
    served.clear()
    wait_for(task)
    assert vm.runtime.powerState == "poweredOn"


def test_an_invalid_state_is_answered(served: Served, vm: Any) -> None:
    """InvalidState, or InvalidPowerState with what is and what was wanted."""
    served.fault("invalid-state")
    with pytest.raises(vim.fault.InvalidState):
        wait_for(vm.PowerOn())
    served.fault("invalid-state", state="InvalidPowerState")
    with pytest.raises(vim.fault.InvalidPowerState) as power:
        wait_for(vm.CreateSnapshot("x", "", False, False))
    assert power.value.existingState == "poweredOff"


def test_a_slow_datastore_makes_tasks_longer(served: Served, vm: Any) -> None:
    """A task takes the seconds that were asked for; clearing the fault lets it go on at once."""
    served.fault("slow-datastore", seconds=600)
    task = vm.PowerOn()
    until(lambda: task.info.state == "running")
    assert vm.runtime.powerState == "poweredOff"
    served.clear()
    wait_for(task)


def test_a_lost_host_is_seen_and_heard_of(served: Served, si: Any, vm: Any) -> None:
    """The machine says disconnected, who waits hears of it, and what is asked of it ends with HostNotConnected."""
    wait_for(vm.PowerOn())
    spec = vmodl.query.PropertyCollector.FilterSpec(
        propSet=[
            vmodl.query.PropertyCollector.PropertySpec(type=vim.VirtualMachine, pathSet=["runtime.connectionState"])
        ],
        objectSet=[vmodl.query.PropertyCollector.ObjectSpec(obj=vm)],
    )
    collector = si.content.propertyCollector
    collector.CreateFilter(spec, True)
    version = collector.WaitForUpdatesEx("", None).version
    served.fault("host-lost", machine="a")
    update = collector.WaitForUpdatesEx(version, vmodl.query.PropertyCollector.WaitOptions(maxWaitSeconds=10))
    assert update.filterSet[0].objectSet[0].changeSet[0].val == "disconnected"
    with pytest.raises(vmodl.fault.HostNotConnected):
        wait_for(vm.PowerOff())
    with pytest.raises(vmodl.fault.HostNotConnected):
        vm.ShutdownGuest()
    other = si.content.searchIndex.FindByInventoryPath("Lab/vm/Windows/b")
    assert other.runtime.connectionState == "connected"
    served.clear()
    wait_for(vm.PowerOff())


def test_a_missing_snapshot_is_neither_shown_nor_found(served: Served, vm: Any) -> None:
    """The one that was named goes with what is below it, or all of them; who kept its reference is told."""
    clean = vm.snapshot.currentSnapshot
    wait_for(vm.CreateSnapshot("second", "", False, False))
    served.fault("snapshot-missing", snapshot="second")
    assert [node.name for node in vm.snapshot.rootSnapshotList] == ["clean"]
    assert vm.snapshot.rootSnapshotList[0].childSnapshotList == []
    served.fault("snapshot-missing", machine="a")
    assert vm.snapshot is None
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        clean.Revert()
    served.clear()
    wait_for(clean.Revert())


def test_a_stale_address_is_told_after_a_revert(served: Served, vm: Any) -> None:
    """Tools tell an old address, in both places, until it is over; then the true one."""
    asked = served.fault("stale-address", machine="a", seconds=600)
    wait_for(vm.snapshot.currentSnapshot.Revert())
    assert vm.guest.ipAddress is None
    wait_for(vm.PowerOn())
    until(lambda: vm.guest.toolsRunningStatus == "guestToolsRunning")
    assert vm.guest.ipAddress == "127.0.0.254"
    assert vm.guest.net[0].ipAddress == ["127.0.0.254"]
    assert vm.summary.guest.ipAddress == "127.0.0.254"
    assert asked.struck == 1
    served.clear()
    assert vm.guest.ipAddress == "127.0.0.11"


def test_a_lost_answer_is_of_work_that_was_done(served: Served, vm: Any) -> None:
    """The client hears nothing, and the task that it asked for is there."""
    served.fault("answer-lost", method="PowerOnVM_Task")
    vm._stub.poolSize = 0
    with pytest.raises((OSError, http.client.HTTPException)):
        vm.PowerOn()
    (task,) = vm.recentTask
    wait_for(task)
    assert vm.runtime.powerState == "poweredOn"


def test_a_vcenter_that_hangs_takes_and_never_answers(served: Served, connect: Callable[..., Any]) -> None:
    """Neither a call nor a page is answered; when it is over the connection breaks and nothing was carried out."""
    si = connect()
    vm = si.content.searchIndex.FindByInventoryPath("Lab/vm/Windows/a")
    served.fault("vcenter-hangs", method="PowerOnVM_Task")
    heard: list[object] = []

    def call() -> None:
        try:
            heard.append(vm.PowerOn())
        except (OSError, http.client.HTTPException) as error:
            heard.append(error)

    calling = threading.Thread(target=call)
    calling.start()
    until(lambda: bool(_struck(served)))
    assert vm.name == "a"  # another method is answered
    served.fault("vcenter-hangs")
    connection = http.client.HTTPSConnection("127.0.0.1", served.port, context=served.trust, timeout=0.3)
    connection.request("GET", "/sdk/vimServiceVersions.xml")
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    assert heard == []
    served.clear()
    calling.join(60)
    assert isinstance(heard[0], (OSError, http.client.HTTPException))
    assert vm.runtime.powerState == "poweredOff"


def test_the_audit_tells_who_touched_which_machine(served: Served, si: Any, vm: Any) -> None:
    """Calls with session, user and agent, tasks and snapshots by their machine, power and strikes; and no password."""
    served.fault("task-fails", method="Rename_Task")
    wait_for(vm.PowerOn())
    wait_for(vm.snapshot.currentSnapshot.Revert())
    with pytest.raises(vmodl.fault.SystemError):
        wait_for(vm.Rename("x"))
    lines = [json.loads(line) for line in (served.folder / "audit.jsonl").read_text("utf-8").splitlines()]
    key = si.content.sessionManager.currentSession.key
    (power,) = (line for line in lines if line["what"] == "PowerOnVM_Task")
    assert (power["machine"], power["client"], power["user"]) == ("a", key, "administrator@lab.local")
    assert "pyvmomi" in power["agent"].lower()
    (revert,) = (line for line in lines if line["what"] == "RevertToSnapshot_Task")
    assert revert["machine"] == "a"
    told = [(line["by"], line["what"]) for line in lines if line["by"] in ("lab", "fault")]
    assert [each for each in told if each != ("lab", "up")] == [
        ("lab", "on"), ("lab", "off"), ("lab", "reverted"), ("fault", "task-fails"),
    ]  # fmt: skip
    assert "long & <random>" not in (served.folder / "audit.jsonl").read_text("utf-8")


def _struck(served: Served) -> int:
    time.sleep(0.01)
    assert served.vcenter is not None
    return sum(asked.struck for asked in served.vcenter.faults.all())
