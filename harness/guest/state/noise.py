"""What changes on a guest without anybody's doing: known of every Windows, or learned from the snapshot itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from harness.guest.state.change import Change


@dataclass(frozen=True, slots=True)
class Noise:
    """Subjects of an area that change by themselves; ``pattern`` is the whole subject, ``why`` the reason."""

    area: str
    pattern: str
    why: str


_ANY = r"(?:\\.*)?"

NOISE: tuple[Noise, ...] = (
    Noise("file", r"C:\\wincompat" + _ANY, "the harness's own cache and logs"),
    Noise("file", r"C:\\(?:pagefile|swapfile|hiberfil)\.sys|C:\\DumpStack\.log(?:\.tmp)?", "memory and crash files"),
    Noise("file", r"C:\\(?:\$Recycle\.Bin|System Volume Information|\$WinREAgent|Recovery)", "Windows' own folders"),
    Noise(
        "file", r"C:\\ProgramData\\Microsoft\\(?:Windows Defender|Search|Diagnosis|Crypto|Network)" + _ANY, "services"
    ),
    Noise("file", r"C:\\ProgramData\\Microsoft\\Windows\\(?!Start Menu).*", "error reports, caches of services"),
    Noise(
        "file", r"C:\\ProgramData\\(?:USOPrivate|USOShared|SoftwareDistribution|regid\.[^\\]*)" + _ANY, "Windows Update"
    ),
    Noise("file", r"C:\\ProgramData\\VMware" + _ANY, "the logs of VMware Tools"),
    Noise("file", r"C:\\ProgramData\\Package Cache\\[^\\]*\\state\.rsm", "restart markers of setup bundles at work"),
    Noise(
        "file",
        r"C:\\Program Files\\(?:WindowsApps|ModifiableWindowsApps|Windows Defender[^\\]*)" + _ANY,
        "store, scanner",
    ),
    Noise("file", r"C:\\Program Files(?: \(x86\))?\\Microsoft\\Edge[^\\]*" + _ANY, "Edge updates itself"),
    Noise(
        "file",
        r"C:\\Windows\\(?:WindowsUpdate|setupact|setuperr|PFRO|DtcInstall|bootstat)\.(?:log|dat)",
        "logs of Windows",
    ),
    Noise("file", r"C:\\Windows\\System32\\Tasks\\Microsoft" + _ANY, "Windows' own tasks"),
    Noise(
        "file", r"C:\\Users\\[^\\]+\\(?:NTUSER\.DAT.*|AppData\\Local\\IconCache\.db)", "the registry of a log-on, icons"
    ),
    Noise("file", r"C:\\Users\\[^\\]+\\AppData\\Local\\Programs(?:\\Common)?", "made with an account's first program"),
    Noise(
        "file",
        r"C:\\Users\\[^\\]+\\AppData\\Local\\Temp\\"
        r"(?:~[^\\]*|[^\\]*\.[a-z]\w{0,4}|\d+|Low|(?:vmware|__PSScriptPolicyTest)[-_][^\\]*)" + _ANY,
        "single files are what every program makes and forgets there; a folder that was unpacked is told",
    ),
    Noise("file", r"C:\\Config\.Msi" + _ANY, "what Windows Installer keeps for a rollback, until the next restart"),
    Noise(
        "work for the next start",
        r"[A-Z]:\\(?:Users\\[^\\]+\\AppData\\Local|Windows)\\Temp\\.*",
        "temporary files, as the copy that every uninstaller of NSIS's makes of itself",
    ),
    Noise("vendor key", "Policies", "no vendor: what is in it is told as policies"),
    Noise("file association", "Installer", "Windows Installer's own, made with the first installation"),
    Noise("uninstall entry", r"Microsoft Edge.*", "Edge updates itself"),
    Noise("service", r"\w+_[0-9a-f]{4,8}", "services made anew for each log-on"),
    Noise("running service", r".*_[0-9a-f]{4,8}", "services made anew for each log-on"),
    Noise(
        "running service",
        r"(?:msiserver|Windows Installer|.*MSI.*Installer.*)",
        "starts for each installation and stops by itself",
    ),
)
"""What is never reported, each with its reason; matched without regard to case; folders go with files."""

_NOISE = {
    area: re.compile("|".join(f"(?:{one.pattern})" for one in NOISE if one.area == area), re.IGNORECASE)
    for area in {one.area for one in NOISE}
}
_FAMILY = {"folder": "file", "shortcut": "file", "scheduled task": "file"}
_VARYING = re.compile(r"\{[0-9a-f-]{36}\}|[0-9a-f]{8,}|\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Learned:
    """What a snapshot was seen to change without a product: areas and subjects, numbers in them left open."""

    subjects: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, changes: Iterable[Change]) -> Self:
        """Learn from the changes of a null run."""
        return cls(frozenset((change.area, _open(change.subject)) for change in changes))

    def __or__(self, other: Learned) -> Learned:
        return Learned(self.subjects | other.subjects)

    def knows(self, change: Change) -> bool:
        """Whether such a change was seen without a product."""
        return (change.area, _open(change.subject)) in self.subjects


def _open(subject: str) -> str:
    """Make subjects comparable that differ by a date, a counter or a made-up name only."""
    return _VARYING.sub("#", subject.casefold())


def is_noise(change: Change) -> bool:
    """Whether every Windows does this by itself."""
    pattern = _NOISE.get(_FAMILY.get(change.area, change.area))
    return pattern is not None and pattern.fullmatch(change.subject) is not None
