"""The snapshots of one guest: a disk for each key, and with some a Windows that is booted ahead."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from harness.lab import disk
from harness.lab.guestfaults import SnapshotMissing
from harness.lab.memory import Memory


class Snapshots:
    """What one guest can be put back to, in ``folder``; ``remember`` makes the memory of a disk that is kept there."""

    def __init__(self, folder: Path, *, guest: str, remember: Callable[[Path], Memory]) -> None:
        self._folder = folder
        self._guest = guest
        self._remember = remember
        self._memories: dict[str, Memory] = {}

    def _place(self, key: str) -> Path:
        if not re.fullmatch(r"\w[\w.-]{0,100}", key, re.ASCII):
            raise ValueError(f"{key!r} is no key of a snapshot")
        return self._folder / key

    def new(self, key: str) -> Path:
        """Give the place for a new disk, in a folder that is there; raises ValueError for a key in use."""
        place = self._place(key)
        if place.exists():
            raise ValueError(f"{self._guest} has a snapshot {key} already")
        disk.made_folder(self._folder)
        return place

    def kept(self, key: str) -> Path:
        """Give the disk of a snapshot; raises SnapshotMissing."""
        place = self._place(key)
        if not place.exists():
            raise SnapshotMissing(f"{self._guest} has no snapshot {key}")
        return place

    def disks(self) -> Iterator[Path]:
        """Give the disk of every snapshot; what is being made or removed beside them has a name with a dot."""
        yield from self._folder.glob("[!.]*")

    def remember(self, key: str) -> None:
        """Have a revert to this snapshot find Windows up."""
        self._memories[key] = self._remember(self._place(key))

    def memory(self, key: str) -> Memory | None:
        """Give a snapshot's memory; None where it holds none."""
        return self._memories.get(key)

    async def forget(self) -> None:
        """Clear away what is booted ahead of every snapshot; the next revert boots anew."""
        for memory in self._memories.values():
            await memory.forgotten()

    async def drop(self, key: str) -> None:
        """Remove a snapshot; raises SnapshotMissing, DiskFailed."""
        source = self.kept(key)
        if (memory := self._memories.pop(key, None)) is not None:
            await memory.forgotten()
        await disk.removed(source)
