"""A guest's screen as a PNG picture, made from the X server's memory."""

from __future__ import annotations

import struct
import zlib

#: The XWD header: 25 numbers of 32 bits, of which these are read.
_SIZE, _FORMAT, _WIDTH, _HEIGHT, _ORDER, _BITS, _LINE, _COLOURS = 0, 2, 4, 5, 7, 11, 12, 19
_Z_PIXMAP = 2
_COLOUR = 12


def png(xwd: bytes) -> bytes:
    """Turn a screen in XWD format, 32 bits a pixel, into a PNG; raises ValueError when it is something else."""
    if len(xwd) < 100:
        raise ValueError("the guest has no screen")
    header = struct.unpack(">25I", xwd[:100])
    width, height, line = header[_WIDTH], header[_HEIGHT], header[_LINE]
    start = header[_SIZE] + header[_COLOURS] * _COLOUR
    if header[_FORMAT] != _Z_PIXMAP or header[_BITS] != 32 or not (0 < width <= 8192 and 0 < height <= 8192):
        raise ValueError("the guest's screen is not 32 bits a pixel")
    if line < 4 * width or len(xwd) < start + line * height:
        raise ValueError("the guest's screen is cut short")
    red, green, blue = (1, 2, 3) if header[_ORDER] else (2, 1, 0)
    rows = bytearray()
    for top in range(start, start + line * height, line):
        pixels = xwd[top : top + 4 * width]
        row = bytearray(3 * width)
        row[0::3], row[1::3], row[2::3] = pixels[red::4], pixels[green::4], pixels[blue::4]
        rows += b"\0" + row
    shape = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (_part(b"IHDR", shape), _part(b"IDAT", zlib.compress(bytes(rows), 3)), _part(b"IEND", b""))
    )


def _part(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
