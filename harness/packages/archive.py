"""A ZIP's contents as they would land on a Windows disk; nothing is unpacked but programs' first megabytes."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.packages.unreadable import Unreadable, reading

WHAT = "a ZIP archive"
BIGGEST_MEMBER = 64 << 20  # programs above it are listed, and not looked into
MOST_MEMBERS = 1_000_000
PROGRAMS = (".exe", ".dll", ".sys", ".ocx", ".cpl", ".scr", ".pyd", ".node")
SCRIPTS = (".bat", ".cmd", ".com", ".ps1", ".vbs", ".js", ".msi", ".lnk", ".wsf", ".hta")


@dataclass(frozen=True, slots=True)
class Member:
    """One entry: its name as it is written, sizes in bytes, whether it is a folder, a link, or encrypted."""

    name: str
    size: int
    packed: int
    is_folder: bool
    is_link: bool
    is_encrypted: bool

    @property
    def parts(self) -> tuple[str, ...]:
        """The name's parts as Windows divides it, at either slash."""
        return tuple(part for part in self.name.replace("\\", "/").split("/") if part)


class Archive:
    """A ZIP's list of members; raises Unreadable where the file is none or a damaged one."""

    def __init__(self, file: Path) -> None:
        self.file = file
        with reading(file, WHAT), zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_MEMBERS:
                raise Unreadable(f"{file.name}: {len(entries):,} members are too many to be a product's")
            self.members = tuple(_member(entry) for entry in entries)

    def programs(self) -> Iterator[tuple[Member, bytes]]:
        """Give the programs with their contents, one at a time; those that cannot be unpacked are left out."""
        with reading(self.file, WHAT), zipfile.ZipFile(self.file) as archive:
            for entry, member in zip(archive.infolist(), self.members, strict=True):
                wanted = member.name.casefold().endswith(PROGRAMS) and 0 < member.size <= BIGGEST_MEMBER
                if not wanted or member.is_encrypted:
                    continue
                with archive.open(entry) as stream:
                    # one byte more than it says: a member that lies about its size is cut, not believed
                    yield member, stream.read(min(member.size, BIGGEST_MEMBER) + 1)

    def broken(self) -> Iterator[tuple[Member, str]]:
        """Unpack everything into nothing; give the members whose checksum is wrong or that cannot be unpacked."""
        with reading(self.file, WHAT), zipfile.ZipFile(self.file) as archive:
            for entry, member in zip(archive.infolist(), self.members, strict=True):
                if member.is_encrypted or member.is_folder:
                    continue
                try:
                    with reading(Path(member.name), "what its checksum says"), archive.open(entry) as stream:
                        while stream.read(1 << 20):
                            pass
                except Unreadable as error:
                    yield member, str(error)


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
    )
