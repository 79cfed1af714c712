"""The property collector through the real client: reading many at once, walking the tree, waiting for changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from harness.lab.vcenter.collector import PropertyCollector
from tests.waiting import begun

from .vcenter_served import Served, vim, vmodl, wait_for

Collector = vmodl.query.PropertyCollector


def _spec(kind: Any, paths: list[str], *objects: Any) -> Any:
    starts = [Collector.ObjectSpec(obj=each) for each in objects]
    return Collector.FilterSpec(propSet=[Collector.PropertySpec(type=kind, pathSet=paths)], objectSet=starts)


def _all_machines(si: Any, paths: list[str]) -> Any:
    view = si.content.viewManager.CreateContainerView(si.content.rootFolder, [vim.VirtualMachine], True)
    step = Collector.TraversalSpec(name="v", type=vim.view.ContainerView, path="view", skip=False)
    start = Collector.ObjectSpec(obj=view, skip=True, selectSet=[step])
    return Collector.FilterSpec(
        propSet=[Collector.PropertySpec(type=vim.VirtualMachine, pathSet=paths)], objectSet=[start]
    )


def test_all_machines_in_one_call(si: Any) -> None:
    """A container view and one retrieval give chosen properties of every machine; what is not set is left out."""
    spec = _all_machines(
        si, ["name", "runtime.powerState", "guest.ipAddress", "config.hardware.device[2000].capacityInBytes"]
    )
    found = si.content.propertyCollector.RetrievePropertiesEx([spec], Collector.RetrieveOptions())
    values = [{prop.name: prop.val for prop in each.propSet} for each in found.objects]
    assert [value["name"] for value in values] == ["a", "b"]
    assert values[0]["runtime.powerState"] == "poweredOff"
    assert "guest.ipAddress" not in values[0]
    assert values[0]["config.hardware.device[2000].capacityInBytes"] == 64 * 1024**3


def test_a_retrieval_comes_in_pages(si: Any) -> None:
    """An answer is cut at maxObjects, a token brings the rest, and no token works twice."""
    collector, spec = si.content.propertyCollector, _all_machines(si, ["name"])
    first = collector.RetrievePropertiesEx([spec], Collector.RetrieveOptions(maxObjects=1))
    second = collector.ContinueRetrievePropertiesEx(first.token)
    assert [page.objects[0].propSet[0].val for page in (first, second)] == ["a", "b"]
    assert second.token is None
    with pytest.raises(vmodl.fault.InvalidArgument):
        collector.ContinueRetrievePropertiesEx(first.token)


def test_named_traversals_walk_the_whole_tree(si: Any) -> None:
    """The classic recursion over folders and datacenters, by names of selections, reaches every machine once."""
    again = [Collector.SelectionSpec(name="folders"), Collector.SelectionSpec(name="centers")]
    folders = Collector.TraversalSpec(name="folders", type=vim.Folder, path="childEntity", selectSet=again)
    centers = Collector.TraversalSpec(name="centers", type=vim.Datacenter, path="vmFolder", selectSet=again)
    start = Collector.ObjectSpec(obj=si.content.rootFolder, skip=True, selectSet=[folders, centers])
    spec = Collector.FilterSpec(
        propSet=[Collector.PropertySpec(type=vim.ManagedEntity, pathSet=["name"])], objectSet=[start]
    )
    found = si.content.propertyCollector.RetrieveProperties([spec])
    assert [each.propSet[0].val for each in found] == ["Lab", "vm", "Windows", "a", "b"]


def test_a_property_that_does_not_exist_is_named(si: Any, vm: Any) -> None:
    """InvalidProperty names the path, at the top level and below it, when reading and when waiting."""
    collector = si.content.propertyCollector
    for path in ("nonsense", "runtime.nonsense", "parent.name"):
        with pytest.raises(vmodl.query.InvalidProperty):
            collector.RetrieveProperties([_spec(vim.VirtualMachine, [path], vm)])
        with pytest.raises(vmodl.query.InvalidProperty):
            collector.CreateFilter(_spec(vim.VirtualMachine, [path], vm), False)
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        collector.CreateFilter(_spec(vim.VirtualMachine, ["name"], vim.VirtualMachine("vm-999")), False)


def test_a_wait_brings_what_changed_and_nothing_else(si: Any, vm: Any) -> None:
    """First everything, then each changed path as it comes, then nothing within the time."""
    collector = si.content.propertyCollector.CreatePropertyCollector()
    watching = collector.CreateFilter(_spec(vim.VirtualMachine, ["runtime.powerState", "config.annotation"], vm), False)
    first = collector.WaitForUpdatesEx("", Collector.WaitOptions(maxWaitSeconds=60))
    (entered,) = first.filterSet[0].objectSet
    assert entered.kind == "enter"
    assert {change.name for change in entered.changeSet} == {"runtime.powerState", "config.annotation"}
    wait_for(vm.PowerOn())
    second = collector.WaitForUpdatesEx(first.version, Collector.WaitOptions(maxWaitSeconds=60))
    (modified,) = second.filterSet[0].objectSet
    changes = [(change.name, change.op, change.val) for change in modified.changeSet]
    assert modified.kind == "modify"
    assert changes == [("runtime.powerState", "assign", "poweredOn")]
    assert collector.WaitForUpdatesEx(second.version, Collector.WaitOptions(maxWaitSeconds=0)) is None
    assert collector.CheckForUpdates(first.version).version == second.version  # an answer that got lost is said again
    with pytest.raises(vmodl.query.InvalidCollectorVersion):
        collector.WaitForUpdatesEx("77", None)
    watching.Destroy()
    collector.Destroy()
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        collector.CheckForUpdates("")


def test_a_wait_sees_machines_come_and_go(si: Any, vm: Any) -> None:
    """Over a container view a clone enters, and leaves when it is destroyed."""
    collector = si.content.propertyCollector.CreatePropertyCollector()
    collector.CreateFilter(_all_machines(si, ["name"]), False)
    known = collector.WaitForUpdatesEx("", None)
    spec = vim.vm.CloneSpec(location=vim.vm.RelocateSpec(), template=False, powerOn=False)
    task = vm.Clone(vm.parent, "new", spec)
    update = collector.WaitForUpdatesEx(known.version, Collector.WaitOptions(maxWaitSeconds=60))
    (entered,) = update.filterSet[0].objectSet
    assert (entered.kind, entered.changeSet[0].val) == ("enter", "new")
    wait_for(task)
    wait_for(task.info.result.Destroy())
    update = collector.WaitForUpdatesEx(update.version, Collector.WaitOptions(maxWaitSeconds=60))
    assert [each.kind for each in update.filterSet[0].objectSet] == ["leave"]


def test_a_long_update_is_cut_where_asked(si: Any) -> None:
    """An update is cut at maxObjectUpdates and says so, and the next wait brings the rest."""
    collector = si.content.propertyCollector.CreatePropertyCollector()
    collector.CreateFilter(_all_machines(si, ["name"]), False)
    options = Collector.WaitOptions(maxWaitSeconds=30, maxObjectUpdates=1)
    first = collector.WaitForUpdatesEx("", options)
    assert first.truncated
    assert len(first.filterSet[0].objectSet) == 1
    second = collector.WaitForUpdatesEx(first.version, options)
    assert len(second.filterSet[0].objectSet) == 1


def test_a_wait_can_be_cancelled(si: Any, vm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """CancelWaitForUpdates, and the end of the session, end a wait with RequestCanceled."""
    collector = si.content.propertyCollector.CreatePropertyCollector()
    collector.CreateFilter(_spec(vim.VirtualMachine, ["name"], vm), False)
    version = collector.WaitForUpdatesEx("", None).version

    def after(begins: threading.Event, end: Callable[[], object]) -> None:
        begins.wait(60)
        end()

    waits = begun(monkeypatch, PropertyCollector, "_wait")
    for end in (collector.CancelWaitForUpdates, si.content.sessionManager.Logout):
        waits.clear()
        ending = threading.Thread(target=after, args=(waits, end))
        ending.start()
        with pytest.raises(vmodl.fault.RequestCanceled):
            collector.WaitForUpdatesEx(version, Collector.WaitOptions(maxWaitSeconds=60))
        ending.join()


def test_many_wait_while_others_work(served: Served, connect: Callable[..., Any]) -> None:
    """Eight clients wait for one machine at once, and all hear of it, while another works."""
    heard: list[str] = []

    def wait(si: Any) -> None:
        vm = si.content.searchIndex.FindByInventoryPath("Lab/vm/Windows/a")
        collector = si.content.propertyCollector.CreatePropertyCollector()
        collector.CreateFilter(_spec(vim.VirtualMachine, ["runtime.powerState"], vm), False)
        version = collector.WaitForUpdatesEx("", None).version
        ready.release()
        update = collector.WaitForUpdatesEx(version, Collector.WaitOptions(maxWaitSeconds=60))
        heard.append(update.filterSet[0].objectSet[0].changeSet[0].val)

    ready = threading.Semaphore(0)
    waiting = [threading.Thread(target=wait, args=(connect(),)) for _ in range(8)]
    for each in waiting:
        each.start()
    for _ in waiting:
        assert ready.acquire(timeout=60)
    wait_for(connect().content.searchIndex.FindByInventoryPath("Lab/vm/Windows/a").PowerOn())
    for each in waiting:
        each.join()
    assert heard == ["poweredOn"] * 8
