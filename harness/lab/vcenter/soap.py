"""SOAP as vCenter speaks it: a request becomes a Call, a value or a fault becomes an answer.

pyVmomi ships vCenter's complete type tables for its client; the same tables read requests and write answers here, so
what is not in them cannot be sent, and a required field that is missing is refused before it reaches a client.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate

import pyVmomi
from pyVmomi import SoapAdapter, VmomiSupport

# pyVmomi's classes are made at run time and carry no signatures: this is where they enter, openly untyped.
_types: Any = pyVmomi
vim: Any = _types.vim
vmodl: Any = _types.vmodl
_support: Any = VmomiSupport
_adapter: Any = SoapAdapter

#: What every reference to an object is.
ManagedObject: Any = _support.ManagedObject

VIM25 = "urn:vim25"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
NEWEST: str = _support.GetServiceVersions("vim25")[0]
_OLDEST = "vmodl.version.version0"  # what is of this version is written for every client, however old
_PREFIXES = {**_adapter.SOAP_NSMAP, VIM25: ""}
_HEAD = f"{_adapter.XML_HEADER}\n{_adapter.SOAP_START}"
_TAIL = str(_adapter.SOAP_END)


def versions() -> list[str]:
    """List the version ids of the API that can be spoken, newest first: ``9.1.1.0`` ... ``2.5``."""
    ids = [_support.versionIdMap[version] for version in _support.GetServiceVersions("vim25")]
    return [version for version in ids if version and version[0].isdigit()]


def version_of(soap_action: str) -> str:
    """Read the version that a SOAPAction header asks for (``"urn:vim25/8.0.3.0"``), the newest when none."""
    known: dict[str, str] = _support.versionMap
    return known.get(soap_action.strip('"').removeprefix("urn:"), NEWEST) if "/" in soap_action else NEWEST


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the API as the type tables describe it."""

    name: str
    managed: Any
    owner: Any
    parameters: tuple[Any, ...]
    result: Any
    privilege: str | None
    version: str


@dataclass(slots=True)
class Call:
    """One request: the object it is for, the method, and the arguments by the names of the API."""

    method: Method
    this: Any
    arguments: dict[str, Any] = field(default_factory=dict)
    user: str = ""

    def __getitem__(self, name: str) -> Any:
        return self.arguments.get(name)


@cache
def method(name: str) -> Method:
    """Look a method up by its name on the wire; raises KeyError for one that the API does not have."""
    if name == "Fetch":
        # how pyVmomi reads every attribute; served by vCenter, described nowhere
        prop = _support.Object(name="prop", type=str, version=_OLDEST, flags=0)
        return Method("Fetch", None, _support.ManagedObject, (prop,), object, "System.Anonymous", _OLDEST)
    managed = _support.GetWsdlMethod(VIM25, name)
    info = managed.info
    return Method(
        name, managed, info.type, tuple(info.params), info.result, getattr(info, "privId", None), info.version
    )


class BadRequest(Exception):
    """What arrived is not a request of this API; says why."""


class _Arguments(_support.DataObject):  # type: ignore[misc]  # a class that pyVmomi makes at run time
    """The element of a request, which pyVmomi's reader fills like any other data object."""

    _version = _OLDEST

    def __init__(self, called: Method) -> None:
        this = _support.Object(name="_this", type=_support.ManagedObject, version=NEWEST, flags=0)
        fields = {info.name: info for info in (this, *called.parameters)}
        object.__setattr__(self, "_fields", fields)
        object.__setattr__(self, "_read", {})

    def _GetPropertyInfo(self, name: str) -> Any:  # noqa: N802 - pyVmomi's reader asks for this name
        if name not in self._fields:
            raise BadRequest(f"the method has no parameter {name!r}")
        return self._fields[name]

    def __getattr__(self, name: str) -> Any:
        # only asked for arrays, one call an item
        return self._read.setdefault(name, self._fields[name].type())

    def __setattr__(self, name: str, value: Any) -> None:
        _support.CheckField(self._fields[name], value)
        self._read[name] = value


class _Reader(_adapter.SoapDeserializer):  # type: ignore[misc]  # pyVmomi's class, without annotations
    """Reads the one element inside soap:Body."""

    called: Method | None = None

    def StartElementHandler(self, tag: str, attributes: dict[str, str]) -> None:  # noqa: N802 - expat's name
        if not self.stack:
            namespace, name = self.SplitTag(tag)
            try:
                found = method(name)
            except KeyError:
                raise BadRequest(f"there is no method {name!r} in {namespace or 'no namespace'}") from None
            self.called = found
            self.data = ""
            self.serverGuid = None
            self.stack.append(_Arguments(found))
            return
        super().StartElementHandler(tag, attributes)


def read_call(body: bytes) -> Call:
    """Read one request; raises BadRequest for anything else, also for a document type, which could carry entities."""
    reader = _Reader()
    parser = ParserCreate(namespace_separator=_adapter.NS_SEP)
    parser.buffer_text = True
    namespaces: dict[str | None, list[str]] = {}

    def refuse(*_: object) -> None:
        raise BadRequest("a document type is not allowed")

    def declare(prefix: str | None, uri: str | None) -> None:
        namespaces.setdefault(prefix, []).append(uri or "")

    def start(tag: str, _: dict[str, str]) -> None:
        if tag == f"{ENVELOPE} Body" and reader.called is None:
            reader.Deserialize(parser, object, False, namespaces)

    parser.StartDoctypeDeclHandler = refuse
    parser.StartNamespaceDeclHandler = declare
    parser.EndNamespaceDeclHandler = lambda prefix: namespaces[prefix].pop()
    parser.StartElementHandler = start
    try:
        parser.Parse(body, True)
    except ExpatError as error:
        raise BadRequest(f"the request is not XML: {error}") from error
    except (TypeError, ValueError, KeyError, AttributeError, IndexError, RecursionError) as error:
        # what pyVmomi's reader raises for an unknown type, an unknown word of an enumeration or a value of a wrong type
        raise BadRequest(f"the request does not fit the API: {error}") from error
    if reader.called is None or not isinstance(reader.result, _Arguments):
        raise BadRequest("the request has no method")
    read = dict(reader.result._read)
    this = read.pop("_this", None)
    if this is None:
        raise BadRequest("the request names no object (_this)")
    for parameter in reader.called.parameters:
        if parameter.name not in read and not parameter.flags & _support.F_OPTIONAL:
            if issubclass(parameter.type, list):
                read[parameter.name] = parameter.type()
                continue
            raise BadRequest(f"{reader.called.name} needs {parameter.name}")
    return Call(reader.called, this, read)


class _Writer(_adapter.SoapSerializer):  # type: ignore[misc]  # pyVmomi's class, without annotations
    def _QName(self, kind: Any, namespace: str) -> tuple[str, str]:  # noqa: N802 - pyVmomi's name
        # a reference where anything may stand: pyVmomi would write a name that only pyVmomi reads
        if kind is _support.ManagedObject:
            return "", "ManagedObjectReference"
        attribute, name = super()._QName(kind, namespace)
        return attribute, name


def _serializer(writer: io.StringIO, version: str) -> Any:
    serializer = _Writer(writer, version, _PREFIXES)
    serializer.outermostAttrs = ""  # an attribute versionId, which pyVmomi's client adds and a vCenter does not
    return serializer


def _write(value: Any, described: Any, version: str) -> str:
    writer = io.StringIO()
    _serializer(writer, version).Serialize(value, described)
    return writer.getvalue()


def answer(called: Method, value: Any, declared: Any, version: str) -> bytes:
    """Write what a method gave back, in the version that the client speaks."""
    name = called.name
    written = ""
    if value is not None and not (isinstance(value, list) and not value):
        returned = _support.Object(name="returnval", type=declared, version=_OLDEST, flags=_support.F_OPTIONAL)
        written = _write(value, returned, version)
    return f'{_HEAD}<{name}Response xmlns="{VIM25}">{written}</{name}Response>{_TAIL}'.encode()


def fault(raised: Any, version: str) -> bytes:
    """Write a fault, with its message as the fault string and its fields as the detail."""
    name = f"{raised._wsdlName}Fault"
    message = _adapter.XmlEscape(raised.msg or raised._wsdlName)
    raised.msg = None
    described = _support.Object(name=name, type=object, version=version, flags=0)
    writer = io.StringIO()
    _serializer(writer, version).SerializeFaultDetail(raised, described)
    detail = writer.getvalue().replace(f"<{name}", f'<{name} xmlns="{VIM25}"', 1)
    return (
        f"{_HEAD}<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>{message}</faultstring>"
        f"<detail>{detail}</detail></soapenv:Fault>{_TAIL}"
    ).encode()


def written(value: Any) -> str:
    """Write a value as XML, to tell whether it changed; empty for one that is not set."""
    if value is None:
        return ""
    return _write(value, _support.Object(name="val", type=object, version=NEWEST, flags=_support.F_OPTIONAL), NEWEST)


def property_type(kind: Any, name: str) -> Any:
    """Find the declared type of a property; raises the InvalidProperty fault for one that the type does not have."""
    try:
        return kind._GetPropertyInfo(name).type
    except AttributeError:
        raise vmodl.query.InvalidProperty(name=name, msg=f"{kind._wsdlName} has no property {name!r}") from None


def typed(value: Any, declared: Any) -> Any:
    """Give a value its declared type where Python's own would reach a client as another: list, long, enumeration."""
    if isinstance(value, list):
        return value if isinstance(value, _support.Array) else declared(value)
    if isinstance(value, (str, int, float)) and not isinstance(value, declared) and issubclass(declared, type(value)):
        return declared(value)
    return value
