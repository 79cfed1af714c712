"""A Windows program (PE file) as its headers, its imports and its resources describe it; nothing of it is run.

Read with pefile: pure Python, no dependency, still kept, and it maps big files instead of reading them. lief can do
more, but is compiled code that a hostile file can crash.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.packages.unreadable import reading

WHAT = "a Windows program"
MACHINES: Mapping[int, str] = {0x14C: "x86", 0x8664: "x64", 0xAA64: "arm64", 0x1C4: "arm", 0x200: "itanium"}
WINDOWS_10 = "{8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a}"  # stands for 10 and 11 in a manifest
_IMPORTS, _RESOURCES, _SECURITY, _DELAYED, _CLR = 1, 2, 4, 13, 14
_RCDATA, _VERSION, _MANIFEST = 10, 16, 24
_BIGGEST_MANIFEST = 1 << 20
_FIRST_OF_OVERLAY = 1 << 20


@dataclass(frozen=True, slots=True)
class Program:
    """What a PE file says of itself.

    ``imports``: DLL names in small letters, ``delayed`` those that are loaded at their first use. ``strings``: the
    version resource. ``overlay``: the first megabyte of what follows the program itself, from ``overlay_at``.
    ``certificates``: offset and size of the signature, size 0 without one. ``missing``: bytes that the headers speak of
    and the file does not have.
    """

    name: str
    size: int
    machine: str
    is_dll: bool
    needs_windows: tuple[int, int]
    is_dotnet: bool
    sections: tuple[str, ...]
    imports: tuple[str, ...]
    delayed: tuple[str, ...]
    strings: Mapping[str, str] = field(default_factory=dict)
    manifest: str = ""
    resources: frozenset[str] = frozenset()
    overlay: bytes = b""
    overlay_at: int = 0
    certificates: tuple[int, int] = (0, 0)
    checksum_at: int = 0
    certificates_entry_at: int = 0
    missing: int = 0

    @property
    def level(self) -> str:
        """The rights that the manifest asks for: asInvoker, highestAvailable, requireAdministrator; or empty."""
        found = re.search(r"requestedExecutionLevel[^>]*\blevel\s*=\s*[\"'](\w+)", self.manifest)
        return found[1] if found else ""

    @property
    def knows_windows_10(self) -> bool:
        """Whether its manifest names Windows 10 and 11, without which Windows tells it that it runs on Windows 8."""
        return WINDOWS_10 in self.manifest.casefold()


def read_program(file: Path) -> Program:
    """Read a program's headers, imports and resources; raises Unreadable where it is none or a damaged one."""
    with reading(file, WHAT), file.open("rb") as stream:
        import pefile  # type: ignore[import-untyped]  # has no types; those on offer are of an older version

        # mapped here and not by pefile, whose closing collects the whole process's garbage every time
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _program(pefile.PE(data=content, fast_load=True), file.name)


def program_in(content: bytes, name: str) -> Program:
    """Read a program that lies inside another file; raises Unreadable."""
    with reading(Path(name), WHAT):
        import pefile

        return _program(pefile.PE(data=content, fast_load=True), name)


def _program(parsed: Any, name: str) -> Program:
    parsed.parse_data_directories(directories=[_IMPORTS, _DELAYED, _RESOURCES])
    size = len(parsed.__data__)
    # an overlay's own start, not pefile's: a signature is no overlay
    ends = [section.PointerToRawData + section.SizeOfRawData for section in parsed.sections]
    end = max([parsed.OPTIONAL_HEADER.SizeOfHeaders, *ends])
    certificates = _directory(parsed, _SECURITY)
    overlay_end = certificates[0] if certificates[1] and certificates[0] >= end else size
    header = parsed.OPTIONAL_HEADER
    return Program(
        name=name,
        size=size,
        machine=MACHINES.get(parsed.FILE_HEADER.Machine, f"{parsed.FILE_HEADER.Machine:#x}"),
        is_dll=bool(parsed.FILE_HEADER.Characteristics & 0x2000),
        needs_windows=(header.MajorSubsystemVersion, header.MinorSubsystemVersion),
        is_dotnet=_directory(parsed, _CLR)[1] > 0,
        sections=tuple(section.Name.rstrip(b"\0").decode("latin-1") for section in parsed.sections),
        imports=_names(getattr(parsed, "DIRECTORY_ENTRY_IMPORT", ())),
        delayed=_names(getattr(parsed, "DIRECTORY_ENTRY_DELAY_IMPORT", ())),
        strings=dict(_strings(parsed)),
        manifest=_manifest(parsed),
        resources=frozenset(f"{kind}/{entry}" for kind, entry, _ in _resources(parsed)),
        overlay=bytes(parsed.__data__[end : min(overlay_end, end + _FIRST_OF_OVERLAY)]) if end < overlay_end else b"",
        overlay_at=end,
        certificates=certificates,
        checksum_at=header.get_file_offset() + 64,  # the same place for 32 and 64 bits
        certificates_entry_at=header.DATA_DIRECTORY[_SECURITY].get_file_offset() if certificates[1] else 0,
        missing=max(0, end - size, sum(certificates) - size if certificates[1] else 0),
    )


def _directory(parsed: Any, number: int) -> tuple[int, int]:
    directories = parsed.OPTIONAL_HEADER.DATA_DIRECTORY
    return (directories[number].VirtualAddress, directories[number].Size) if number < len(directories) else (0, 0)


def _names(entries: Any) -> tuple[str, ...]:
    return tuple(entry.dll.decode("latin-1").casefold() for entry in entries if entry.dll)


def _strings(parsed: Any) -> Iterator[tuple[str, str]]:
    for group in getattr(parsed, "FileInfo", ()) or ():
        for block in group:
            for table in getattr(block, "StringTable", ()):
                for key, value in table.entries.items():
                    yield key.decode("utf-8", "replace"), value.decode("utf-8", "replace").rstrip("\0 ")


def _resources(parsed: Any) -> Iterator[tuple[int | str, int | str, Any]]:
    """Walk the resources: kind, entry, what describes its bytes."""
    root = getattr(parsed, "DIRECTORY_ENTRY_RESOURCE", None)
    for kind in getattr(root, "entries", ()):
        for entry in getattr(getattr(kind, "directory", None), "entries", ()):
            for language in getattr(getattr(entry, "directory", None), "entries", ()):
                if hasattr(language, "data"):
                    yield _called(kind), _called(entry), language.data.struct


def _called(entry: Any) -> int | str:
    return str(entry.name) if entry.name is not None else int(entry.id)


def _manifest(parsed: Any) -> str:
    for kind, _, place in _resources(parsed):
        if kind == _MANIFEST and place.Size <= _BIGGEST_MANIFEST:
            content = bytes(parsed.get_data(place.OffsetToData, place.Size))
            return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")
    return ""
