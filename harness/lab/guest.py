"""A lab guest: a copy of the golden image with power, accounts, commands, files, a screen and snapshots."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.builds import Build
from harness.lab import disk
from harness.lab.agent.frames import BODY
from harness.lab.guestprocess import Chunk, GuestGone, GuestProcess
from harness.lab.image import ACCOUNTS, Image, Level
from harness.lab.link import AgentRefused, Link, LinkCut
from harness.lab.sandbox import PLACES, Sandbox, command
from harness.lab.screen import png
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
class LabAccount:
    """An account of a guest."""

    name: str
    password: str = field(repr=False)
    level: Level


@dataclass(frozen=True, slots=True)
class Budgets:
    """How long a guest may take, in seconds: to boot, to shut down, and to wait for the other account's commands."""

    boot: float = 90.0
    shut_down: float = 30.0
    turn: float = 120.0


class GuestFileError(Exception):
    """A file or folder of the guest cannot be had.

    ``kind`` is "not found", "access denied", "bad path", "is a folder" or "failed".
    """

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind


class GuestBusy(Exception):
    """Commands of another account did not end in time; a guest serves one account at a time."""


class SnapshotMissing(KeyError):
    """The guest has no snapshot of that key."""


class LabGuest:
    """One Windows of the lab; made by `create`, off until `power_on`.

    ``observers`` are called in the loop after each change of ``is_on`` and ``is_up``. ``held_by`` tells what holds a
    standard user back, once one was there: "landlock", or "file modes" where the kernel has no Landlock.
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
        self.held_by: str | None = None
        self.observers: list[Callable[[LabGuest], None]] = []
        self._image = image
        self._folder = folder
        self._budgets = budgets
        self._sandbox: Sandbox | None = None
        self._link: Link | None = None
        self._processes: dict[int, GuestProcess] = {}
        self._session: LabAccount | None = None
        self._users = 0
        self._idle = asyncio.Event()
        self._turn = asyncio.Lock()
        self._pipe = asyncio.Lock()
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
        return self._sandbox is not None

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
            if self._sandbox is not None:
                return
            host = self._image.host
            words = command(
                host,
                disk=self._disk,
                agent=self._image.agent,
                hostname=self.computer_name,
                module="main",
                places={**PLACES},
            )
            with (self._folder / "agent.log").open("wb") as log:
                sandbox = await Sandbox.started(words, log)
            link = Link(sandbox.stdout, sandbox.stdin, self._told)
            self._sandbox, self._link = sandbox, link
            self._processes = {}
            self._session, self._users = None, 0
            self._idle.set()
            self._turn, self._pipe = asyncio.Lock(), asyncio.Lock()
            self.boot_id, self.booted_at = uuid.uuid4().hex, None
            self._keep(self._watch(sandbox, link))
            self._keep(self._boot(sandbox))
        await self._notify()

    def _keep(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("%s: something aside went wrong", self.name, exc_info=task.exception())

    async def _watch(self, sandbox: Sandbox, link: Link) -> None:
        """See the guest through to its end, and tell everybody that it is off."""
        await link.follow()
        await sandbox.kill()
        for process in self._processes.values():
            process.over(None)
        if self._sandbox is sandbox:
            self._sandbox, self._link, self._session = None, None, None
            self.is_up, self.booted_at = False, None
            self._idle.set()
        await self._notify()

    async def _boot(self, sandbox: Sandbox) -> None:
        administrator = next(account for account in self.accounts.values() if account.level == "administrator")
        try:
            async with asyncio.timeout(self._budgets.boot), self._turn:
                await self._enter(administrator)
        except (GuestGone, TimeoutError):
            await sandbox.kill()  # Windows did not come up: the guest goes off, and says so to whoever waits
            return
        if self._sandbox is sandbox:
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
            sandbox = self._sandbox
            if sandbox is not None:
                await sandbox.kill()
                await self._until_off(sandbox)

    async def shut_down(self) -> None:
        """End Windows in order, so that the registry reaches the disk; cut the power when it takes too long."""
        async with self._power:
            sandbox, link = self._sandbox, self._link
            if sandbox is None or link is None:
                return
            with contextlib.suppress(TimeoutError, LinkCut, AgentRefused):
                async with asyncio.timeout(self._budgets.shut_down), self._pipe:
                    if self._session is not None:
                        await link.ask("leave")
            await sandbox.kill()
            await self._until_off(sandbox)

    async def _until_off(self, sandbox: Sandbox) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._sandbox is not sandbox)

    # -- accounts

    async def _enter(self, account: LabAccount) -> None:
        """Make the session the account's; the caller holds the turn and nothing of another account runs."""
        if self._link is None:
            raise GuestGone(f"{self.name} is off")
        async with self._pipe:
            try:
                if self._session is not None:
                    self._session = None
                    await self._link.ask("leave")
                answer, _ = await self._link.ask("session", account=account.name, level=account.level)
            except LinkCut as error:
                raise GuestGone(str(error)) from error
            except AgentRefused as error:
                raise GuestGone(f"{self.name}: {error}") from error
            self.held_by = answer["held_by"] or self.held_by
            self._session = account

    @contextlib.asynccontextmanager
    async def _as(self, account: LabAccount) -> AsyncIterator[Link]:
        """Keep the session the account's until the block ends; raises GuestBusy and GuestGone."""
        sandbox = self._sandbox
        async with self._turn:
            if self._session != account and sandbox is not None:
                try:
                    await asyncio.wait_for(self._idle.wait(), self._budgets.turn)
                except TimeoutError:
                    whose = self._session.name if self._session else "nobody"
                    raise GuestBusy(f"{self.name}: a command of {whose} still runs; {account.name} waits") from None
                if self._sandbox is sandbox:
                    await self._enter(account)
            link = self._link
            if link is None or self._sandbox is not sandbox:
                raise GuestGone(f"{self.name} is off")
            self._users += 1
            self._idle.clear()
        try:
            yield link
        except LinkCut as error:
            raise GuestGone(str(error)) from error
        except AgentRefused as error:
            raise GuestFileError(error.kind, str(error)) from error
        finally:
            if self._link is link:
                self._users -= 1
                if self._users == 0:
                    self._idle.set()

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
        started: asyncio.Future[GuestProcess] = asyncio.get_running_loop().create_future()

        async def run() -> None:
            try:
                async with self._as(account) as link:
                    if started.cancelled():
                        return  # whoever wanted it has given up while another account's commands ran
                    number = link.number()
                    process = self._processes[number] = GuestProcess(link, number)
                    try:
                        await link.ask(
                            "start",
                            job=number,
                            line=command_line,
                            environment=dict(environment),
                            directory=directory,
                            codepage=codepage,
                        )
                        if started.cancelled():
                            await process.signal("terminate")
                        else:
                            started.set_result(process)
                        with contextlib.suppress(GuestGone):
                            await process.wait()
                    finally:
                        self._processes.pop(number, None)
            except Exception as error:  # noqa: BLE001 - carried to whoever started the command
                if not started.done():
                    started.set_exception(error)

        self._keep(run())
        return await started

    def _told(self, header: dict[str, Any], body: bytes) -> None:
        process = self._processes.get(int(header["job"]))
        if process is None:
            return
        if "exit" in header:
            process.over(int(header["exit"]))
        else:
            process.told(Chunk("stderr" if header["stream"] == "stderr" else "stdout", body))

    # -- files and screen

    async def put_file(self, path: str, content: bytes | AsyncIterable[bytes], *, account: LabAccount) -> None:
        """Write a file, replacing one that is there; its folder must exist.

        Raises GuestFileError, GuestGone, GuestBusy.
        """
        async with self._as(account) as link:
            number = (await link.ask("put", path=path))[0]["id"]
            try:
                async for part in _parts(content):
                    await link.tell({"op": "part", "of": number}, part)
            finally:
                await link.ask("kept", of=number)

    async def get_file(self, path: str, *, account: LabAccount) -> bytes:
        """Read a file; raises GuestFileError, GuestGone, GuestBusy."""
        async with self._as(account) as link:
            return (await link.ask("get", path=path))[1]

    async def screenshot(self) -> bytes:
        """Take a PNG picture of the console; raises GuestGone when there is none, because the guest is off."""
        async with self._pipe:
            link = self._link
            if link is None or self._session is None:
                raise GuestGone(f"{self.name} is off or still booting")
            try:
                _, memory = await link.ask("screen")
            except (LinkCut, AgentRefused) as error:
                raise GuestGone(str(error)) from error
        return await asyncio.to_thread(png, memory)

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
            if self._link is None or self._session is None:
                await disk.copied(self._disk, target)
            else:
                await self._snapshot_running(self._link, target)

    async def _snapshot_running(self, link: Link, target: Path) -> None:
        async with self._turn:
            session = self._session
            if self._users == 0 and session is not None:
                async with self._pipe:
                    self._session = None
                    await link.ask("leave")
                    await disk.copied(self._disk, target)
                await self._enter(session)
                return
            async with self._pipe:
                await link.ask("freeze")
                try:
                    await disk.copied(self._disk, target)
                finally:
                    await link.ask("thaw")

    async def revert(self, key: str) -> None:
        """Make the disk what the snapshot holds; the guest is off afterwards. Raises SnapshotMissing, DiskFailed."""
        source = self._kept(key)
        await self.power_off()
        async with self._power:
            aside = disk.put_aside(self._disk)
            self._keep(disk.removed(aside))
            await disk.copied(source, self._disk)

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


async def _parts(content: bytes | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(content, bytes):
        content = _one(content)
    async for piece in content:
        for start in range(0, len(piece), BODY):
            yield piece[start : start + BODY]


async def _one(content: bytes) -> AsyncIterator[bytes]:
    yield content
