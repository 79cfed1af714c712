"""Machines that a site file does not name one by one: drawn from folders, tags and custom attributes."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from pathlib import Path
from typing import Any

import pytest

from harness.builds import Build
from harness.errors import MachineMissing, SiteRefused
from harness.machines import tags
from harness.machines.vcenter import VCenter, connected
from harness.site import Site
from tests.lab.vcenter.vcenter_served import PASSWORD, Served, vim

from .standing_in import FOLDER, cloning, site_of

BUILD = Build(19044)


def drawing(**place: Any) -> dict[str, Any]:
    """Write an entry that draws."""
    return {"build": 19044, "snapshot": "clean", **place}


def offered(site: Site) -> list[str]:
    """Name the machines of the build that the site has."""
    with connected(site) as vcenter:
        return [one.path for one in vcenter.offering(BUILD).machines if one.windows == BUILD]


def moid(site: Site, path: str) -> str:
    """Look up a machine's MoRef."""
    with connected(site) as vcenter:
        return str(vcenter._session.content.searchIndex.FindByInventoryPath(path)._moId)


def tagged(served: Served, category: str, tag: str, *machines: str) -> None:
    """Make a tag and hang it on machines, as a person does in vSphere."""
    api = http.client.HTTPSConnection("127.0.0.1", served.port, context=ssl.create_default_context(cafile=served.ca))
    login = base64.b64encode(f"administrator@lab.local:{PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {login}"}

    def ask(path: str, body: Any = None) -> Any:
        api.request("POST", f"/api/{path}", json.dumps(body) if body else None, headers)
        answer = api.getresponse()
        text = answer.read()
        assert answer.status < 300, text
        return json.loads(text) if text else None

    headers = {"vmware-api-session-id": ask("session"), "Content-Type": "application/json"}
    spec = {"name": category, "description": "", "cardinality": "SINGLE", "associable_types": ["VirtualMachine"]}
    group = ask("cis/tagging/category", spec)
    made = ask("cis/tagging/tag", {"name": tag, "description": "", "category_id": group})
    for machine in machines:
        place = f"cis/tagging/tag-association/{made}?action=attach"
        ask(place, {"object_id": {"type": "VirtualMachine", "id": machine}})
    api.close()


def described(vcenter: VCenter, path: str, name: str, value: str) -> None:
    """Give a machine a custom attribute."""
    fields = vcenter._session.content.customFieldsManager
    known = {field.name: field.key for field in vcenter._session.read(fields, "field").get("field", ())}
    key = known[name] if name in known else fields.AddCustomFieldDef(name=name, moType=vim.VirtualMachine).key
    fields.SetField(vcenter._session.content.searchIndex.FindByInventoryPath(path), key, value)


def test_a_folder_gives_every_machine_below_it(served: Served, tmp_path: Path) -> None:
    """Each machine becomes an entry of its own, with its path and MoRef and an address from Tools."""
    site = site_of(served, tmp_path, drawing(folder="Lab/vm"))
    assert offered(site) == [f"{FOLDER}/a", f"{FOLDER}/b"]
    with connected(site) as vcenter:
        one = vcenter.offering(BUILD).machines[0]
        assert (one.moid, one.address) == (moid(site, f"{FOLDER}/a"), "from-tools")
        assert vcenter.machine(one).path == f"{FOLDER}/a"
        calls = vcenter.calls
        vcenter.offering(BUILD)
        assert vcenter.calls == calls, "it is drawn once"


def test_a_machine_that_is_named_keeps_its_own_settings(served: Served, tmp_path: Path) -> None:
    """An entry for one machine of a folder goes before the folder's."""
    named = {"path": f"{FOLDER}/b", "build": 19044, "snapshot": "special", "address": "127.0.0.12"}
    with connected(site_of(served, tmp_path, drawing(folder=FOLDER), named)) as vcenter:
        found = {one.path: one.snapshot for one in vcenter.offering(BUILD).machines}
    assert found == {f"{FOLDER}/a": "clean", f"{FOLDER}/b": "special"}


def test_clones_are_never_drawn(served: Served, tmp_path: Path) -> None:
    """A clone that lies in the folder is no machine of the site."""
    site = site_of(served, tmp_path, drawing(folder=FOLDER))
    with connected(site) as vcenter:
        machine = vcenter.machine(vcenter.offering(BUILD).machines[1])
        machine._tasks.wait(machine._vm.Rename_Task("wincompat-a-1"), within=60)
    assert offered(site) == [f"{FOLDER}/a"]


