"""The endpoint under clients that do not behave: everything is answered with a fault or a status, at once."""

from __future__ import annotations

import http.client
import ssl
import urllib.parse
from typing import Any

import pytest

from .vcenter_served import Served, vim, vmodl, wait_for

_LOGIN = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><Login xmlns="urn:vim25">'
    '<_this type="SessionManager">SessionManager</_this><userName>{user}</userName></Login></s:Body></s:Envelope>'
)


def _post(served: Served, body: bytes, path: str = "/sdk", method: str = "POST") -> tuple[int, str]:
    connection = http.client.HTTPSConnection("127.0.0.1", served.port, context=served.trust, timeout=60)
    try:
        connection.request(method, path, body, {"Content-Type": "text/xml", "SOAPAction": "urn:vim25/8.0"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not XML"),
        (b"\xff\xfe\x00", "not XML"),
        (b"<a/>", "no method"),
        (b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "document type"),
        (_LOGIN.format(user="a").encode(), "needs password"),
        (_LOGIN.format(user="a").replace("userName", "usrName").encode(), "no parameter"),
        (_LOGIN.format(user="a").replace("Login", "LogIn").encode(), "no method"),
        (_LOGIN.format(user="a").replace('type="SessionManager"', 'type="Sesame"').encode(), "does not fit"),
        (_LOGIN.format(user="<deep>" * 2000 + "</deep>" * 2000).encode(), "does not fit"),
    ],
)
def test_what_is_no_request_is_answered_with_a_fault(served: Served, body: bytes, words: str) -> None:
    """Broken XML, unknown methods, missing and unknown parameters: InvalidRequest in words, never a traceback."""
    status, text = _post(served, body)
    assert status == 500
    assert "InvalidRequestFault" in text
    assert words in text
    assert "Traceback" not in text


def test_other_paths_and_verbs_are_refused(served: Served) -> None:
    """What is not there is a 404, what is too large a 413, a wrong verb a 405."""
    assert _post(served, b"", "/nothing")[0] == 404
    assert _post(served, b"", "/sdk", "PUT")[0] == 405
    assert _post(served, b"x" * (5 * 1024**2))[0] == 413
    assert _post(served, b"", "/folder/a/a.png?dcPath=Lab&dsName=lab", "GET")[0] == 401
    assert _post(served, b"", "/guestFile?id=vm-1&token=guess", "GET")[0] == 404


def test_the_certificate_is_verified(served: Served) -> None:
    """A client that does not know the lab's authority does not connect."""
    connection = http.client.HTTPSConnection("127.0.0.1", served.port, context=ssl.create_default_context())
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.connect()


def test_a_method_of_another_kind_is_not_found(si: Any, vm: Any) -> None:
    """A method that the object's kind does not have is MethodNotFound; a wrong reference ManagedObjectNotFound."""
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        vim.VirtualMachine("group-d1", si._stub).PowerOn()
    with pytest.raises(vmodl.fault.MethodNotFound):
        si.content.rootFolder._stub.InvokeMethod(si.content.rootFolder, vim.VirtualMachine.PowerOn.info, [None])


def test_a_reference_is_named_as_every_client_reads_it(served: Served, si: Any) -> None:
    """Where a value may be anything a reference is a ManagedObjectReference; pyVmomi alone would read another name."""
    cookie = si._stub.cookie
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><RetrieveProperties xmlns="urn:vim25">'
        '<_this type="PropertyCollector">propertyCollector</_this><specSet><propSet><type>HostSystem</type>'
        '<pathSet>parent</pathSet></propSet><objectSet><obj type="HostSystem">host-1</obj></objectSet></specSet>'
        "</RetrieveProperties></e:Body></e:Envelope>"
    )
    connection = http.client.HTTPSConnection("127.0.0.1", served.port, context=served.trust, timeout=60)
    connection.request("POST", "/sdk", body, {"Cookie": cookie})
    text = connection.getresponse().read().decode()
    connection.close()
    assert '<val xsi:type="ManagedObjectReference" type="ComputeResource">domain-s1</val>' in text


def test_a_screenshot_lies_on_the_datastore(served: Served, si: Any, vm: Any) -> None:
    """The task's result is a datastore path, which the session can download and delete, and nobody else."""
    with pytest.raises(vim.fault.InvalidPowerState):
        wait_for(vm.CreateScreenshot())
    wait_for(vm.PowerOn())
    task = vm.CreateScreenshot()
    wait_for(task)
    store, _, path = task.info.result.partition(" ")
    assert (store, path) == ("[lab]", "a/a-1.png")
    query = urllib.parse.urlencode({"dcPath": "Lab", "dsName": "lab"})
    connection = http.client.HTTPSConnection("127.0.0.1", served.port, context=served.trust, timeout=60)
    connection.request("GET", f"/folder/{path}?{query}", headers={"Cookie": si._stub.cookie})
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.read() == b"\x89PNG\r\n\x1a\na"
    connection.close()
    wait_for(si.content.fileManager.DeleteDatastoreFile_Task(task.info.result, None))
    with pytest.raises(vim.fault.FileNotFound):
        wait_for(si.content.fileManager.DeleteDatastoreFile_Task(task.info.result, None))


def test_the_inventory_reads_like_a_vcenter(si: Any) -> None:
    """Every property of every object can be read by attribute, and the searches find the same machine."""
    content, index = si.content, si.content.searchIndex
    kinds = [vim.ManagedEntity]
    found = content.viewManager.CreateContainerView(content.rootFolder, kinds, True).view
    assert {type(each)._wsdlName for each in found} == {
        "Datacenter",
        "Folder",
        "ComputeResource",
        "HostSystem",
        "ResourcePool",
        "Datastore",
        "Network",
        "VirtualMachine",
    }
    for entity in found:
        for name in [info.name for info in type(entity)._GetPropertyList()]:
            getattr(entity, name)
    vm = index.FindByInventoryPath("/Lab/vm/Windows/b")
    assert index.FindByUuid(None, vm.config.uuid, True) == vm
    assert index.FindChild(vm.parent, "b") == vm
    assert index.FindByInventoryPath("Lab/vm/nothing") is None
    assert index.FindByIp(None, "127.0.0.12", True) is None
    assert vm.config.guestId == "windows11_64Guest"
    assert vm.parent.name == "Windows"
    made = vm.parent.CreateFolder("clones")
    with pytest.raises(vim.fault.DuplicateName):
        vm.parent.CreateFolder("clones")
    assert made.childEntity == []
    assert vim.VirtualMachine._wsdlName in made.childType
