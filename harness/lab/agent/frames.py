"""The pipe between the lab and a guest's agent: frames of a JSON header and a body of bytes."""

from __future__ import annotations

import json
import os
import struct
from typing import Any

SIZES = struct.Struct(">II")

#: The most bytes a body carries; longer content travels as several frames.
BODY = 64 * 1024

#: How many bytes of a command's output the agent sends ahead of the reader's thanks.
AHEAD = 1024 * 1024


def packed(header: dict[str, Any], body: bytes = b"") -> bytes:
    """Lay out one frame: two big-endian 32-bit sizes, the header as JSON, the body."""
    words = json.dumps(header, separators=(",", ":")).encode()
    return SIZES.pack(len(words), len(body)) + words + body


def read_frame(fd: int) -> tuple[dict[str, Any], bytes] | None:
    """Read exactly one frame and not a byte more, so that another process may read on; None when the lab has gone."""
    sizes = _exactly(fd, SIZES.size)
    if sizes is None:
        return None
    words, length = SIZES.unpack(sizes)
    header = _exactly(fd, words)
    body = _exactly(fd, length)
    if header is None or body is None:
        return None
    return json.loads(header), body


def write_frame(fd: int, header: dict[str, Any], body: bytes = b"") -> None:
    """Write one frame whole."""
    rest = memoryview(packed(header, body))
    while rest:
        rest = rest[os.write(fd, rest) :]


def _exactly(fd: int, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = os.read(fd, count - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)