def test_a_moref_names_a_machine_wherever_it_is_moved(served: Served, tmp_path: Path) -> None:
    """The path is found out; a MoRef that nothing has is one line."""
    known = moid(site_of(served, tmp_path), f"{FOLDER}/b")
    entry = {"moid": known, "build": 19044, "snapshot": "clean", "address": "127.0.0.12"}
    assert offered(site_of(served, tmp_path, entry)) == [f"{FOLDER}/b"]
    with pytest.raises(MachineMissing, match=r"^vm-999: no machine has this MoRef; look it up"):
        offered(site_of(served, tmp_path, {**entry, "moid": "vm-999"}))


def test_a_clone_for_each_that_is_allowed(served: Served, tmp_path: Path) -> None:
    """An entry that clones stands for as many machines as it allows clones, each leased by its number."""
    with connected(site_of(served, tmp_path, cloning(clones={"at_most": 3}))) as vcenter:
        assert [one.lease_name for one in vcenter.offering(BUILD).machines] == [
            f"{FOLDER}/a clone {number}" for number in (1, 2, 3)
        ]


@pytest.mark.parametrize("dialect", ["of today", "of vSphere 6.5 to 7.0"])
def test_a_tag_gives_the_machines_that_carry_it(
    served: Served, tmp_path: Path, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tags are asked of the Automation API, in whichever dialect the vCenter has; a folder narrows them down."""
    if dialect != "of today":
        monkeypatch.setattr(tags, "API", tags.Dialect("/api/nothing", "", "", "", wrapped=False))
    tagged(served, "wincompat", "win10", moid(site_of(served, tmp_path), f"{FOLDER}/b"))
    assert offered(site_of(served, tmp_path, drawing(tag="wincompat/win10"))) == [f"{FOLDER}/b"]
    assert offered(site_of(served, tmp_path, drawing(tag="wincompat/win10", folder=FOLDER))) == [f"{FOLDER}/b"]
    with pytest.raises(MachineMissing, match=r"^tag wincompat/win11: no tag 'win11' in vSphere; did you mean 'win10'"):
        offered(site_of(served, tmp_path, drawing(tag="wincompat/win11")))
    with pytest.raises(MachineMissing, match=r"^tag wincompet/win10: no category 'wincompet' in vSphere; did you"):
        offered(site_of(served, tmp_path, drawing(tag="wincompet/win10")))


def test_custom_attributes_give_the_machines_that_have_them(served: Served, tmp_path: Path) -> None:
    """Every attribute has to have its value; one that vSphere does not know is answered with the nearest."""
    with connected(site_of(served, tmp_path)) as vcenter:
        for path, state in (("a", "free"), ("b", "broken")):
            described(vcenter, f"{FOLDER}/{path}", "compat", "yes")
            described(vcenter, f"{FOLDER}/{path}", "state", state)
    wanted = {"compat": "yes", "state": "free"}
    assert offered(site_of(served, tmp_path, drawing(attributes=wanted))) == [f"{FOLDER}/a"]
    with pytest.raises(MachineMissing, match=r"attribute stat: no custom attribute 'stat' in vSphere; did you mean"):
        offered(site_of(served, tmp_path, drawing(attributes={"stat": "free"})))
    with pytest.raises(MachineMissing, match=r"^state = gone: no machine is there; put machines there"):
        offered(site_of(served, tmp_path, drawing(attributes={"state": "gone"})))


def test_a_build_whose_folder_is_gone_hides_no_other_one(served: Served, tmp_path: Path) -> None:
    """Only what a cell needs is drawn: a mistake of one build blocks the cells of that build."""
    other = {"path": f"{FOLDER}/b", "build": 22631, "snapshot": "clean", "address": "127.0.0.12"}
    site = site_of(served, tmp_path, drawing(folder="Lab/vm/Nowhere"), other)
    with connected(site) as vcenter:
        assert vcenter.offering(Build(22631)).machines[0].path == f"{FOLDER}/b"
        with pytest.raises(MachineMissing, match=r"^folder Lab/vm/Nowhere: no such folder in the inventory"):
            vcenter.offering(BUILD)


def test_an_automation_api_that_refuses_the_account_says_so(served: Served, tmp_path: Path) -> None:
    """It is the same account as for SOAP, and the same line."""
    site = site_of(served, tmp_path, drawing(tag="wincompat/win10"))
    with connected(site) as vcenter:
        (tmp_path / "vcenter.secret").write_text("another by now")
        with pytest.raises(SiteRefused, match=r"refuses the log-in of 'administrator@lab\.local'; check vcenter\.user"):
            vcenter.offering(BUILD)
