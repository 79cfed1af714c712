"""Message encryption over plain HTTP: one sealed SOAP message in a multipart body ([MS-WSMV] 2.2.9.1)."""

from __future__ import annotations

import re
import struct
from typing import Final

from spnego import ContextProxy
from spnego.exceptions import SpnegoError

from harness.lab.winrm import names

_PROTOCOL: Final = "application/HTTP-SPNEGO-session-encrypted"
_BOUNDARY: Final = "Encrypted Boundary"
MEDIA_TYPE: Final = f'multipart/encrypted;protocol="{_PROTOCOL}";boundary="{_BOUNDARY}"'

# some clients put a space after the dashes, and header names in any case
_HEAD = re.compile(
    rb"--\s*Encrypted Boundary\r\n(?P<head>(?:[^\r\n]*\r\n){1,4}?)--\s*Encrypted Boundary\r\n"
    rb"\s*Content-Type:\s*application/octet-stream\r\n",
    re.IGNORECASE,
)
_LENGTH = re.compile(rb"Length=(\d+)", re.IGNORECASE)
_END = re.compile(rb"--\s*Encrypted Boundary--(?:\r\n)?\Z", re.IGNORECASE)
_TAIL = 40  # no closing line is longer


class NotSealed(Exception):
    """The body is not what this connection's key sealed; the connection is of no more use."""


def is_sealed(content_type: str) -> bool:
    """Whether a body of that media type is a sealed message."""
    return content_type.lower().startswith("multipart/encrypted")


def unseal(context: ContextProxy, content: bytes) -> bytes:
    """Open a sealed message; raises NotSealed when it is malformed, tampered with or sealed for another connection."""
    head = _HEAD.match(content)
    length = _LENGTH.search(head["head"]) if head else None
    end = _END.search(content, max(0, len(content) - _TAIL))
    if head is None or length is None or end is None or end.start() - head.end() < 4:
        raise NotSealed("not a sealed message")
    payload = content[head.end() : end.start()]
    (size,) = struct.unpack_from("<i", payload)
    if not 0 < size <= min(1024, len(payload) - 4):
        raise NotSealed("the signature's length is wrong")
    try:
        plain: bytes = context.unwrap_winrm(payload[4 : 4 + size], payload[4 + size :])
    except (SpnegoError, ValueError) as error:
        raise NotSealed("the signature does not match") from error
    if len(plain) != int(length[1]):
        raise NotSealed("the length does not match")
    return plain


def seal(context: ContextProxy, content: bytes) -> bytes:
    """Seal an answer for the connection of the context; its media type is MEDIA_TYPE."""
    sealed = context.wrap_winrm(content)
    head = (
        f"--{_BOUNDARY}\r\n\tContent-Type: {_PROTOCOL}\r\n"
        f"\tOriginalContent: type={names.SOAP_MEDIA_TYPE};Length={len(content) + sealed.padding_length}\r\n"
        f"--{_BOUNDARY}\r\n\tContent-Type: application/octet-stream\r\n"
    ).encode()
    size = struct.pack("<i", len(sealed.header))
    return b"".join((head, size, sealed.header, sealed.data, f"--{_BOUNDARY}--\r\n".encode()))
