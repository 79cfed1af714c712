"""What has changed between two states of a guest, in plain words, with Windows' own doings left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.guest.state import SearchPath, State


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: ``what`` ("file left"), ``subject`` (a path, a title, a PATH entry), and ``detail`` if any."""

    what: str
    subject: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.subject}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True, slots=True)
class Noise:
    """Subjects that change without anybody's doing: ``among`` files, software or services; ``pattern`` is the whole."""

    among: str
    pattern: str
    why: str


_ANY = r"(?:\\.*)?"

NOISE: tuple[Noise, ...] = (
    Noise("file", r"C:\\wincompat" + _ANY, "the harness's own cache and logs"),
    Noise(
        "file",
        r"C:\\(?:pagefile|swapfile|hiberfil)\.sys|C:\\DumpStack\.log(?:\.tmp)?",
        "memory and crash files of Windows",
    ),
    Noise("file", r"C:\\(?:\$Recycle\.Bin|System Volume Information|\$WinREAgent|Recovery)", "Windows' own folders"),
    Noise(
        "file", r"C:\\ProgramData\\Microsoft\\(?:Windows Defender|Search|Diagnosis|Crypto|Network)" + _ANY, "services"
    ),
    Noise(
        "file",
        r"C:\\ProgramData\\Microsoft\\Windows\\(?!Start Menu).*",
        "error reports, app repository, caches of services",
    ),
    Noise(
        "file", r"C:\\ProgramData\\(?:USOPrivate|USOShared|SoftwareDistribution|regid\.[^\\]*)" + _ANY, "Windows Update"
    ),
    Noise("file", r"C:\\ProgramData\\VMware" + _ANY, "the logs of VMware Tools"),
    Noise("file", r"C:\\ProgramData\\Package Cache\\[^\\]*\\state\.rsm", "restart markers of setup bundles at work"),
    Noise(
        "file",
        r"C:\\Program Files\\(?:WindowsApps|ModifiableWindowsApps|Windows Defender[^\\]*)" + _ANY,
        "store, virus scanner",
    ),
    Noise("file", r"C:\\Program Files(?: \(x86\))?\\Microsoft\\Edge[^\\]*" + _ANY, "Edge updates itself"),
    Noise("uninstall entry", r"Microsoft Edge.*", "Edge updates itself"),
    Noise("service", r"\w+_[0-9a-f]{4,8}", "services made anew for each log-on"),
)
"""What is never reported, each with its reason; matched without regard to case."""

_NOISE = {
    among: re.compile("|".join(f"(?:{one.pattern})" for one in NOISE if one.among == among), re.IGNORECASE)
    for among in ("file", "uninstall entry", "service")
}


def changes(before: State, now: State) -> tuple[Change, ...]:
    """Tell what differs, in the order files, software, services, PATH; raises ValueError for different accounts."""
    if before.account.lower() != now.account.lower():
        raise ValueError(f"a state of {now.account!r} says nothing about one of {before.account!r}")
    return (
        *_heard("file", _files(before, now)),
        *_heard("uninstall entry", _uninstall(before, now)),
        *_heard("service", _services(before, now)),
        *_path("system PATH", before.system_path, now.system_path),
        *_path("user PATH", before.user_path, now.user_path),
    )


def _heard(among: str, found: Iterable[Change]) -> Iterator[Change]:
    return (change for change in found if not _NOISE[among].fullmatch(change.subject))


def _files(before: State, now: State) -> Iterator[Change]:
    # Windows does not tell Ninja.exe from ninja.exe
    was = {path.lower(): path for path in before.files}
    is_ = {path.lower(): path for path in now.files}
    occupied = {folder for path in is_ if path not in was for folder in _above(path)}
    emptied = {folder for path in was if path not in is_ for folder in _above(path)}
    for lower, path in is_.items():
        entry = now.files[path]
        if lower not in was:
            # a new folder goes without saying when something new is in it
            if not (entry.is_folder and lower in occupied):
                yield Change("empty folder left" if entry.is_folder else "file left", path)
            continue
        old = before.files[was[lower]]
        if old.is_folder != entry.is_folder:
            yield Change("file changed", path, "a folder became a file" if old.is_folder else "a file became a folder")
        elif not entry.is_folder and old != entry:
            size = f"{old.size} -> {entry.size} bytes" if old.size != entry.size else f"{old.stamp} -> {entry.stamp}"
            yield Change("file changed", path, size)
    for lower, path in was.items():
        if lower not in is_ and not (before.files[path].is_folder and lower in emptied):
            yield Change("folder gone" if before.files[path].is_folder else "file gone", path)


def _above(path: str) -> Iterator[str]:
    while (path := path.rpartition("\\")[0]) and not path.endswith(":"):
        yield path


def _uninstall(before: State, now: State) -> Iterator[Change]:
    for key, entry in now.uninstall.items():
        if key not in before.uninstall:
            yield Change("uninstall entry left", entry.title, key)
        elif (old := before.uninstall[key].values) != entry.values:
            differs = sorted(
                name for name in old.keys() | entry.values.keys() if old.get(name) != entry.values.get(name)
            )
            yield Change("uninstall entry changed", entry.title, ", ".join(differs))
    for key, entry in before.uninstall.items():
        if key not in now.uninstall:
            yield Change("uninstall entry gone", entry.title, key)


def _services(before: State, now: State) -> Iterator[Change]:
    yield from (Change("service left", name) for name in sorted(now.services - before.services))
    yield from (Change("service gone", name) for name in sorted(before.services - now.services))


def _path(name: str, before: SearchPath, now: SearchPath) -> Iterator[Change]:
    added = _beyond(now.entries, before.entries)
    removed = _beyond(before.entries, now.entries)
    yield from (Change(f"{name} entry added", entry) for entry in added)
    yield from (Change(f"{name} entry removed", entry) for entry in removed)
    if not added and not removed and before.entries != now.entries:
        yield Change(f"{name} reordered", ";".join(now.entries))
    if before.kind != now.kind and before.kind and now.kind:
        yield Change(f"{name} type changed", f"{before.kind} -> {now.kind}")


def _beyond(entries: tuple[str, ...], known: tuple[str, ...]) -> list[str]:
    """Give the entries that are not among the known ones; one written twice counts twice."""
    left = list(known)
    beyond = []
    for entry in entries:
        if entry in left:
            left.remove(entry)
        else:
            beyond.append(entry)
    return beyond
