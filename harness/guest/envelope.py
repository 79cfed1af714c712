"""The WS-Man messages that a remote cmd shell needs, and what their answers say.

They are written here rather than by pywinrm because the harness needs what its builders leave out: time-outs in
fractions of a second, message ids of our own (the same Receive may be sent again), and command ids of our own (a
Command whose answer was lost can be asked after instead of being sent twice).
"""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4
from xml.sax.saxutils import escape, quoteattr

SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
_CONFIG = "http://schemas.microsoft.com/wbem/wsman/1/config"
_TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
_MESSAGE_ID = re.compile(r"<a:MessageID>uuid:([^<]*)<")
_COMMAND_ID = re.compile(r'CommandId="([^"]*)"')
_RELATES_TO = re.compile(rb"[<:]RelatesTo[^>]*>\s*(?:uuid:)?([^<\s]*)")
_HEAD = 4096  # bytes of an answer in which its header is
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_FRAME = """<?xml version="1.0" encoding="utf-8"?>
<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope" \
xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" \
xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" \
xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd" \
xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell">\
<env:Header><a:To>{to}</a:To><a:ReplyTo><a:Address env:mustUnderstand="true">\
http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>\
<w:MaxEnvelopeSize env:mustUnderstand="true">153600</w:MaxEnvelopeSize>\
<a:MessageID>uuid:{message_id}</a:MessageID>\
<w:Locale env:mustUnderstand="false" xml:lang="en-US"/><p:DataLocale env:mustUnderstand="false" xml:lang="en-US"/>\
<w:OperationTimeout>PT{seconds:.3f}S</w:OperationTimeout>\
<w:ResourceURI env:mustUnderstand="true">{resource}</w:ResourceURI>\
<a:Action env:mustUnderstand="true">{action}</a:Action>{selector}{options}</env:Header>\
<env:Body>{body}</env:Body></env:Envelope>"""


@dataclass(frozen=True, slots=True)
class Received:
    """What one Receive brought: raw bytes of both streams, whether the command is done, and its exit code if told."""

    stdout: bytes
    stderr: bytes
    done: bool
    exit_code: int | None


def new_id() -> str:
    """Make an identifier the way Windows writes them."""
    return str(uuid4()).upper()


def create(to: str, *, seconds: float, profile: bool, idle: float) -> str:
    """Ask for a shell with code page 65001; the guest forgets it by itself when it lies idle for ``idle`` seconds."""
    options = _options(WINRS_NOPROFILE="FALSE" if profile else "TRUE", WINRS_CODEPAGE="65001")
    body = (
        "<rsp:Shell><rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams>"
        f"<rsp:IdleTimeOut>PT{idle:.3f}S</rsp:IdleTimeOut></rsp:Shell>"
    )
    return _message(to, f"{_TRANSFER}/Create", body, seconds=seconds, options=options)


def delete(to: str, shell_id: str, *, seconds: float) -> str:
    """Ask the guest to end everything in the shell and forget it."""
    return _message(to, f"{_TRANSFER}/Delete", "", seconds=seconds, shell_id=shell_id)


def command(to: str, shell_id: str, command_id: str, line: str, *, seconds: float) -> str:
    """Start a command line under an id of our own; raises ValueError for a character that XML cannot carry."""
    if odd := _NOT_XML.search(line):
        raise ValueError(f"a command line cannot carry the character {odd.group()!r}: {line!r}")
    options = _options(WINRS_CONSOLEMODE_STDIN="TRUE", WINRS_SKIP_CMD_SHELL="FALSE")
    words = f"<rsp:Command>{escape(line)}</rsp:Command>"
    body = f"<rsp:CommandLine CommandId={quoteattr(command_id)}>{words}</rsp:CommandLine>"
    return _message(to, f"{SHELL}/Command", body, seconds=seconds, shell_id=shell_id, options=options)


def receive(to: str, shell_id: str, command_id: str, *, seconds: float) -> str:
    """Wait for output; the very same message may be sent again when its answer was lost."""
    body = (
        f"<rsp:Receive><rsp:DesiredStream CommandId={quoteattr(command_id)}>stdout stderr</rsp:DesiredStream>"
        "</rsp:Receive>"
    )
    return _message(to, f"{SHELL}/Receive", body, seconds=seconds, shell_id=shell_id)


