"""Files of the guest under their Windows names, with the rights of the session's account."""

from __future__ import annotations

import errno
import os
import re

_ABSOLUTE = re.compile(r"([A-Za-z]):[\\/](.*)", re.DOTALL)
#: What Windows allows in no name; a colon would be an alternate data stream.
_REFUSED = re.compile(r'[<>:"|?*\x00-\x1f]')


class FileRefused(Exception):
    """A file cannot be had.

    ``kind`` is "not found", "access denied", "bad path", "is a folder", "exists" or "failed".
    """

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind


def unix_path(drive: str, path: str) -> str:
    """Find the Unix path of a file on drive C:, names regardless of case; the last name need not exist."""
    names = _names(path)
    if not names:
        raise FileRefused("is a folder", f"{path}: is a folder")
    at = drive
    for name in names[:-1]:
        at = f"{at}/{_spelled(at, name) or name}"
        if not os.path.isdir(at):
            raise FileRefused("not found", f"{path}: there is no folder {name}")
    return f"{at}/{_spelled(at, names[-1]) or names[-1]}"


def unix_folder(drive: str, path: str) -> str:
    """Find the Unix path of a folder that exists; raises FileRefused."""
    place = unix_path(drive, path) if _names(path) else drive
    if not os.path.isdir(place):
        raise FileRefused("not found", f"{path}: there is no such folder")
    return place


def make_folder(drive: str, path: str, *, parents: bool) -> None:
    """Make a folder, with those above it if ``parents`` are wanted; raises FileRefused, also for one that is there."""
    at, names = drive, _names(path)
    for number, name in enumerate(names, 1):
        found = _spelled(at, name)
        at = f"{at}/{found or name}"
        if found is not None:
            if number == len(names):
                raise FileRefused("exists", f"{path}: is there already")
            continue
        if number < len(names) and not parents:
            raise FileRefused("not found", f"{path}: there is no folder {name}")
        try:
            os.mkdir(at)
        except OSError as error:
            raise refused(path, error) from error


def _names(path: str) -> list[str]:
    parts = _ABSOLUTE.fullmatch(path)
    if parts is None or parts[1].upper() != "C":
        raise FileRefused("bad path", f"{path}: not an absolute path on drive C:")
    names = [name for name in re.split(r"[\\/]+", parts[2]) if name not in ("", ".")]
    if ".." in names or any(_REFUSED.search(name) for name in names):
        raise FileRefused("bad path", f"{path}: not a name that Windows allows")
    return names


def _spelled(folder: str, name: str) -> str | None:
    """Find how a folder spells a name."""
    if os.path.lexists(f"{folder}/{name}"):
        return name
    wanted = name.casefold()
    return next((entry for entry in os.listdir(folder) if entry.casefold() == wanted), None)


def opened_for_reading(drive: str, path: str) -> int:
    """Open a file to read; raises FileRefused."""
    return _opened(drive, path, os.O_RDONLY)


def opened_for_writing(drive: str, path: str) -> int:
    """Open a file to write, empty; raises FileRefused."""
    return _opened(drive, path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)


def _opened(drive: str, path: str, flags: int) -> int:
    try:
        place = unix_path(drive, path)
        if os.path.isdir(place):
            raise FileRefused("is a folder", f"{path}: is a folder")
        # without O_NONBLOCK a pipe that the guest left there would hold the agent for ever
        return os.open(place, flags | os.O_CLOEXEC | os.O_NONBLOCK, 0o644)
    except OSError as error:
        raise refused(path, error) from error


def refused(path: str, error: OSError) -> FileRefused:
    """Name what the operating system said."""
    kinds = {errno.ENOENT: "not found", errno.ENOTDIR: "not found"}
    # a system file is a link into the host's read-only Wine
    kinds |= dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "access denied")
    return FileRefused(kinds.get(error.errno or 0, "failed"), f"{path}: {error.strerror}")
