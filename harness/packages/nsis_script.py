"""The strings of an NSIS installer's script: its header lies packed behind the program, by zlib or LZMA.

The layout is that of NSIS's own ``fileform.h``: a first header of seven numbers, then the script's header, with its
length before it, alone or as the beginning of one stream with the files. What is packed by bzip2 is not read: NSIS
leaves out parts of its format that others need.
"""

from __future__ import annotations

import lzma
import re
import struct
import zlib

from harness.packages.program import Program

_MARK = b"\xef\xbe\xad\xdeNullsoftInst"
_FIRST = 24  # bytes of the first header that come after its flags
_MOST = 8 << 20  # bytes of a script's header; big ones have some hundred thousand
_LZMA = re.compile(rb"\x5d\x00\x00[\x00-\xff]{2}\x00", re.DOTALL)
_PRINTED = re.compile(r"[^\x00-\x1f\ue000-\uf8ff\ufffd]{3,260}")


def strings_of(program: Program) -> frozenset[str]:
    """Give the strings of the script; none for a program that is no NSIS installer, or packed in another way."""
    place = program.overlay.find(_MARK)
    if place < 0:
        return frozenset()
    header = _header(program.overlay[place + _FIRST :])
    # one of the two it is; read as the other, its strings are single letters or none that anybody asks for
    found = (*header.decode("utf-16-le", "replace").split("\0"), *header.decode("latin-1").split("\0"))
    return frozenset(one for one in found if _PRINTED.fullmatch(one))


def _header(packed: bytes) -> bytes:
    (length,) = struct.unpack_from("<I", packed.ljust(4, b"\0"))
    if length >> 31 and (alone := _unpacked(packed[4 : 4 + (length & 0x7FFF_FFFF)])):
        return alone
    together = _unpacked(packed)
    (length,) = struct.unpack_from("<I", together.ljust(4, b"\0"))
    return together[4 : 4 + length]


def _unpacked(content: bytes) -> bytes:
    try:
        if _LZMA.match(content):
            (size,) = struct.unpack_from("<I", content, 1)
            # what is looked back for lies within what is read, whatever room the stream claims to need
            packed_by = {"id": lzma.FILTER_LZMA1, "dict_size": min(max(size, 4096), _MOST), "lc": 3, "lp": 0, "pb": 2}
            reader = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[packed_by])
            return reader.decompress(content[5:], max_length=_MOST)
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, _MOST)
    except (lzma.LZMAError, zlib.error, struct.error, ValueError):
        return b""
