"""What scripts do with a vCenter: histories of tasks and events, finding machines by every name, moving them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .vcenter_served import vim, vmodl, wait_for


def test_tasks_are_read_page_by_page(si: Any, vm: Any) -> None:
    """Forth from the oldest and back, the latest page with the newest first, and only what fits the filter."""
    for ask in (vm.PowerOn, vm.Reset, vm.PowerOff):
        wait_for(ask())
    by = vim.TaskFilterSpec
    mine = by.ByEntity(entity=vm, recursion="self")
    history = si.content.taskManager.CreateCollectorForTasks(by(entity=mine))
    names = ["VirtualMachine.powerOn", "VirtualMachine.reset", "VirtualMachine.powerOff"]
    assert [info.descriptionId for info in history.ReadNextTasks(2)] == names[:2]
    assert [info.descriptionId for info in history.ReadNextTasks(2)] == names[2:]
    assert list(history.ReadNextTasks(2)) == []
    assert [info.descriptionId for info in history.ReadPreviousTasks(2)] == names[:0:-1]
    history.RewindCollector()
    assert len(history.ReadNextTasks(100)) == 3
    history.SetCollectorPageSize(1)
    assert [info.descriptionId for info in history.latestPage] == names[2:]
    assert history.filter.entity.entity == vm
    history.DestroyCollector()
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        history.ReadNextTasks(1)
    other = si.content.searchIndex.FindByInventoryPath("Lab/vm/Windows/b")
    for spec in (
        by(entity=by.ByEntity(entity=other, recursion="self")),
        by(entity=mine, state=["error"]),
        by(entity=mine, userName=by.ByUsername(systemUser=False, userList=["nobody"])),
    ):
        assert list(si.content.taskManager.CreateCollectorForTasks(spec).ReadNextTasks(10)) == []


def test_events_are_followed_through_the_latest_page(si: Any, vm: Any) -> None:
    """Who waits for the latest page of a collector hears of what happens next."""
    mine = vim.event.EventFilterSpec.ByEntity(entity=vm, recursion="self")
    history = si.content.eventManager.CreateCollectorForEvents(vim.event.EventFilterSpec(entity=mine))
    collector = vmodl.query.PropertyCollector
    what = collector.PropertySpec(type=vim.event.EventHistoryCollector, pathSet=["latestPage"])
    pages = si.content.propertyCollector.CreatePropertyCollector()
    pages.CreateFilter(collector.FilterSpec(objectSet=[collector.ObjectSpec(obj=history)], propSet=[what]), True)
    first = pages.WaitForUpdatesEx("", collector.WaitOptions(maxWaitSeconds=5))
    wait_for(vm.PowerOn())
    told = pages.WaitForUpdatesEx(first.version, collector.WaitOptions(maxWaitSeconds=5))
    (changed,) = told.filterSet[0].objectSet[0].changeSet
    assert [type(event).__name__.rpartition(".")[2] for event in changed.val] == ["VmPoweredOnEvent"]
    assert [event.vm.name for event in history.ReadNextEvents(10)] == ["a"]


def test_a_manager_keeps_so_many_collectors_and_no_more(si: Any) -> None:
    """A script that forgets its collectors costs the vCenter no memory without end."""
    tasks = si.content.taskManager
    made = [tasks.CreateCollectorForTasks(vim.TaskFilterSpec()) for _ in range(tasks.maxCollector + 1)]
    made[-1].ReadNextTasks(1)
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        made[0].ReadNextTasks(1)


def test_a_machine_is_found_by_each_of_its_names(si: Any, vm: Any) -> None:
    """The BIOS's identifier and the instance's are two, and the path of its file is a name, too."""
    index, known = si.content.searchIndex, vm.config
    assert known.uuid != known.instanceUuid
    assert index.FindByUuid(None, known.uuid, True, False) == vm
    assert index.FindByUuid(None, known.uuid, True, True) is None
    assert index.FindByUuid(None, known.instanceUuid, True, True) == vm
    assert list(index.FindAllByUuid(None, known.instanceUuid, True, True)) == [vm]
    center = si.content.rootFolder.childEntity[0]
    assert index.FindByDatastorePath(center, known.files.vmPathName) == vm
    assert index.FindByDatastorePath(center, "[lab] nobody/nobody.vmx") is None


def test_a_view_of_the_hosts_has_their_machines(si: Any) -> None:
    """Hosts and pools contain machines, and a view of everything has each of them once."""
    center = si.content.rootFolder.childEntity[0]
    host = center.hostFolder.childEntity[0].host[0]
    make = si.content.viewManager.CreateContainerView
    for container in (center.hostFolder, center, si.content.rootFolder):
        assert sorted(vm.name for vm in make(container, [vim.VirtualMachine], True).view) == ["a", "b"]
    for container in (host, host.parent.resourcePool):
        assert sorted(vm.name for vm in make(container, [vim.VirtualMachine], False).view) == ["a", "b"]
    assert list(make(center.hostFolder, [vim.VirtualMachine], False).view) == []


def test_what_the_lab_does_not_serve_is_there_and_says_no(si: Any, vm: Any) -> None:
    """As on any vCenter each part is named; its methods end with NotSupported, and its properties are empty."""
    content = si.RetrieveContent()
    unnamed = {info.name for info in content._GetPropertyList() if getattr(content, info.name) is None}
    assert unnamed == {"dynamicType", "accountManager"}
    with pytest.raises(vmodl.fault.NotSupported, match="QueryPerfProviderSummary"):
        content.perfManager.QueryPerfProviderSummary(vm)
    assert list(content.licenseManager.licenses) == []
    auth = vim.vm.guest.NamePasswordAuthentication(username="tester", password="x")
    operations = content.guestOperationsManager
    with pytest.raises(vmodl.fault.NotSupported, match="ListProcessesInGuest"):
        operations.processManager.ListProcessesInGuest(vm, auth, [])
    with pytest.raises(vmodl.fault.NotSupported, match="ListGuestAliases"):
        operations.aliasManager.ListGuestAliases(vm, auth, "tester")


def test_a_machine_moves_between_folders(connect: Callable[..., Any], si: Any, vm: Any) -> None:
    """Its path changes and its reference does not; two of one name have no place in one folder."""
    windows, above = vm.parent, vm.parent.parent
    wait_for(above.MoveIntoFolder_Task([vm]))
    index = si.content.searchIndex
    assert index.FindByInventoryPath("Lab/vm/a") == vm
    assert index.FindByInventoryPath("Lab/vm/Windows/a") is None
    assert vm.name == "a"
    other = index.FindByInventoryPath("Lab/vm/Windows/b")
    wait_for(other.Rename("a"))
    with pytest.raises(vim.fault.DuplicateName):
        wait_for(windows.MoveIntoFolder_Task([vm]))
    with pytest.raises(vmodl.fault.NotSupported):
        wait_for(windows.MoveIntoFolder_Task([above]))
    auditor = connect("auditor@lab.local", "only looks")
    with pytest.raises(vim.fault.NoPermission):
        auditor.content.searchIndex.FindByInventoryPath("Lab/vm/Windows").MoveIntoFolder_Task([vm])
