"""Which tool made an EXE installer, by the marks that it leaves, and how such an installer is called silently."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from harness.packages.program import Program

_NSIS = b"\xef\xbe\xad\xdeNullsoftInst"  # its first header: after the flags a fixed number and a name


@dataclass(frozen=True, slots=True)
class InstallerKind:
    """A tool that makes installers: its name, the switches for silence, and a pattern that such switches match."""

    name: str
    switches: str
    silent: str

    def is_silent_with(self, switches: str) -> bool:
        """Tell whether an installer of this kind shows no window when it is called with these switches."""
        return re.search(self.silent, switches) is not None


# the switches as each tool's own documentation gives them; NSIS alone minds capitals
KINDS: Mapping[str, InstallerKind] = {
    kind.name: kind
    for kind in (
        InstallerKind("NSIS", "/S", r"(^|\s)/S(\s|$)"),
        InstallerKind(
            "Inno Setup", "/VERYSILENT /SUPPRESSMSGBOXES /NORESTART", r"(?i)(^|\s)/(VERYSILENT|SILENT)(\s|$)"
        ),
        InstallerKind("WiX Burn", "/quiet /norestart", r"(?i)(^|\s)[-/](quiet|q|silent|s|passive)(\s|$)"),
        InstallerKind("InstallShield", '/s /v"/qn /norestart"', r"(?i)(^|\s)[-/](s|silent)(\s|$)"),
        InstallerKind("Advanced Installer", "/exenoui /qn /norestart", r"(?i)(^|\s)/(exenoui|qn|quiet)(\s|$)"),
        InstallerKind("IExpress", "/Q", r"(?i)(^|\s)/Q(:[AU])?(\s|$)"),
    )
}


def installer_kind(program: Program) -> InstallerKind | None:
    """Tell which tool made an installer; None for a program that bears no known mark."""
    name = _name(program)
    return KINDS[name] if name else None


def nsis_missing(program: Program) -> int:
    """Count the bytes that an NSIS installer's own header announces and the file does not have."""
    place = program.overlay.find(_NSIS)
    if place < 4 or len(program.overlay) < place + 24:
        return 0
    (announced,) = struct.unpack_from("<I", program.overlay, place + 20)
    return int(max(0, program.overlay_at + place - 4 + announced - program.size))


def _name(program: Program) -> str:
    told = " ".join(program.strings.values())
    if ".wixburn" in program.sections:
        return "WiX Burn"
    if _NSIS in program.overlay or "Nullsoft.NSIS.exehead" in program.manifest:
        return "NSIS"
    # a table of offsets in resource 11111 since Inno Setup 5.1.5; before, words in the overlay
    if "10/11111" in program.resources and (
        "Inno Setup" in told or b"Inno Setup" in program.overlay or program.overlay
    ):
        return "Inno Setup"
    if b"Inno Setup Setup Data" in program.overlay:
        return "Inno Setup"
    if "InstallShield" in told or program.overlay.startswith((b"InstallShield", b"ISSetupStream")):
        return "InstallShield"
    if "Advanced Installer" in told or b"ADVINSTSFX" in program.overlay:
        return "Advanced Installer"
    if {"10/CABINET", "10/RUNPROGRAM"} <= program.resources:
        return "IExpress"
    return ""
