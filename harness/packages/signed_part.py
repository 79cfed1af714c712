"""Which bytes of a file a signature covers, and where the signature lies: in programs and in compound files."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import Any

from harness.packages.authenticode import Signature, read_signature
from harness.packages.msi.compound import CompoundFile
from harness.packages.program import Program
from harness.packages.unreadable import Unreadable, reading

_SIGNATURE, _EXTENDED = "\x05DigitalSignature", "\x05MsiDigitalSignatureEx"
_BIGGEST = 4 << 20  # bytes of a signature
_CHUNK = 1 << 20
_PKCS_7 = 2
_ROOT, _STORAGE, _STREAM = 5, 1, 2


def signature_of_program(file: Path, program: Program) -> Signature | None:
    """Read and verify a program's signature; None without one; raises Unreadable where it is damaged."""
    place, size = program.certificates
    if not size:
        return None
    if size > _BIGGEST or place + size > program.size or not program.certificates_entry_at:
        raise Unreadable(f"{file.name}: its signature lies outside the file")
    with reading(file, "a signed program"), file.open("rb") as stream:
        stream.seek(place)
        entry = stream.read(size)
        length, kind = int.from_bytes(entry[:4], "little"), int.from_bytes(entry[6:8], "little")
        if kind != _PKCS_7 or not 8 < length <= size:
            raise Unreadable(f"{file.name}: its signature is none that Windows knows")
        return read_signature(entry[8:length], lambda algorithm: _of_program(file, program, algorithm), file)


def _of_program(file: Path, program: Program, algorithm: str) -> bytes:
    """Hash a program without its checksum, the entry that points to the signature, and the signature."""
    place, size = program.certificates
    hashed = hashlib.new(algorithm, usedforsecurity=False)
    spans = (
        (0, program.checksum_at),
        (program.checksum_at + 4, program.certificates_entry_at),
        (program.certificates_entry_at + 8, place),
        (place + size, program.size),
    )
    with file.open("rb") as stream:
        for start, end in spans:
            stream.seek(start)
            left = end - start
            while left > 0 and (read := stream.read(min(left, _CHUNK))):
                hashed.update(read)
                left -= len(read)
    return hashed.digest()


def signature_of_compound(file: Path) -> Signature | None:
    """Read and verify an MSI's signature; None without one; raises Unreadable where it is damaged."""
    with CompoundFile(file) as compound:
        streams = compound.streams()
        if _SIGNATURE not in streams:
            return None
        content = compound.read(_SIGNATURE, at_most=_BIGGEST)
        extended = compound.read(_EXTENDED, at_most=_BIGGEST) if _EXTENDED in streams else b""

        def digest(algorithm: str) -> bytes:
            hashed = hashlib.new(algorithm, usedforsecurity=False)
            if extended:
                covered = hashlib.new(algorithm, usedforsecurity=False)
                _directory(compound.root, covered)
                hashed.update(covered.digest())
            _contents(compound, compound.root, hashed)
            return hashed.digest()

        with reading(file, "a signed package"):
            return read_signature(content, digest, file)


def _entries(folder: Any) -> list[Any]:
    kept = (entry for entry in folder.kids if entry.name not in (_SIGNATURE, _EXTENDED))
    return sorted(kept, key=lambda entry: bytes(entry.name_utf16))


def _contents(compound: CompoundFile, folder: Any, hashed: Any) -> None:
    """Hash what the streams of a folder hold, in the order of their names, and then the folder's class."""
    for entry in _entries(folder):
        if entry.entry_type == _STORAGE:
            _contents(compound, entry, hashed)
        elif entry.size:
            for chunk in compound.chunks(entry):
                hashed.update(chunk)
    hashed.update(_class(folder))


def _directory(entry: Any, hashed: Any) -> None:
    """Hash what the directory says of an entry and of what is in it; an extended signature covers that, too."""
    if entry.entry_type != _ROOT:
        hashed.update(entry.name_utf16)
    if entry.entry_type in (_ROOT, _STORAGE):
        hashed.update(_class(entry))
    if entry.entry_type == _STREAM:
        hashed.update((entry.size & 0xFFFF_FFFF).to_bytes(4, "little"))
    hashed.update(entry.dwUserFlags.to_bytes(4, "little"))
    if entry.entry_type != _ROOT:
        hashed.update(entry.createTime.to_bytes(8, "little") + entry.modifyTime.to_bytes(8, "little"))
    for child in _entries(entry):
        _directory(child, hashed)


def _class(folder: Any) -> bytes:
    return uuid.UUID(folder.clsid).bytes_le if folder.clsid else bytes(16)
