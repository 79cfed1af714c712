"""The memory of a snapshot: that Windows is up when a machine is reverted to it.

The memory of Wine's programs cannot be kept on a disk. A copy of the snapshot's disk is booted ahead of each revert
instead, and held still until the revert wakes it: as fast as a hypervisor, but Windows has booted anew, and a program
that ran when the snapshot was taken does not run again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from harness.lab import disk
from harness.lab.boot import Boot
from harness.lab.guestfaults import GuestGone
from harness.lab.shelf import Shelf
from harness.lab.turns import LabAccount


@dataclass(frozen=True, slots=True)
class Held:
    """A Windows that is up and held still, and the disk it runs on."""

    disk: Path
    boot: Boot


class Memory:
    """One snapshot's memory; copies of its disk, ``source``, are made beside ``beside``. ``budget`` is in seconds."""

    def __init__(
        self,
        source: Path,
        *,
        beside: Path,
        start: Callable[[Path], Awaitable[Boot]],
        account: LabAccount,
        budget: float,
        shelf: Shelf,
    ) -> None:
        self._source = source
        self._beside = beside
        self._start = start
        self._account = account
        self._budget = budget
        self._shelf = shelf
        self._next: asyncio.Task[Held] | None = None
        self._wanted = asyncio.Event()
        self._clearing: set[asyncio.Task[None]] = set()

    def prepare(self) -> None:
        """Begin to boot a copy, unless there is one."""
        if self._next is None:
            self._wanted = asyncio.Event()
            self._next = asyncio.get_running_loop().create_task(self._booted(self._wanted))
            clear = self._shelf.put(self, self.forgotten)
            if clear is not None:
                clearing = asyncio.ensure_future(clear())
                self._clearing.add(clearing)
                clearing.add_done_callback(self._clearing.discard)

    async def stand_by(self) -> None:
        """Boot a copy, unless there is one, and wait until it stands or has failed."""
        self.prepare()
        if self._next is not None:
            await asyncio.wait([self._next])

    async def taken(self) -> Held:
        """Take the copy that was booted ahead, or boot one; raises GuestGone, DiskFailed."""
        ahead, self._next = self._next, None
        self._shelf.take(self)
        self._wanted.set()
        if ahead is not None:
            with contextlib.suppress(GuestGone, disk.DiskFailed):
                held = await ahead
                if not held.boot.over.is_set():
                    return held
                await disk.removed(held.disk)
            # what was booted ahead has gone since: this may well be mended by now
        return await self._booted(self._wanted)

    async def forgotten(self) -> None:
        """Clear away the copy that stands ready."""
        ahead, self._next = self._next, None
        self._shelf.take(self)
        if ahead is None:
            return
        ahead.cancel()
        with contextlib.suppress(asyncio.CancelledError, GuestGone, disk.DiskFailed):
            held = await ahead
            await held.boot.cut()
            await disk.removed(held.disk)

    async def _booted(self, wanted: asyncio.Event) -> Held:
        place = disk.beside(self._beside)
        await disk.copied(self._source, place)
        boot: Boot | None = None
        try:
            boot = await self._start(place)
            async with asyncio.timeout(self._budget):
                await boot.turns.begin(self._account)
                if not wanted.is_set():
                    await boot.turns.rest(wanted)
                await boot.turns.hold()
        except BaseException as error:
            if boot is not None:
                await boot.cut()
            await disk.removed(place)
            if isinstance(error, TimeoutError):
                raise GuestGone(f"Windows did not come up within {self._budget:g} s") from error
            raise
        return Held(place, boot)
