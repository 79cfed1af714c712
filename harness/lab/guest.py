"""A lab guest: a copy of the golden image with power, accounts, commands, files, a screen and snapshots."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.builds import Build
from harness.lab import disk
from harness.lab.boot import Boot
from harness.lab.guestfaults import GuestBusy, GuestFileError, GuestGone, SnapshotMissing
from harness.lab.guestprocess import Chunk, GuestProcess
from harness.lab.image import ACCOUNTS, Image
from harness.lab.sandbox import PLACES, Sandbox, command
from harness.lab.turns import LabAccount
from harness.lab.windows import computer_name, write_build

_log = logging.getLogger(__name__)

__all__ = [
    "Budgets",
    "Chunk",
    "GuestBusy",
    "GuestFileError",
    "GuestGone",
    "GuestProcess",
    "LabAccount",
    "LabGuest",
    "SnapshotMissing",
]


@dataclass(frozen=True, slots=True)
class Budgets:
    """How long a guest may take, in seconds: to boot, to shut down, and to wait for the other account's commands."""

    boot: float = 90.0
    shut_down: float = 30.0
    turn: float = 120.0


class LabGuest:
    """One Windows of the lab; made by `create`, off until `power_on`.

    ``observers`` are called in the loop after each change of ``is_on`` and ``is_up``.
    """

    def __init__(
        self, image: Image, folder: Path, *, build: Build, accounts: Sequence[LabAccount], budgets: Budgets
    ) -> None:
        self.name = folder.name
        self.build = build
        self.accounts: Mapping[str, LabAccount] = {account.name: account for account in accounts}
        self.is_up = False
        self.boot_id = ""
        self.booted_at: datetime | None = None
        self.observers: list[Callable[[LabGuest], None]] = []
        self._image = image
        self._folder = folder
        self._budgets = budgets
        self._boot: Boot | None = None
        self._power = asyncio.Lock()
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def create(
        cls,
        image: Image,
        folder: Path,
        *,
        build: Build,
        accounts: Sequence[LabAccount],
        budgets: Budgets = Budgets(),
    ) -> LabGuest:
        """Make a guest out of the image in ``folder``, which is its alone and whose name is the guest's.

        ``accounts`` give the image's ACCOUNTS their passwords. Raises DiskFailed, also when the guests' user cannot
        reach the folder, and ValueError for other accounts.
        """
        if {account.name: account.level for account in accounts} != ACCOUNTS:
            raise ValueError(f"a guest has the accounts of its image: {', '.join(ACCOUNTS)}")
        guest = cls(image, folder, build=build, accounts=accounts, budgets=budgets)
        disk.made_folder(folder)
        await disk.copied(image.disk, guest._disk)
        write_build(guest._disk, build, wine=image.host.wine_version, machine=guest.name)
        return guest

    @property
    def _disk(self) -> Path:
        return self._folder / "disk"

    def _snapshot(self, key: str) -> Path:
        if not re.fullmatch(r"\w[\w.-]{0,100}", key, re.ASCII):
            raise ValueError(f"{key!r} is no key of a snapshot")
        return self._folder / "snapshots" / key

    @property
    def is_on(self) -> bool:
        """Whether the guest is powered."""
        return self._boot is not None

    @property
    def held_by(self) -> str | None:
        """What holds a standard user back: "landlock", or "file modes" on a kernel without; None before one was."""
        return self._boot.turns.held_by if self._boot is not None else None

    @property
    def computer_name(self) -> str:
        """The name that Windows has for itself."""
        return computer_name(self.name)

    @property
    def capabilities(self) -> frozenset[str]:
        """What this host's guests can do beyond the usual: "32-bit programs"."""
        return frozenset({"32-bit programs"} if self._image.host.runs_32_bit else ())

    # -- power

    async def power_on(self) -> None:
        """Switch the power on; returns at once, `until_up` waits for Windows. A guest that is on stays as it is."""
        async with self._power:
            if self._boot is not None:
                return
            processor = self._image.processors.take()
            words = command(
                self._image.host,
                disk=self._disk,
                agent=self._image.agent,
                hostname=self.computer_name,
                module="main",
                places={**PLACES, "processor": processor},
            )
            try:
                with (self._folder / "agent.log").open("wb") as log:
                    sandbox = await Sandbox.started(words, log)
            except BaseException:
                self._image.processors.give_back(processor)
                raise
            boot = self._boot = Boot(sandbox, guest=self.name, patience=self._budgets.turn)
            self.boot_id, self.booted_at = boot.name, None
            self._keep(self._watch(boot, processor))
            self._keep(self._bring_up(boot))
        await self._notify()

    def _keep(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("%s: something aside went wrong", self.name, exc_info=task.exception())

    async def _watch(self, boot: Boot, processor: int) -> None:
        try:
            await boot.until_over()
        finally:
            self._image.processors.give_back(processor)
        if self._boot is boot:
            self._boot = None
            self.is_up, self.booted_at = False, None
        await self._notify()

    async def _bring_up(self, boot: Boot) -> None:
        administrator = next(account for account in self.accounts.values() if account.level == "administrator")
        try:
            async with asyncio.timeout(self._budgets.boot):
                await boot.turns.begin(administrator)
        except (GuestGone, TimeoutError):
            await boot.sandbox.kill()  # Windows did not come up: the guest goes off, and says so to whoever waits
            return
        if self._boot is boot:
            self.is_up, self.booted_at = True, datetime.now(UTC)
            await self._notify()

    async def _notify(self) -> None:
        for observer in list(self.observers):
            try:
                observer(self)
            except Exception:  # noqa: BLE001 - one who cannot follow must not keep the others in the dark
                _log.exception("an observer of %s failed", self.name)
        async with self._changed:
            self._changed.notify_all()

    async def until_up(self) -> None:
        """Wait until Windows takes commands; raises GuestGone when the guest is off or goes off before."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.is_up or not self.is_on)
        if not self.is_up:
            raise GuestGone(f"{self.name} is off" + self._last_words())

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = (self._folder / "agent.log").read_text("utf-8", "replace").strip().splitlines()
            return f": {lines[-1]}" if lines else ""
        return ""

    async def power_off(self) -> None:
        """Cut the power: everything in the guest ends at once, and what was not on the disk is lost."""
        async with self._power:
            if self._boot is not None:
                await self._cut(self._boot)

    async def shut_down(self) -> None:
        """End Windows in order, so that the registry reaches the disk; cut the power when it takes too long."""
        async with self._power:
            boot = self._boot
            if boot is None:
                return
            with contextlib.suppress(TimeoutError, GuestGone):
                async with asyncio.timeout(self._budgets.shut_down):
                    await boot.turns.end()
            await self._cut(boot)

    async def _cut(self, boot: Boot) -> None:
        await boot.sandbox.kill()
        async with self._changed:
            await self._changed.wait_for(lambda: self._boot is not boot)

    def _running(self) -> Boot:
        if self._boot is None:
            raise GuestGone(f"{self.name} is off")
        return self._boot

    # -- commands

    async def start(
        self,
        command_line: str,
        *,
        account: LabAccount,
        environment: Mapping[str, str] = {},
        directory: str | None = None,
        codepage: int = 437,
    ) -> GuestProcess:
        """Start a command line as ``cmd.exe /c`` does, in the account's profile folder or in ``directory``.

        With code page 65001 programs read and write UTF-8, else Windows-1252. Waits while commands of another account
        run. Raises GuestGone, GuestBusy, and GuestFileError for a folder that is not there.
        """
        boot = self._running()
        return await boot.start(
            command_line, account=account, environment=environment, directory=directory, codepage=codepage
        )

    # -- files and screen

    async def put_file(self, path: str, content: bytes | AsyncIterable[bytes], *, account: LabAccount) -> None:
        """Write a file, replacing one that is there; its folder must exist.

        Raises GuestFileError, GuestGone, GuestBusy.
        """
        await self._running().put_file(path, content, account)

    async def get_file(self, path: str, *, account: LabAccount) -> bytes:
        """Read a file; raises GuestFileError, GuestGone, GuestBusy."""
        return await self._running().get_file(path, account)

    async def screenshot(self) -> bytes:
        """Take a PNG picture of the console; raises GuestGone when there is none, because the guest is off."""
        return await self._running().screenshot()

    # -- snapshots

    async def snapshot(self, key: str) -> None:
        """Keep the disk as it is now under a key, which is new. Raises DiskFailed, and ValueError for a key in use.

        A guest that runs no command writes its registry first; one that does is held still, and what it had not
        written yet is not in the snapshot, as after a power cut.
        """
        target = self._snapshot(key)
        if target.exists():
            raise ValueError(f"{self.name} has a snapshot {key} already")
        disk.made_folder(target.parent)
        async with self._power:
            if self._boot is None:
                await disk.copied(self._disk, target)
            else:
                await self._boot.turns.still(lambda: disk.copied(self._disk, target))

    async def revert(self, key: str) -> None:
        """Make the disk what the snapshot holds; the guest is off afterwards. Raises SnapshotMissing, DiskFailed."""
        source = self._kept(key)
        await self.power_off()
        async with self._power:
            self._keep(disk.removed(await disk.replaced(self._disk, source)))

    def _kept(self, key: str) -> Path:
        source = self._snapshot(key)
        if not source.exists():
            raise SnapshotMissing(f"{self.name} has no snapshot {key}")
        return source

    async def drop_snapshot(self, key: str) -> None:
        """Remove a snapshot; raises SnapshotMissing, DiskFailed."""
        await disk.removed(self._kept(key))

    async def clone(self, name: str, key: str) -> LabGuest:
        """Make another guest, off, whose disk is this snapshot; it lies beside this one and has no snapshots."""
        folder = self._folder.parent / name
        if folder.exists():
            raise ValueError(f"there is a guest {name} already")
        guest = LabGuest(
            self._image, folder, build=self.build, accounts=tuple(self.accounts.values()), budgets=self._budgets
        )
        disk.made_folder(folder)
        await disk.copied(self._kept(key), guest._disk)
        return guest

    async def destroy(self) -> None:
        """End the guest and remove its disk and snapshots."""
        await self.power_off()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await disk.removed(self._folder)
