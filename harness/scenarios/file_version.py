"""What a product's own program says in its version resource, held against the version that was installed.

The program is brought here once for a package: what it says is kept, for the same package brings the same program.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import DeliveryFailed
from harness.expectations import Cause, Finding
from harness.expectations.rules import same_version
from harness.guest.state.baseline import baselines_folder
from harness.packages.program import read_program
from harness.packages.unreadable import Unreadable

if TYPE_CHECKING:
    from harness.guest.guest import Guest
    from harness.guest.state import State
    from harness.products import Package, Proofs

BIGGEST = 4_000_000
"""Bytes of a program that is brought; where files go through WinRM, more would take minutes."""

ANY = "any"
"""What a product's file says when its program's version has nothing to do with the product's."""

_SAYS = ("FileVersion", "ProductVersion")


def version_of_another(guest: Guest, proofs: Proofs, package: Package, version: str, seen: State) -> Finding | None:
    """Find a program of another version than was installed; None where it agrees, says nothing, or cannot be read."""
    file = _program(proofs)
    if proofs.file_version == ANY or not file:
        return None
    entry = next((entry for path, entry in seen.files.items() if path.casefold() == file.casefold()), None)
    if entry is None or not entry.size or entry.size > BIGGEST:
        return None
    says = _said(guest, file, known_by=f"{package.sha256} {file.casefold()} {entry.size}")
    entry_says = proofs.uninstall_entry.display_version if proofs.uninstall_entry else None
    wanted = [proofs.file_version] if proofs.file_version else [version, *([entry_says] if entry_says else [])]
    if not says or any(same_version(told, one) for told in says.values() for one in wanted):
        return None
    words = ", ".join(f"{name} {told}" for name, told in says.items())
    sentence = f"after installing {version} {file} says that it is another version: {words}"
    return Finding(code="file-version", cause=Cause.PACKAGING, sentence=sentence, subject=file)


def _program(proofs: Proofs) -> str:
    """Name the product's program: what its command starts, else the first program among its files."""
    command = re.match(r'\s*"?([A-Za-z]:\\[^"%]+?\.exe)\b', proofs.command.run) if proofs.command else None
    programs = [path for path in proofs.files if re.match(r"[A-Za-z]:\\[^%]+\.exe$", path, re.IGNORECASE)]
    return command[1] if command else next(iter(programs), "")


def _said(guest: Guest, file: str, *, known_by: str) -> Mapping[str, str]:
    place = baselines_folder().parent / "file-versions" / f"{hashlib.sha256(known_by.encode()).hexdigest()[:32]}.json"
    try:
        kept = json.loads(place.read_text("utf-8"))
        return {str(name): str(told) for name, told in kept.items()}
    except (OSError, ValueError, AttributeError):
        pass  # not there, or half written: read anew
    with tempfile.TemporaryDirectory(prefix="wincompat-") as scratch:
        program = Path(scratch) / "program.exe"
        try:
            guest.fetch(file, program)
            strings = read_program(program).strings
        except (DeliveryFailed, Unreadable):
            return {}
    says = {name: strings[name].strip() for name in _SAYS if re.search(r"\d+\.\d", strings.get(name, ""))}
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(says), "utf-8")
    except OSError:
        pass  # read again the next time
    return says
