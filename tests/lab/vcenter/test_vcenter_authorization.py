"""Privileges, as somebody asks who wants to know them beforehand, and the events of a machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .vcenter_served import Served, vim, wait_for

POWER_ON = "VirtualMachine.Interact.PowerOn"


def _granted(si: Any, entity: Any, *privileges: str) -> list[bool]:
    key = si.content.sessionManager.currentSession.key
    (found,) = si.content.authorizationManager.HasPrivilegeOnEntities([entity], key, list(privileges))
    return [each.isGranted for each in found.privAvailability]


def test_a_privilege_can_be_asked_for_beforehand(served: Served, connect: Callable[..., Any]) -> None:
    """An administrator has all, an auditor those of reading, and one that the lab refuses nobody has there."""
    si, auditor = connect(), connect("auditor@lab.local", "only looks")
    vm, other = (si.content.searchIndex.FindByInventoryPath(f"Lab/vm/Windows/{name}") for name in "ab")
    assert _granted(si, vm, POWER_ON, "System.View") == [True, True]
    assert _granted(auditor, vm, POWER_ON, "System.View") == [False, True]
    served.fault("privilege-refused", machine="a", privilege=POWER_ON)
    assert _granted(si, vm, POWER_ON, "System.View") == [False, True]
    assert _granted(si, other, POWER_ON) == [True]
    (fetched,) = si.content.authorizationManager.FetchUserPrivilegeOnEntities([vm], "LAB.LOCAL\\administrator")
    assert POWER_ON not in fetched.privileges
    assert {"VirtualMachine.State.RevertToSnapshot", "Datastore.AllocateSpace"} <= set(fetched.privileges)
    (user,) = si.content.authorizationManager.HasUserPrivilegeOnEntities([other], "auditor@lab.local", [POWER_ON])
    assert not user.privAvailability[0].isGranted


def test_a_clone_needs_more_than_one_privilege(served: Served, vm: Any) -> None:
    """What it puts somewhere needs a privilege there, and the refusal names that one."""
    served.fault("privilege-refused", privilege="Datastore.AllocateSpace")
    spec = vim.vm.CloneSpec(location=vim.vm.RelocateSpec(), snapshot=vm.snapshot.currentSnapshot, powerOn=False)
    with pytest.raises(vim.fault.NoPermission) as refused:
        vm.Clone(vm.parent, "x", spec)
    assert refused.value.privilegeId == "Datastore.AllocateSpace"


def test_roles_and_permissions_are_told(si: Any) -> None:
    """Two roles, and who has which."""
    manager = si.content.authorizationManager
    roles = {role.roleId: role.name for role in manager.roleList}
    told = {
        each.principal: roles[each.roleId] for each in manager.RetrieveEntityPermissions(si.content.rootFolder, True)
    }
    assert told == {"administrator@lab.local": "Admin", "auditor@lab.local": "ReadOnly"}
    assert POWER_ON in {each.privId for each in manager.privilegeList}


def test_the_events_of_a_machine(served: Served, si: Any, vm: Any) -> None:
    """Power and reverts are told with their time and user, and can be chosen by machine, kind and time."""
    wait_for(vm.PowerOn())
    wait_for(vm.CreateSnapshot("live", "", True, False))
    live = vm.snapshot.currentSnapshot
    wait_for(vm.Reset())
    wait_for(vm.PowerOff())
    wait_for(live.Revert())
    events = si.content.eventManager
    by = vim.event.EventFilterSpec
    mine = by.ByEntity(entity=vm, recursion="self")
    told = events.QueryEvents(by(entity=mine))
    kinds = [getattr(each, "eventTypeId", None) or type(each).__name__.rpartition(".")[2] for each in told]
    assert kinds == [
        "VmPoweredOnEvent", "VmResettingEvent", "VmPoweredOffEvent", "VmResumingEvent",
        "com.vmware.vc.vm.VmStateRevertedToSnapshot",
    ]  # fmt: skip
    assert {each.userName for each in told} == {"administrator@lab.local"}
    assert told[-1].arguments[0].value == "live"
    some = events.QueryEvents(by(entity=mine, eventTypeId=["vim.event.VmResumingEvent", "VmPoweredOffEvent"]))
    assert len(some) == 2
    later = by.ByTime(beginTime=told[2].createdTime)
    assert len(events.QueryEvents(by(entity=mine, time=later))) == 3
    other = si.content.searchIndex.FindByInventoryPath("Lab/vm/Windows/b")
    assert not events.QueryEvents(by(entity=by.ByEntity(entity=other, recursion="self")))
    assert len(events.QueryEvents(by(entity=by.ByEntity(entity=vm.parent, recursion="all")))) == 5


def test_sessions_are_listed_and_ended(connect: Callable[..., Any]) -> None:
    """Who is logged in is told with address and agent; a session can be ended by another, and is then no more."""
    one, other = connect(), connect()
    manager, victim = one.content.sessionManager, other.content.sessionManager.currentSession
    listed = {each.key: each for each in manager.sessionList}
    assert victim.key in listed
    assert listed[victim.key].ipAddress == "127.0.0.1"
    manager.TerminateSession([victim.key])
    with pytest.raises(vim.fault.NotAuthenticated):
        other.CurrentTime()
    assert victim.key not in {each.key for each in manager.sessionList}
