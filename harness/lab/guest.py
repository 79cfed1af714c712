"""A lab guest: a copy of the golden image with power, accounts, commands, files, a screen and snapshots."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.builds import Build
from harness.lab import disk
from harness.lab.boot import Boot
from harness.lab.guestfaults import GuestBusy, GuestFileError, GuestGone, SnapshotMissing
from harness.lab.guestprocess import Chunk, GuestProcess
from harness.lab.image import ACCOUNTS, Image, LabUnavailable
from harness.lab.memory import Memory
from harness.lab.snapshots import Snapshots
from harness.lab.turns import LabAccount
from harness.lab.windows import VERSION_KEYS, computer_name, numbers, write_build

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
        self.is_frozen = False
        #: what Windows is called instead of the guest's own name, when it is set before the power comes on
        self.given_name = ""
        self._starts_ahead = 0.0
        self.boot_id = ""
        self.observers: list[Callable[[LabGuest], None]] = []
        self._image = image
        self._folder = folder
        self._budgets = budgets
        self._boot: Boot | None = None
        self._snapshots = Snapshots(folder / "snapshots", guest=self.name, remember=self._memory_of)
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
        # aside: the vCenter answers meanwhile, while many guests are made at once
        wine, machine = image.host.wine_version, guest.name
        await asyncio.to_thread(write_build, guest._disk, build, wine=wine, machine=machine)
        return guest

    @property
    def _disk(self) -> Path:
        return self._folder / "disk"

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
            boot = await self._boot_of(self._disk)
            self._goes_on_with(boot)
            self._keep(self._bring_up(boot))
        await self._notify()

    async def _boot_of(self, disk: Path) -> Boot:
        return await Boot.of(
            disk,
            self._image,
            guest=self.name,
            hostname=self.computer_name,
            log=self._folder / "agent.log",
            patience=self._budgets.turn,
            ahead=self._starts_ahead,
        )

    def _goes_on_with(self, boot: Boot) -> None:
        self._boot = boot
        self.is_frozen = False
        self.boot_id = boot.name
        self._keep(self._watch(boot))

    def _keep(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("%s: something aside went wrong", self.name, exc_info=task.exception())

    async def _watch(self, boot: Boot) -> None:
        await boot.over.wait()
        if self._boot is boot:
            self._boot = None
            self.is_up, self.is_frozen = False, False
        await self._notify()

    async def _bring_up(self, boot: Boot) -> None:
        try:
            async with asyncio.timeout(self._budgets.boot):
                await boot.turns.begin(self._administrator)
        except (GuestGone, TimeoutError):
            await boot.sandbox.kill()  # Windows did not come up: the guest goes off, and says so to whoever waits
            return
        await self._came_up(boot)

    async def _came_up(self, boot: Boot) -> None:
        if self._boot is boot:
            self.is_up = True
            await self._notify()

    @property
    def _administrator(self) -> LabAccount:
        return next(account for account in self.accounts.values() if account.level == "administrator")

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

    async def make_folder(self, path: str, *, account: LabAccount, parents: bool) -> None:
        """Make a folder, with those above it if ``parents`` are wanted; one that is there is refused.

        Raises GuestFileError, GuestGone, GuestBusy.
        """
        await self._running().make_folder(path, account, parents=parents)

    async def get_file(self, path: str, *, account: LabAccount) -> bytes:
        """Read a file; raises GuestFileError, GuestGone, GuestBusy."""
        return await self._running().get_file(path, account)

    async def screenshot(self) -> bytes:
        """Take a PNG picture of the console; raises GuestGone when there is none, because the guest is off."""
        return await self._running().screenshot()

    # -- snapshots

    async def snapshot(self, key: str, *, memory: bool = False) -> None:
        """Keep the disk as it is now under a key, which is new. Raises DiskFailed, and ValueError for a key in use.

        A guest that runs no command writes its registry first; one that does is held still, and what it had not
        written yet is not in the snapshot, as after a power cut. With the memory of a guest that is on, a revert finds
        Windows up at once; a guest that is off has none.
        """
        target = self._snapshots.new(key)
        async with self._power:
            if self._boot is None:
                await disk.copied(self._disk, target)
            else:
                await self._boot.turns.still(lambda: disk.copied(self._disk, target))
                if memory:
                    self._snapshots.remember(key)

    def holds_memory(self, key: str) -> bool:
        """Whether a revert to this snapshot finds Windows up."""
        return self._snapshots.memory(key) is not None

    def _memory_of(self, kept: Path) -> Memory:
        return Memory(
            kept,
            beside=self._disk,
            start=self._boot_of,
            account=self._administrator,
            budget=self._budgets.boot,
            shelf=self._image.shelf,
        )

    async def revert(self, key: str, *, stay_off: bool = False) -> None:
        """Make the disk what the snapshot holds; Windows is up afterwards if it holds memory, else the guest is off.

        With ``stay_off`` it is off anyway. Raises SnapshotMissing, DiskFailed, and GuestGone when Windows does not come
        up.
        """
        source = self._snapshots.kept(key)
        memory = None if stay_off else self._snapshots.memory(key)
        if memory is not None:
            memory.prepare()
        await self.power_off()
        async with self._power:
            if memory is None:
                self._keep(disk.removed(await disk.replaced(self._disk, source)))
                return
            held = await memory.taken()
            self._keep(disk.removed(disk.exchanged(self._disk, held.disk)))
            self._goes_on_with(held.boot)
            await held.boot.turns.wake()
        await self._came_up(held.boot)
        memory.prepare()  # the next one, while this one is at work

    async def drop_snapshot(self, key: str) -> None:
        """Remove a snapshot; raises SnapshotMissing, DiskFailed."""
        await self._snapshots.drop(key)

    async def present(self, build: Build) -> None:
        """Have Windows say that it is another build: on the disk, in every snapshot, and at once if it is up.

        Raises DiskFailed, GuestGone, GuestBusy.
        """
        settings = dict.fromkeys(VERSION_KEYS, numbers(build))
        await self._snapshots.forget()
        async with self._power:
            for snapshot in self._snapshots.disks():
                await disk.edited(snapshot, settings)
            if self._boot is None:
                await disk.edited(self._disk, settings)
                return
        await self.until_up()
        lines = [
            f'reg add "HKLM\\{key}" /v {name} /t {"REG_DWORD" if isinstance(value, int) else "REG_SZ"} /d {value} /f'
            for key in VERSION_KEYS
            for name, value in numbers(build).items()
        ]
        process = await self.start(" & ".join(lines), account=self._administrator)
        await process.wait()

    @property
    def ahead(self) -> float:
        """How many seconds the guest's clock is ahead of the host's, behind when negative."""
        return self._boot.ahead if self._boot is not None else 0.0

    async def start_ahead(self, seconds: float) -> None:
        """Have the clock be off from the next start or revert on; raises LabUnavailable where the host cannot do it."""
        if seconds and not self._image.host.faketime:
            raise LabUnavailable(["no clock can be off here: libfaketime is not installed: apt-get install faketime"])
        self._starts_ahead = seconds
        await self._snapshots.forget()

    # -- clones

    async def clone(self, name: str, key: str) -> LabGuest:
        """Make another guest, off, whose disk is this snapshot; it lies beside this one and has no snapshots."""
        guest = self._another(name)
        await disk.copied(self._snapshots.kept(key), guest._disk)
        return guest

    async def instant_clone(self, name: str) -> LabGuest:
        """Make another guest of this one as it runs, up when this returns; its disk is this one's of this moment.

        What its programs had in memory is not carried over: Windows is booted. Raises GuestGone when this one is off.
        """
        boot = self._running()
        guest = self._another(name)
        try:
            if self.is_frozen:
                await disk.copied(self._disk, guest._disk)
            else:
                await boot.turns.still(lambda: disk.copied(self._disk, guest._disk))
            await guest.power_on()
            await guest.until_up()
        except BaseException:
            await guest.destroy()
            raise
        return guest

    def _another(self, name: str) -> LabGuest:
        folder = self._folder.parent / name
        if folder.exists():
            raise ValueError(f"there is a guest {name} already")
        guest = LabGuest(
            self._image, folder, build=self.build, accounts=tuple(self.accounts.values()), budgets=self._budgets
        )
        disk.made_folder(folder)
        return guest

    async def freeze(self) -> None:
        """Hold the guest where it is, as the source of instant clones; its registry reaches the disk before.

        It answers nothing until `thaw`. Raises GuestGone when it is off, GuestBusy while a command runs.
        """
        boot = self._running()
        if not self.is_frozen:
            await boot.turns.settle()
            await boot.turns.hold()
            self.is_frozen = True
            await self._notify()

    async def thaw(self) -> None:
        """Let a frozen guest go on; raises GuestGone when it is off."""
        boot = self._running()
        if self.is_frozen:
            self.is_frozen = False
            await boot.turns.wake()
            await self._notify()

    async def destroy(self) -> None:
        """End the guest and remove its disk and snapshots."""
        await self._snapshots.forget()
        await self.power_off()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await disk.removed(self._folder)
