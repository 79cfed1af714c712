"""The privileges that a site needs are data, and what is lacking is found on the object where it lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyVmomi import vim

from harness.machines.privileges import lacks, needed
from harness.machines.vcenter import VCenter, connected
from harness.site import Secret, SiteMachine

from .standing_in import FOLDER, cloning, site_of, standing_in


def entry(**more: object) -> SiteMachine:
    """Write an entry of a site."""
    return SiteMachine.model_validate({"path": f"{FOLDER}/a", "build": 19044, "snapshot": "clean", **more})


def lacking_in(vcenter: VCenter) -> dict[str, tuple[str, ...]]:
    """Ask what is lacking for the site's first entry."""
    written = vcenter.site.machines[0]
    machine = vcenter.machine(written)
    found = lacks(vcenter._session, {machine.name: (written, machine._vm)})
    return {lack.privilege.privilege: lack.objects for lack in found}


def test_each_strategy_needs_what_vsphere_says_that_its_methods_need() -> None:
    """The client library knows the privilege of most methods that we call: none of them is missing in the list."""
    methods: dict[str, list[Any]] = {
        "revert": [vim.vm.Snapshot.Revert, vim.VirtualMachine.PowerOn, vim.VirtualMachine.CreateScreenshot],
        "instant-clone": [vim.VirtualMachine.InstantClone, vim.VirtualMachine.PowerOn, vim.VirtualMachine.PowerOff],
    }
    for strategy, called in methods.items():
        written = entry(strategy=strategy, **({"address": "127.0.0.11"} if strategy == "revert" else {}))
        assert {method.info.privId for method in called} <= {one.privilege for one in needed(written)}
    documented = {
        "VirtualMachine.Provisioning.Clone": "source",
        "VirtualMachine.Inventory.CreateFromExisting": "folder",
        "Resource.AssignVMToPool": "pool",
        "Datastore.AllocateSpace": "datastore",
    }
    for strategy in ("linked-clone", "instant-clone"):
        places = {one.privilege: one.on for one in needed(entry(strategy=strategy))}
        assert {privilege: places.get(privilege) for privilege in documented} == documented


def test_a_fallback_needs_its_own_privileges_too() -> None:
    """What is fallen back on has to be allowed as well; customising only where the site file asks for it."""
    clone = {one.privilege for one in needed(entry(strategy="linked-clone"))}
    assert "VirtualMachine.State.RevertToSnapshot" not in clone
    assert "VirtualMachine.Provisioning.Customize" not in clone
    both = {one.privilege for one in needed(entry(strategy="linked-clone", fallback="revert"))}
    assert both - clone == {"VirtualMachine.State.RevertToSnapshot"}
    spec = {one.privilege for one in needed(entry(strategy="linked-clone", clones={"customization": "win"}))}
    assert spec - clone == {"VirtualMachine.Provisioning.Customize", "VirtualMachine.Provisioning.ReadCustSpecs"}


@pytest.mark.parametrize("strategy", ["revert", "linked-clone"])
def test_what_is_lacking_is_named_with_its_object(tmp_path: Path, strategy: str) -> None:
    """The administrator lacks nothing; somebody who may only look lacks all but that."""
    machine = cloning() if strategy != "revert" else {**cloning("revert"), "address": "127.0.0.11"}
    with standing_in(tmp_path) as served:
        site = site_of(served, tmp_path, machine)
        with connected(site) as vcenter:
            assert lacking_in(vcenter) == {}
        (tmp_path / "auditor").write_text("only looks")
        user = {"user": "auditor@lab.local", "password": Secret(file=tmp_path / "auditor")}
        site = site.model_copy(update={"vcenter": site.vcenter.model_copy(update=user)})
        with connected(site) as vcenter:
            found = lacking_in(vcenter)
    assert "System.Read" not in found
    if strategy == "revert":
        assert found["VirtualMachine.State.RevertToSnapshot"] == ("a",)
    else:
        assert found["VirtualMachine.Provisioning.Clone"] == ("a",)
        assert found["VirtualMachine.Inventory.CreateFromExisting"] == ("the folder for clones of a",)
        assert found["Resource.AssignVMToPool"] == ("the resource pool of a",)