def signal(to: str, shell_id: str, command_id: str, code: str, *, seconds: float) -> str:
    """Send ``terminate`` or ``ctrl_c`` to a command; the guest accepts it for a command it no longer knows, too."""
    body = f"<rsp:Signal CommandId={quoteattr(command_id)}><rsp:Code>{SHELL}/signal/{code}</rsp:Code></rsp:Signal>"
    return _message(to, f"{SHELL}/Signal", body, seconds=seconds, shell_id=shell_id)


def configuration(to: str, *, seconds: float) -> str:
    """Ask for what ``winrm get winrm/config`` shows; only an administrator is told."""
    return _message(to, f"{_TRANSFER}/Get", "", seconds=seconds, resource=_CONFIG)


def settings_of(answer: bytes) -> dict[str, str]:
    """Read the answer to ``configuration``: settings by their path, as ``Winrs/MaxShellsPerUser``.

    Raises ValueError when there is none.
    """
    config = _root(answer).find(f".//{{{_CONFIG}}}Config")
    if config is None:
        raise ValueError("the answer holds no configuration")
    return dict(_leaves(config, ""))


def _leaves(node: ET.Element, above: str) -> Iterator[tuple[str, str]]:
    for child in node:
        path = above + child.tag.rpartition("}")[2]
        if len(child):
            yield from _leaves(child, f"{path}/")
        else:
            yield path, (child.text or "").strip()


def shell_id_of(answer: bytes) -> str:
    """Read the shell's id from the answer to Create; raises ValueError when there is none."""
    for node in _root(answer).iter():
        if node.get("Name") == "ShellId" and node.text:
            return node.text
    raise ValueError("the answer to Create names no shell")


def command_id_of(answer: bytes) -> str:
    """Read the command's id from the answer to Command; raises ValueError when there is none."""
    for node in _root(answer).iter(f"{{{SHELL}}}CommandId"):
        if node.text:
            return node.text
    raise ValueError("the answer to Command names no command")


def insist_that_it_answers(answer: bytes, message: str) -> None:
    """Raise ValueError for the answer to another message: what it says is another's, whatever it looks like."""
    asked, told = _MESSAGE_ID.search(message), _RELATES_TO.search(answer, 0, _HEAD)
    if asked and told and told[1].decode("utf-8", "replace").upper() != asked[1].upper():
        raise ValueError("it answers another message")


def received_of(answer: bytes, message: str = "") -> Received:
    """Read the answer to a Receive; a Done that tells no exit code gives ``done`` with ``exit_code`` None.

    Raises ValueError for what is no answer, or tells of another command than the message asked after.
    """
    streams: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
    done, exit_code = False, None
    asked = _COMMAND_ID.search(message)
    for node in _root(answer).iter():
        if asked and (told := node.get("CommandId")) and told.upper() != asked[1].upper():
            raise ValueError("the answer tells of another command")
        if node.tag == f"{{{SHELL}}}Stream" and node.text:
            streams.setdefault(node.get("Name", ""), []).append(base64.b64decode(node.text))
        elif node.tag == f"{{{SHELL}}}CommandState":
            done = done or node.get("State", "").endswith("/Done")
            code = node.findtext(f"{{{SHELL}}}ExitCode")
            exit_code = signed_32_bit(int(code)) if code else exit_code
    return Received(b"".join(streams["stdout"]), b"".join(streams["stderr"]), done, exit_code)


def signed_32_bit(code: int) -> int:
    """Give an exit code as Windows people write it: 4294967295 is -1."""
    return (code + 0x8000_0000) % 0x1_0000_0000 - 0x8000_0000


def _root(answer: bytes) -> ET.Element:
    try:
        return ET.fromstring(answer)  # noqa: S314 - expat fetches nothing and caps entity growth; the guest is ours
    except ET.ParseError as error:
        raise ValueError(f"the answer is not XML: {error}") from error


def _options(**options: str) -> str:
    words = "".join(f'<w:Option Name="{name}">{value}</w:Option>' for name, value in options.items())
    return f"<w:OptionSet>{words}</w:OptionSet>"


def _message(
    to: str,
    action: str,
    body: str,
    *,
    seconds: float,
    shell_id: str = "",
    options: str = "",
    resource: str = f"{SHELL}/cmd",
) -> str:
    selector = f'<w:SelectorSet><w:Selector Name="ShellId">{escape(shell_id)}</w:Selector></w:SelectorSet>'
    return _FRAME.format(
        to=escape(to),
        message_id=new_id(),
        seconds=max(seconds, 0.5),  # Windows refuses operation time-outs below half a second
        resource=resource,
        action=action,
        selector=selector if shell_id else "",
        options=options,
        body=body,
    )
