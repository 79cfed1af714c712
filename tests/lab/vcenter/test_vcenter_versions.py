"""Clients of every age: each speaks the version of the API that it was made for, and is understood and answered."""

from __future__ import annotations

from typing import Any

import pytest
import pyVim.connect

from .vcenter_served import PASSWORD, Served, vim

_client: Any = pyVim.connect


@pytest.mark.parametrize(
    "version", ["version8", "version10", "version12", "v6_9_1", "v7_0", "v7_0_3_2", "v8_0_0_0", "v8_0_3_0", "v9_0_0_0"]
)
def test_a_client_of_another_version_reads_and_acts(served: Served, version: str) -> None:
    """Attributes, views, searches and tasks: what it knows is there, and what came later is left out."""
    stub = _client.SoapStubAdapter(
        host="127.0.0.1",
        port=served.port,
        version=f"vim.version.{version}",
        sslContext=served.trust,
        httpConnectionTimeout=20,
    )
    si = vim.ServiceInstance("ServiceInstance", stub)
    content = si.RetrieveContent()
    content.sessionManager.Login("administrator@lab.local", PASSWORD)
    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
    machines = list(view.view)
    assert sorted(vm.name for vm in machines) == ["a", "b"]
    vm = content.searchIndex.FindByInventoryPath("Lab/vm/Windows/a")
    assert vm.parent.name == "Windows"
    assert (vm.runtime.powerState, vm.config.template) == ("poweredOff", False)
    assert vm.snapshot.rootSnapshotList[0].name == "clean"
    task = vm.PowerOn()
    while task.info.state in ("queued", "running"):
        pass
    assert task.info.state == "success"
    assert vm.guest.guestState in ("running", "notRunning")
    content.sessionManager.Logout()
    stub.DropConnections()
