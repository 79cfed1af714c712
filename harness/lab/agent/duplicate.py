"""Copy a disk: run by the lab as the guests' user, as a program of its own, with two folders as its arguments.

Symbolic links, which nobody can write into, are shared by hard links: a Windows has eight hundred, and file systems are
slow at making what they have just removed. All else is a real copy; nothing is ever followed.
"""

from __future__ import annotations

import errno
import os
import stat
import sys


def duplicate(source: str, target: str) -> None:
    """Copy a folder with all that is in it, except pipes and sockets."""
    os.mkdir(target, 0o700)
    with os.scandir(source) as entries:
        for entry in entries:
            path = f"{target}/{entry.name}"
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISLNK(mode):
                _link(entry.path, path)
            elif stat.S_ISDIR(mode):
                duplicate(entry.path, path)
            elif stat.S_ISREG(mode):
                _copy(entry.path, path)
    found = os.lstat(source)
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
    os.chmod(target, stat.S_IMODE(found.st_mode))


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EMLINK, errno.EXDEV, errno.EPERM):
            raise
        os.symlink(os.readlink(source), target)


def _copy(source: str, target: str) -> None:
    read = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
    found = os.fstat(read)
    write = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    left = found.st_size
    while left and (done := os.sendfile(write, read, None, left)):
        left -= done
    os.fchmod(write, stat.S_IMODE(found.st_mode))
    os.utime(write, ns=(found.st_atime_ns, found.st_mtime_ns))
    os.close(write)
    os.close(read)


if __name__ == "__main__":
    duplicate(sys.argv[1], sys.argv[2])
