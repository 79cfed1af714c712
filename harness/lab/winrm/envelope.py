"""SOAP envelopes: a request read with a parser that expands nothing, an answer written with everything escaped."""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET  # nosec - a document type is refused below, so no entity can be declared
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

from harness.lab.winrm import faults, names

_DURATION = re.compile(
    r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_OLDER_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_MUST = f"{{{names.SOAP}}}mustUnderstand"
_UNDERSTOOD = tuple(f"{{{space}}}" for space in (names.ADDRESSING, names.WSMAN, names.MICROSOFT, names.SHELL))


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request: what is asked of which resource, and how long and how large the answer may be.

    ``timeout`` is in seconds or None, ``max_envelope`` in bytes or None; ``insisted`` names the options that must be
    obeyed.
    """

    action: str
    resource: str
    message_id: str
    timeout: float | None
    max_envelope: int | None
    selectors: Mapping[str, str]
    options: Mapping[str, str]
    insisted: frozenset[str]
    body: ET.Element | None

    def flag(self, option: str) -> bool:
        """Whether an option is on; clients write TRUE, True, true and 1."""
        return self.options.get(option, "").strip().lower() in ("true", "1")


class _NoDocumentType(ET.TreeBuilder):
    def doctype(self, *_: object) -> None:
        raise faults.malformed("A document type is not allowed.")


def parse(content: bytes, charset: str = "utf-8") -> ET.Element:
    """Read XML; raises Fault for what is not well-formed and for any document type (so no entity is ever expanded)."""
    text: bytes | str = content
    if charset.lower().startswith("utf-16") or content[:2] in (b"\xff\xfe", b"\xfe\xff", b"<\0"):
        try:
            text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-16-le")
        except UnicodeDecodeError:
            raise faults.malformed("The text is not UTF-16.") from None
        text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)  # its encoding is not that of the text any more
    parser = ET.XMLParser(target=_NoDocumentType())  # noqa: S314 - see above
    try:
        parser.feed(text)
        root = parser.close()
    except (ET.ParseError, ValueError, LookupError) as error:
        raise faults.malformed(str(error)) from None
    assert isinstance(root, ET.Element)  # noqa: S101 - what a TreeBuilder builds
    return root


def read_request(content: bytes, charset: str = "utf-8") -> Request:
    """Read one SOAP request; raises Fault for everything that is not one."""
    root = parse(content, charset)
    if root.tag == f"{{{_OLDER_SOAP}}}Envelope":
        raise faults.another_soap()
    if root.tag != f"{{{names.SOAP}}}Envelope":
        raise faults.malformed("The root is not a SOAP 1.2 envelope.")
    header = root.find(f"{{{names.SOAP}}}Header")
    body = root.find(f"{{{names.SOAP}}}Body")
    if body is None:
        raise faults.malformed("The envelope has no body.")

    for said_more in header if header is not None else ():
        if said_more.get(_MUST, "").lower() in ("true", "1") and not said_more.tag.startswith(_UNDERSTOOD):
            raise faults.not_understood(said_more.tag.rpartition("}")[2])

    def said(space: str, name: str) -> str:
        return (header.findtext(f"{{{space}}}{name}") or "").strip() if header is not None else ""

    options = header.findall(f"{{{names.WSMAN}}}OptionSet/{{{names.WSMAN}}}Option") if header is not None else []
    selectors = header.findall(f"{{{names.WSMAN}}}SelectorSet/{{{names.WSMAN}}}Selector") if header is not None else []
    timeout = said(names.WSMAN, "OperationTimeout")
    size = said(names.WSMAN, "MaxEnvelopeSize")
    return Request(
        action=said(names.ADDRESSING, "Action"),
        resource=said(names.WSMAN, "ResourceURI"),
        message_id=said(names.ADDRESSING, "MessageID"),
        timeout=read_duration(timeout) if timeout else None,
        max_envelope=int(size[:12]) if size.isdecimal() else None,
        selectors={selector.get("Name", ""): (selector.text or "").strip() for selector in selectors},
        options={option.get("Name", ""): option.text or "" for option in options},
        insisted=frozenset(
            option.get("Name", "") for option in options if option.get("MustComply", "").lower() in ("true", "1")
        ),
        body=body[0] if len(body) else None,
    )


def read_duration(text: str) -> float:
    """Read an ISO 8601 duration such as ``PT60.000S``, or a bare number, in seconds; raises Fault for anything else."""
    if text.isascii() and text.isdecimal():
        return float(text)
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise faults.invalid_value(f"{text} is not a duration. ")
    part = {name: float(value or 0) for name, value in match.groupdict().items()}
    return part["days"] * 86400 + part["hours"] * 3600 + part["minutes"] * 60 + part["seconds"]


def write_answer(body: str, *, action: str, relates_to: str) -> bytes:
    """Put a body into an envelope; ``relates_to`` is repeated letter by letter, as clients compare it so."""
    relation = f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo>" if relates_to else ""
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{names.SOAP}" xmlns:a="{names.ADDRESSING}" xmlns:x="{names.TRANSFER}" '
        f'xmlns:w="{names.WSMAN}" xmlns:rsp="{names.SHELL}" xmlns:p="{names.MICROSOFT}"><s:Header>'
        f"<a:Action>{escape(action)}</a:Action><a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>"
        f"<a:To>{names.ANONYMOUS}</a:To>{relation}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()
