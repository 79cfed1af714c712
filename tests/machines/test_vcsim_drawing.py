"""Drawing machines from folders, tags and attributes of a vCenter simulator that nobody here wrote."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyVmomi import vim

from harness.builds import Build
from harness.errors import MachineMissing
from harness.machines.vcenter import connected
from harness.site import Site, SiteMachine

from .test_vcsim import OTHER, VM, simulating
from .test_vcsim import vcsim as vcsim  # a fixture

BUILD = Build(19044)


@pytest.fixture
def simulated(vcsim: Path, tmp_path: Path) -> Iterator[Site]:
    """Start a simulator of its own for each test."""
    with simulating(vcsim, tmp_path) as wanted:
        yield wanted


def drawn(site: Site, **place: Any) -> list[str]:
    """Name the machines that an entry stands for."""
    entry = SiteMachine.model_validate({"build": 19044, "snapshot": "clean", **place})
    with connected(site.model_copy(update={"machines": (entry,)})) as vcenter:
        return [one.path for one in vcenter.offering(BUILD).machines]


def moid(site: Site, path: str) -> str:
    """Look up a machine's MoRef."""
    with connected(site) as vcenter:
        return str(vcenter._session.content.searchIndex.FindByInventoryPath(path)._moId)


def tagged(site: Site, category: str, tag: str, machine: str) -> None:
    """Make a tag and hang it on a machine, in the one dialect that this simulator speaks."""
    trust = ssl.create_default_context(cafile=site.vcenter.ca_file)
    api = http.client.HTTPSConnection("127.0.0.1", site.vcenter.port, context=trust)
    headers = {"Authorization": "Basic " + base64.b64encode(b"tester:secret").decode()}

    def ask(path: str, body: Any = None) -> Any:
        api.request("POST", f"/rest/com/vmware/cis/{path}", json.dumps(body) if body else None, headers)
        answer = api.getresponse()
        text = answer.read()
        assert answer.status == 200, text
        return json.loads(text).get("value") if text else None

    headers = {"vmware-api-session-id": ask("session")}
    spec = {"name": category, "cardinality": "SINGLE", "associable_types": ["VirtualMachine"]}
    group = ask("tagging/category", {"create_spec": spec})
    made = ask("tagging/tag", {"create_spec": {"name": tag, "category_id": group}})
    body = {"object_id": {"type": "VirtualMachine", "id": machine}}
    ask(f"tagging/tag-association/id:{made}?~action=attach", body)
    api.close()


def test_a_folder_gives_every_machine_below_it(simulated: Site) -> None:
    """The paths are found out level by level, and are right."""
    assert drawn(simulated, folder="DC0/vm") == ["DC0/vm/DC0_C0_RP0_VM0", "DC0/vm/DC0_C0_RP0_VM1", VM, OTHER]


def test_a_moref_names_a_machine(simulated: Site) -> None:
    """It is the same MoRef on both sides."""
    assert drawn(simulated, moid=moid(simulated, OTHER), address="127.0.0.1") == [OTHER]
    with pytest.raises(MachineMissing, match="no machine has this MoRef"):
        drawn(simulated, moid="vm-99999", address="127.0.0.1")


def test_a_tag_gives_the_machines_that_carry_it(simulated: Site) -> None:
    """The simulator has only the older dialect, as vSphere 6.5 to 7.0 did: it is found out and spoken."""
    tagged(simulated, "wincompat", "win10", moid(simulated, OTHER))
    assert drawn(simulated, tag="wincompat/win10") == [OTHER]
    with pytest.raises(MachineMissing, match=r"no tag 'win11' in vSphere; did you mean 'win10'\?"):
        drawn(simulated, tag="wincompat/win11")


def test_custom_attributes_give_the_machines_that_have_them(simulated: Site) -> None:
    """An attribute is known by name, its value is the machine's."""
    with connected(simulated) as vcenter:
        fields = vcenter._session.content.customFieldsManager
        key = fields.AddCustomFieldDef(name="compat", moType=vim.VirtualMachine).key
        fields.SetField(vcenter._session.content.searchIndex.FindByInventoryPath(VM), key, "free")
    assert drawn(simulated, attributes={"compat": "free"}) == [VM]
