"""A ZIP's contents as they would land on a Windows disk; nothing is unpacked but programs' first megabytes."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from harness.packages.unreadable import Unreadable, reading

WHAT = "a ZIP archive"
BIGGEST_MEMBER = 64 << 20  # programs above it are listed, and not looked into
MOST_MEMBERS = 300_000
MOST_BYTES = 16 << 30
"""Bytes that are unpacked to see whether they are whole; a small archive can hold any number of them."""
_LONGEST_END = 65_557 + 20  # bytes at the end of an archive: its record, a comment, and where that of 64 bits is
_IN_64_BITS = 0xFFFF_FFFF
_LONGEST_ENTRY = 400  # bytes of a member's entry in the directory, on average
PROGRAMS = (".exe", ".dll", ".sys", ".ocx", ".cpl", ".scr", ".pyd", ".node")
SCRIPTS = (".bat", ".cmd", ".com", ".ps1", ".vbs", ".js", ".msi", ".lnk", ".wsf", ".hta")


@dataclass(frozen=True, slots=True)
class Member:
    """One entry: its name as it is written, sizes in bytes, whether it is a folder, a link, or encrypted.

    ``method`` is how it is packed, by the number that the format gives it.
    """

    name: str
    size: int
    packed: int
    is_folder: bool
    is_link: bool
    is_encrypted: bool
    method: int = zipfile.ZIP_DEFLATED

    @property
    def is_plain(self) -> bool:
        """Whether it is stored or deflated, which everybody unpacks; of others zipfile bounds no memory."""
        return self.method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

    @property
    def parts(self) -> tuple[str, ...]:
        """The name's parts as Windows divides it, at either slash."""
        return tuple(part for part in self.name.replace("\\", "/").split("/") if part)


class Archive:
    """A ZIP's list of members; raises Unreadable where the file is none or a damaged one."""

    def __init__(self, file: Path) -> None:
        self.file = file
        with reading(file, WHAT):
            _refuse_too_many(file)
        with reading(file, WHAT), zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            self.members = tuple(_member(entry) for entry in entries)

    def programs(self) -> Iterator[tuple[Member, bytes]]:
        """Give the programs with their contents, one at a time; those that cannot be unpacked are left out."""
        with reading(self.file, WHAT), zipfile.ZipFile(self.file) as archive:
            for entry, member in zip(archive.infolist(), self.members, strict=True):
                wanted = member.name.casefold().endswith(PROGRAMS) and 0 < member.size <= BIGGEST_MEMBER
                if not wanted or member.is_encrypted or not member.is_plain:
                    continue
                with archive.open(entry) as stream:
                    # one byte more than it says: a member that lies about its size is cut, not believed
                    yield member, b"".join(_pieces(stream, min(member.size, BIGGEST_MEMBER) + 1))

    def broken(self) -> Iterator[tuple[Member, str]]:
        """Unpack everything into nothing; give the members whose checksum is wrong or that cannot be unpacked."""
        unpacked = 0
        with reading(self.file, WHAT), zipfile.ZipFile(self.file) as archive:
            for entry, member in zip(archive.infolist(), self.members, strict=True):
                if member.is_encrypted or member.is_folder or not member.is_plain:
                    continue
                try:
                    with reading(Path(member.name), "what its checksum says"), archive.open(entry) as stream:
                        for piece in _pieces(stream, MOST_BYTES - unpacked):
                            unpacked += len(piece)
                except Unreadable as error:
                    yield member, str(error)
                if unpacked >= MOST_BYTES:
                    raise Unreadable(f"{self.file.name}: it holds more than {MOST_BYTES >> 30} GB unpacked")


def _refuse_too_many(file: Path) -> None:
    """Refuse a directory of members that is too long, before zipfile makes an object of each."""
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - _LONGEST_END))
        end = stream.read()
        at = end.rfind(b"PK\x05\x06")
        size = int.from_bytes(end[at + 12 : at + 16], "little") if at >= 0 else 0
        if size == _IN_64_BITS and end[at - 20 : at - 16] == b"PK\x06\x07":
            stream.seek(int.from_bytes(end[at - 12 : at - 4], "little"))
            size = int.from_bytes(stream.read(56)[40:48], "little")
    if size > MOST_MEMBERS * _LONGEST_ENTRY:
        raise Unreadable(f"{file.name}: its list of members of {size:,} bytes is too long to be a product's")


def _pieces(stream: IO[bytes], at_most: int) -> Iterator[bytes]:
    while at_most > 0 and (piece := stream.read(min(1 << 20, at_most))):
        at_most -= len(piece)
        yield piece


def _member(entry: zipfile.ZipInfo) -> Member:
    # entry.filename has its slashes turned round; orig_filename is what other unpackers see
    mode = entry.external_attr >> 16
    return Member(
        name=entry.orig_filename,
        size=entry.file_size,
        packed=entry.compress_size,
        is_folder=entry.is_dir() or bool(entry.external_attr & 0x10),
        is_link=stat.S_ISLNK(mode) or bool(entry.create_system == 0 and entry.external_attr & 0x400),
        is_encrypted=bool(entry.flag_bits & 1),
        method=entry.compress_type,
    )
