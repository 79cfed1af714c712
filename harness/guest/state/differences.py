"""What has changed between two states of a guest, in the words of the thing, with Windows' own doings left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.guest.state.change import Change
from harness.guest.state.listing import Entry
from harness.guest.state.noise import Learned, is_noise
from harness.guest.state.things import SearchPath, State, Thing

NOTHING_LEARNED = Learned()


def changes(before: State, now: State, *, learned: Learned = NOTHING_LEARNED) -> tuple[Change, ...]:
    """Tell what differs, in the order files, software, PATH, everything else; ``learned`` is left out, too.

    Raises ValueError for different accounts.
    """
    if before.account.lower() != now.account.lower():
        raise ValueError(f"a state of {now.account!r} says nothing about one of {before.account!r}")
    return tuple(change for change in _all(before, now) if not is_noise(change) and not learned.knows(change))


def _all(before: State, now: State) -> Iterator[Change]:
    yield from _files(before, now)
    yield from _uninstall(before, now)
    yield from _path("system PATH", before.system_path, now.system_path)
    yield from _path("user PATH", before.user_path, now.user_path)
    for area in now.things:
        # what one of the two could not tell has not changed for all we know
        if area in before.things and area not in before.untold and area not in now.untold:
            yield from _things(area, before.things[area], now.things[area], now.files)


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
                yield Change(_kind(path, entry), "added", path)
            continue
        old = before.files[was[lower]]
        if old.is_folder != entry.is_folder:
            yield Change("file", "changed", path, "from folder to file" if old.is_folder else "from file to folder")
        elif not entry.is_folder and (old != entry or path in now.hashes):
            how = _rewritten(old, entry, before.hashes.get(was[lower]), now.hashes.get(path))
            if how:
                yield Change(_kind(path, entry), "changed", path, how)
    for lower, path in was.items():
        if lower not in is_ and not (before.files[path].is_folder and lower in emptied):
            yield Change(_kind(path, before.files[path]), "removed", path)


def _rewritten(old: Entry, entry: Entry, was: str | None, is_: str | None) -> str:
    """Say in what a file differs, nothing where it does not; ``was`` and ``is_`` are its SHA-256, where known."""
    known = was is not None and is_ is not None
    if was == is_ if known else old == entry:
        return ""
    if old.size != entry.size:
        how = f"{old.size} -> {entry.size} bytes"
    else:
        how = f"{old.stamp} -> {entry.stamp}" if old != entry else "of the same size and time"
    if known:
        return f"{how}, SHA-256 {_short(was)} -> {_short(is_)}"
    return how if is_ is None else f"{how}, SHA-256 now {_short(is_)}"


def _short(sha256: str | None) -> str:
    return f"{sha256 or '':.16}..."


def _kind(path: str, entry: Entry) -> str:
    if "\\system32\\tasks\\" in path.lower() and not entry.is_folder:
        return "scheduled task"
    if path.lower().endswith((".lnk", ".url")):
        return "shortcut"
    return "folder" if entry.is_folder else "file"


def _above(path: str) -> Iterator[str]:
    while (path := path.rpartition("\\")[0]) and not path.endswith(":"):
        yield path


def _uninstall(before: State, now: State) -> Iterator[Change]:
    for key, entry in now.uninstall.items():
        if key not in before.uninstall:
            yield Change("uninstall entry", "added", entry.title, key)
        elif (old := before.uninstall[key].values) != entry.values:
            yield Change("uninstall entry", "changed", entry.title, ", ".join(_differing(old, entry.values)))
    for key, entry in before.uninstall.items():
        if key not in now.uninstall:
            yield Change("uninstall entry", "removed", entry.title, key)


def _differing(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _path(name: str, before: SearchPath, now: SearchPath) -> Iterator[Change]:
    added = _beyond(now.entries, before.entries)
    removed = _beyond(before.entries, now.entries)
    yield from (Change(f"{name} entry", "added", entry) for entry in added)
    yield from (Change(f"{name} entry", "removed", entry) for entry in removed)
    # of an entry that is there more often than before, the last is the new one
    if _beyond(now.entries[::-1], added)[::-1] != _beyond(before.entries[::-1], removed)[::-1]:
        yield Change(f"{name} order", "changed", ";".join(now.entries))
    if before.kind != now.kind and before.kind and now.kind:
        yield Change(f"{name} type", "changed", f"{before.kind} -> {now.kind}")


def _beyond(entries: Sequence[str], known: Sequence[str]) -> list[str]:
    """Give the entries that are not among the known ones; one written twice counts twice."""
    left = list(known)
    beyond = []
    for entry in entries:
        if entry in left:
            left.remove(entry)
        else:
            beyond.append(entry)
    return beyond


def _things(
    area: str, before: Mapping[str, Thing], now: Mapping[str, Thing], files: Mapping[str, Entry]
) -> Iterator[Change]:
    for key, thing in now.items():
        kind = _service_or_driver(area, thing)
        if key not in before:
            yield Change(kind, "added", thing.name, _about(area, thing, files))
        elif differing := _differing(before[key].facts, thing.facts):
            old = before[key].facts
            told = [f"{name} {old.get(name, 'unset')} -> {thing.facts.get(name, 'unset')}" for name in differing]
            yield Change(kind, "changed", thing.name, ", ".join(told)[:300])
    for key, thing in before.items():
        if key not in now:
            yield Change(_service_or_driver(area, thing), "removed", thing.name, thing.at)


def _service_or_driver(area: str, thing: Thing) -> str:
    is_driver = area == "service" and thing.facts.get("image path", "").lower().endswith(".sys")
    return "driver" if is_driver else area


def _about(area: str, thing: Thing, files: Mapping[str, Entry]) -> str:
    """Say where a new thing is or what it runs, and whether what it runs is there."""
    if area != "service":
        return thing.facts.get("value", thing.at)[:200]
    image = thing.facts.get("image path", "")
    program = _program(image).lower()
    gone = program.startswith(_LISTED_WHOLE) and all(path.lower() != program for path in files)
    return f"image path {image}" + (" is gone" if gone else "") if image else ""


_LISTED_WHOLE = ("c:\\program files\\", "c:\\program files (x86)\\", "c:\\programdata\\")


def _program(image: str) -> str:
    if image.startswith('"'):
        return image[1:].partition('"')[0]
    at = image.lower().find(".exe")
    return image[: at + 4] if at > 0 else image
