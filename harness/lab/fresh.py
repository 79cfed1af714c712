"""A guest whose disk is made when it is first needed, so that a lab of many machines is ready at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from harness.builds import Build
from harness.lab.guest import Budgets, LabAccount, LabGuest
from harness.lab.image import Image


class FreshGuest(LabGuest):
    """A new guest, off, with one snapshot: Windows up and untouched. Neither exists before somebody uses the guest."""

    def __init__(
        self, image: Image, folder: Path, *, build: Build, accounts: Sequence[LabAccount], snapshot: str
    ) -> None:
        super().__init__(image, folder, build=build, accounts=accounts, budgets=Budgets())
        self._pristine = snapshot
        self._making = asyncio.Lock()
        self._is_made = False

    async def _made(self) -> bool:
        """Make the disk and its snapshot if they are not there; tell whether that was now. Raises DiskFailed."""
        async with self._making:
            if self._is_made:
                return False
            accounts = tuple(self.accounts.values())
            made = await LabGuest.create(self._image, self._folder, build=self.build, accounts=accounts)
            await made.snapshot(self._pristine)
            self._snapshots.remember(self._pristine)
            self._is_made = True
            return True

    async def stand_by(self) -> None:
        """Have Windows up for the first revert, as it is for each later one; raises DiskFailed.

        A boot that fails is not told here: whoever reverts tries again, and is told.
        """
        await self._made()
        if (memory := self._snapshots.memory(self._pristine)) is not None:
            await memory.stand_by()

    async def power_on(self) -> None:
        """Switch the power on, as any guest."""
        await self._made()
        await super().power_on()

    async def snapshot(self, key: str, *, memory: bool = False) -> None:
        """Keep the guest as it is now, as any guest."""
        await self._made()
        await super().snapshot(key, memory=memory)

    def holds_memory(self, key: str) -> bool:
        """Whether a revert to this snapshot finds Windows up; the first one always does."""
        return key == self._pristine or super().holds_memory(key)

    async def revert(self, key: str, *, stay_off: bool = False) -> None:
        """Put the guest back, as any guest."""
        await self._made()
        await super().revert(key, stay_off=stay_off)

    async def drop_snapshot(self, key: str) -> None:
        """Remove a snapshot, as any guest."""
        await self._made()
        await super().drop_snapshot(key)

    async def present(self, build: Build) -> None:
        """Have Windows say that it is another build, as any guest."""
        await self._made()
        await super().present(build)

    async def clone(self, name: str, key: str) -> LabGuest:
        """Make another guest of a snapshot, as any guest; the other is an ordinary one."""
        await self._made()
        return await super().clone(name, key)
