"""Files in and out of the guest, and its screen, in parts over the pipe to the lab."""

from __future__ import annotations

import os
from typing import Any

from . import files
from .frames import BODY, write_frame

_ANSWERS = 1


class Transfers:
    """The transfers of one session; ``screen`` is the file that is the screen's memory, in XWD format."""

    def __init__(self, drive: str, screen: str) -> None:
        self.drive = drive
        self.memory = screen
        self.uploads: dict[int, tuple[str, int]] = {}

    def put(self, header: dict[str, Any], _: bytes) -> dict[str, Any]:
        """Begin to write a file."""
        self.uploads[int(header["id"])] = (header["path"], files.opened_for_writing(self.drive, header["path"]))
        return {}

    def folder(self, header: dict[str, Any], _: bytes) -> dict[str, Any]:
        """Make a folder."""
        files.make_folder(self.drive, header["path"], parents=bool(header["parents"]))
        return {}

    def part(self, header: dict[str, Any], body: bytes) -> None:
        """Write a part of a file; a part that cannot be written is told when the file is kept."""
        path, fd = self.uploads.get(int(header["of"]), ("", -1))
        rest = memoryview(body)
        try:
            while rest and fd >= 0:
                rest = rest[os.write(fd, rest) :]
        except OSError:
            os.close(fd)
            self.uploads[int(header["of"])] = (path, -1)

    def kept(self, header: dict[str, Any], _: bytes) -> dict[str, Any]:
        """End the writing of a file."""
        path, fd = self.uploads.pop(int(header["of"]))
        if fd < 0:
            raise files.FileRefused("failed", f"{path}: could not be written whole")
        os.close(fd)
        return {}

    def get(self, header: dict[str, Any], _: bytes) -> dict[str, Any]:
        """Send a file."""
        return _sent(header, files.opened_for_reading(self.drive, header["path"]))

    def screen(self, header: dict[str, Any], _: bytes) -> dict[str, Any]:
        """Send the screen's memory."""
        return _sent(header, os.open(self.memory, os.O_RDONLY | os.O_CLOEXEC))


def _sent(header: dict[str, Any], fd: int) -> dict[str, Any]:
    try:
        while content := os.read(fd, BODY):
            write_frame(_ANSWERS, {"id": header["id"], "more": True}, content)
    finally:
        os.close(fd)
    return {}
