"""What an account's level may write, as the operating system enforces it on everything that the guest runs.

A standard user is held by Landlock: every write outside the places below ends with EACCES, which Wine passes on as
Windows' "access denied". A kernel without Landlock is served by file modes, which are slower and which a Linux program
inside the guest could undo.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterator

#: Machine-wide places that Windows, too, lets a standard user write. The installer's cache is among them because on
#: Windows a service writes it for him; refused it, Wine's msiexec ends with 1627, which Windows would not say.
PUBLIC = ("users/Public", "windows/temp", "windows/Installer")

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_WRITE_FILE, _REFER, _TRUNCATE = 1 << 1, 1 << 13, 1 << 14
#: Write to a file, remove and make entries of every kind; reading and executing are not governed.
_CHANGES = _WRITE_FILE | sum(1 << bit for bit in range(4, 13))
_PR_SET_NO_NEW_PRIVS = 38
_O_PATH = getattr(os, "O_PATH", 0o10000000)


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64),)


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def landlock_version() -> int:
    """Tell the kernel's Landlock ABI, 0 where there is none."""
    return max(0, int(_libc().syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))))


def restrict(drive: str, account: str, version: int) -> None:
    """Let this process and all its children change only what a standard user may; raises OSError when refused."""
    libc = _libc()
    handled = _CHANGES | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    rules = _Ruleset(handled)
    ruleset = _checked(libc.syscall(_CREATE, ctypes.byref(rules), ctypes.c_size_t(8), ctypes.c_uint32(0)))
    own = [f"{drive}/{place}" for place in (*PUBLIC, f"users/{account}")]
    outside_the_drive = ["/disk/prefix", "/disk/accounts", "/tmp", "/dev", "/proc"]  # noqa: S108 - the sandbox's own
    for place in (*own, *outside_the_drive):
        folder = os.open(place, _O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW)
        beneath = _Beneath(handled, folder)
        _checked(libc.syscall(_ADD, ctypes.c_int(ruleset), ctypes.c_int(1), ctypes.byref(beneath), ctypes.c_uint32(0)))
        os.close(folder)
    _checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _checked(libc.syscall(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0)))
    os.close(ruleset)


def close_modes(drive: str, account: str) -> None:
    """Take away the owner's right to write from everything a standard user may not change."""
    spared = {f"{drive}/{place}".lower() for place in (*PUBLIC, f"users/{account}")}
    for path, mode in _entries(drive, spared):
        if mode & stat.S_IWUSR:
            # the sticky bit remembers what was writable, for Wine keeps the read-only attribute in the same mode
            os.chmod(path, (mode & ~0o222) | stat.S_ISVTX, follow_symlinks=True)


def open_modes(drive: str) -> None:
    """Give back what `close_modes` took."""
    for path, mode in _entries(drive, set()):
        if mode & stat.S_ISVTX:
            os.chmod(path, (mode & ~stat.S_ISVTX) | stat.S_IWUSR)


def _entries(folder: str, spared: set[str]) -> Iterator[tuple[str, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink() or entry.path.lower() in spared:
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(entry.path, spared)
            else:
                yield entry.path, stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode)
    yield folder, stat.S_IMODE(os.stat(folder).st_mode)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(answer: int) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer
