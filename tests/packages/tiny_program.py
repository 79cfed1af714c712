"""The smallest PE files: headers, sections, imports, resources and an overlay, as a test asks for them."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

X86, X64, ARM64 = 0x14C, 0x8664, 0xAA64
_AT, _RAW = 0x1000, 0x400  # where the one section lies in memory and in the file


def tiny_program(
    *,
    machine: int = X64,
    imports: Sequence[str] = (),
    sections: Sequence[str] = (),
    manifest: str = "",
    resources: Mapping[int, Mapping[int, bytes]] | None = None,
    overlay: bytes = b"",
    subsystem_version: int = 6,
    dll: bool = False,
) -> bytes:
    """Write a program that a reader takes for one; nothing could run it.

    ``sections``: names of further, empty ones. ``resources``: kind to number to content; a manifest is added.
    """
    held = {kind: dict(entries) for kind, entries in (resources or {}).items()}
    if manifest:
        held.setdefault(24, {})[1] = manifest.encode()
    imported = _imports(imports) if imports else b""
    at_resources = _AT + len(imported)
    body = imported + (_resources(held, at_resources) if held else b"")
    wide = machine != X86
    directories = [(0, 0)] * 16
    directories[1] = (_AT, len(imported)) if imports else (0, 0)
    directories[2] = (at_resources, len(body) - len(imported)) if held else (0, 0)
    padded = body.ljust(-(-max(len(body), 1) // 512) * 512, b"\0")
    names = [".rdata", *sections]
    optional = struct.pack(
        "<HBBIIIII" + ("Q" if wide else "II") + "IIHHHHHHIIIIHH" + ("QQQQ" if wide else "IIII") + "II",
        *(0x20B if wide else 0x10B, 14, 0, 0, 0, 0, 0, 0),
        *((0x140000000,) if wide else (0, 0x400000)),
        *(0x1000, 512, 6, 0, 0, 0, subsystem_version, 0, 0, 0x1000 * (len(names) + 1) + len(padded), _RAW, 0, 3, 0),
        *(0x100000, 0x1000, 0x100000, 0x1000, 0, 16),
    ) + b"".join(struct.pack("<II", *one) for one in directories)
    flags = 0x22 | (0x2000 if dll else 0)
    coff = struct.pack("<HHIIIHH", machine, len(names), 0, 0, 0, len(optional), flags)
    table = b"".join(
        struct.pack(
            *("<8sIIIIIIHHI", name.encode(), len(padded), _AT + 0x1000 * index * (len(padded) // 0x1000 + 1)),
            *((len(padded), _RAW) if index == 0 else (0, 0)),
            *(0, 0, 0, 0, 0x40000040),
        )
        for index, name in enumerate(names)
    )
    start = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    return (start + b"PE\0\0" + coff + optional + table).ljust(_RAW, b"\0") + padded + overlay


def _imports(names: Sequence[str]) -> bytes:
    place = _AT + 20 * (len(names) + 1)
    functions = place
    hint = functions + 16
    texts = hint + 8
    descriptors, letters = b"", b""
    for name in names:
        descriptors += struct.pack("<IIIII", functions, 0, 0, texts + len(letters), functions)
        letters += name.encode() + b"\0"
    return descriptors + bytes(20) + struct.pack("<QQ", hint, 0) + b"\0\0Start\0" + letters


def _resources(held: Mapping[int, Mapping[int, bytes]], at: int) -> bytes:
    # three levels of directories, then the descriptions of the contents, then the contents
    leaves = [(kind, number, content) for kind in sorted(held) for number, content in sorted(held[kind].items())]
    first = 16 + 8 * len(held)
    second = dict.fromkeys(held, 0)
    place = first
    for kind in sorted(held):
        second[kind] = place
        place += 16 + 8 * len(held[kind])
    third = {}
    for kind, number, _ in leaves:
        third[kind, number] = place
        place += 24
    described, contents = place, place + 16 * len(leaves)
    made = _folder([(kind, second[kind] | 0x8000_0000) for kind in sorted(held)])
    for kind in sorted(held):
        made += _folder([(number, third[kind, number] | 0x8000_0000) for number in sorted(held[kind])])
    for index in range(len(leaves)):
        made += _folder([(1033, described + 16 * index)])
    letters = b""
    for _, _, content in leaves:
        made += struct.pack("<IIII", at + contents + len(letters), len(content), 0, 0)
        letters += content
    return made + letters


def _folder(entries: Sequence[tuple[int, int]]) -> bytes:
    return struct.pack("<IIHHHH", 0, 0, 0, 0, 0, len(entries)) + b"".join(struct.pack("<II", *one) for one in entries)
