"""Tags over the Automation API, in both of its dialects, and custom attributes over SOAP."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .vcenter_served import PASSWORD, Served, vim, wait_for

API = ("/api", "action", "{}")
REST = ("/rest/com/vmware", "~action", "id:{}")


class Asking:
    """One client of the Automation API, in one dialect."""

    def __init__(self, served: Served, dialect: tuple[str, str, str], user: str, password: str) -> None:
        self.root, self.word, self.one = dialect
        self.connection = http.client.HTTPSConnection("127.0.0.1", served.port, context=served.trust, timeout=60)
        self.headers = {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
        self.session = "session" if dialect == API else "cis/session"
        self.status, token = self.ask("POST", self.session)
        self.headers = {"vmware-api-session-id": token} if self.status in (200, 201) else {}

    def ask(self, verb: str, path: str, body: Any = None, action: str = "") -> tuple[int, Any]:
        """Send a request; give the status and what is inside the answer."""
        wrapped = self.root == "/rest/com/vmware"
        query = f"?{self.word}={action}" if action else ""
        text = None if body is None else json.dumps(body)
        headers = {**self.headers, "Content-Type": "application/json"}
        self.connection.request(verb, f"{self.root}/{path}{query}", text, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        told = json.loads(content) if content else None
        return answer.status, told.get("value") if wrapped and isinstance(told, dict) and "type" not in told else told

    def tagging(self, verb: str, path: str, identifier: str = "", body: Any = None, action: str = "") -> Any:
        """Ask about tags, and expect to be answered."""
        place = f"cis/tagging/{path}" + (f"/{self.one.format(identifier)}" if identifier else "")
        status, told = self.ask(verb, place, body, action)
        assert status < 300, told
        return told


Opening = Callable[..., Asking]


@pytest.fixture
def asking(served: Served) -> Iterator[Opening]:
    """Open sessions of the Automation API, closed at the end."""
    opened: list[Asking] = []

    def open_one(
        dialect: tuple[str, str, str], user: str = "administrator@lab.local", password: str = PASSWORD
    ) -> Asking:
        opened.append(Asking(served, dialect, user, password))
        return opened[-1]

    yield open_one
    for each in opened:
        each.connection.close()


@pytest.mark.parametrize("dialect", [API, REST], ids=["api", "rest"])
def test_tags_are_made_attached_listed_and_removed(asking: Opening, vm: Any, dialect: tuple[str, str, str]) -> None:
    """A tag of a category is carried by a machine until it is detached, in the words of either dialect."""
    api = asking(dialect)
    spec = {"name": "pool", "description": "", "cardinality": "SINGLE", "associable_types": ["VirtualMachine"]}
    category = api.tagging("POST", "category", body=spec if dialect == API else {"create_spec": spec})
    tags = []
    for name in ("free", "mine"):
        tag = {"name": name, "description": "", "category_id": category}
        tags.append(api.tagging("POST", "tag", body=tag if dialect == API else {"create_spec": tag}))
    assert api.tagging("GET", "category") == [category]
    assert api.tagging("GET", "category", category)["name"] == "pool"
    assert [api.tagging("GET", "tag", tag)["name"] for tag in api.tagging("GET", "tag")] == ["free", "mine"]
    machine = {"object_id": {"type": "VirtualMachine", "id": vm._moId}}
    api.tagging("POST", "tag-association", tags[0], machine, "attach")
    carriers = api.tagging("POST", "tag-association", tags[0], None, "list-attached-objects")
    assert carriers == [{"type": "VirtualMachine", "id": vm._moId}]
    assert api.tagging("POST", "tag-association", "", machine, "list-attached-tags") == [tags[0]]
    place = f"cis/tagging/tag-association/{api.one.format(tags[1])}"
    assert api.ask("POST", place, machine, "attach")[0] == 400  # one of a SINGLE category
    folder = {"object_id": {"type": "Folder", "id": vm.parent._moId}}
    assert api.ask("POST", place, folder, "attach")[0] == 400  # a category for machines
    nothing = {"object_id": {"type": "VirtualMachine", "id": "vm-999"}}
    assert api.ask("POST", place, nothing, "attach")[0] == 404
    api.tagging("POST", "tag-association", tags[0], machine, "detach")
    api.tagging("POST", "tag-association", tags[1], machine, "attach")
    wait_for(vm.Destroy())
    assert api.tagging("POST", "tag-association", tags[1], None, "list-attached-objects") == []
    api.tagging("DELETE", "category", category)
    assert api.tagging("GET", "tag") == []


def test_tags_want_a_session_and_the_right_to_change(asking: Opening) -> None:
    """A wrong password opens none, a closed one is no more, and an auditor may look and not touch."""
    assert asking(API, password="guess").status == 401
    auditor = asking(API, "auditor@lab.local", "only looks")
    assert auditor.ask("GET", "cis/tagging/tag") == (200, [])
    spec = {"name": "x", "cardinality": "SINGLE"}
    assert auditor.ask("POST", "cis/tagging/category", spec)[0] == 403
    assert auditor.ask("DELETE", "session")[0] == 204
    assert auditor.ask("GET", "cis/tagging/tag")[0] == 401


def test_an_error_names_its_kind_in_either_dialect(asking: Opening) -> None:
    """What is not found is a 404 with the error's type where each dialect has it."""
    for dialect, key, kind in (
        (API, "error_type", "NOT_FOUND"),
        (REST, "type", "com.vmware.vapi.std.errors.not_found"),
    ):
        api = asking(dialect)
        status, told = api.ask("GET", f"cis/tagging/tag/{api.one.format('nothing')}")
        assert (status, told[key]) == (404, kind)


def test_a_machine_has_custom_attributes(si: Any, vm: Any) -> None:
    """A field is defined once, set by key or by name, shown with the machine, and taken away with its field."""
    fields = si.content.customFieldsManager
    mine = fields.AddCustomFieldDef("wincompat.pool", vim.VirtualMachine)
    other = fields.AddCustomFieldDef("host only", vim.HostSystem)
    with pytest.raises(vim.fault.DuplicateName):
        fields.AddCustomFieldDef("wincompat.pool", None)
    assert [field.name for field in vm.availableField] == ["wincompat.pool"]
    fields.SetField(vm, mine.key, "free")
    assert [(each.key, each.value) for each in vm.customValue] == [(mine.key, "free")]
    vm.setCustomValue("wincompat.pool", "taken")
    assert vm.value[0].value == "taken"
    with pytest.raises(vim.fault.NotFound):
        vm.setCustomValue("nothing", "x")
    fields.SetField(vm, mine.key, "")
    assert vm.customValue == []
    fields.SetField(vm, mine.key, "again")
    fields.RemoveCustomFieldDef(mine.key)
    assert (vm.customValue, vm.availableField, [each.key for each in fields.field]) == ([], [], [other.key])
