"""Whose turn it is in a guest: Wine holds one account at a time, so each waits until the other's commands end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from harness.lab.guestfaults import GuestBusy, GuestFileError, GuestGone
from harness.lab.image import Level
from harness.lab.link import AgentRefused, Link, LinkCut

#: Seconds between looks at whether a Windows rests; how many in a row have to find it so; how many there are at most.
_LOOK, _AT_REST, _LOOKS = 0.05, 2, 60


@dataclass(frozen=True, slots=True)
class LabAccount:
    """An account of a guest."""

    name: str
    password: str = field(repr=False)
    level: Level


class Turns:
    """The sessions of one boot. ``patience`` is how long a turn is waited for, in seconds."""

    def __init__(self, link: Link, *, guest: str, patience: float) -> None:
        self.held_by: str | None = None
        self._link = link
        self._guest = guest
        self._patience = patience
        self._session: LabAccount | None = None
        self._users = 0
        self._over = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._turn = asyncio.Lock()
        self._changing = asyncio.Lock()

    async def begin(self, account: LabAccount) -> None:
        """Bring Windows up for its first account; raises GuestGone."""
        async with self._turn:
            await self._enter(account)

    async def end(self) -> None:
        """End Windows in order; raises GuestGone."""
        async with self._changing:
            with self._faults():
                await self._leave()

    def cut(self) -> None:
        """Let nobody wait any longer: the guest has gone."""
        self._over = True
        self._idle.set()

    @asynccontextmanager
    async def of(self, account: LabAccount) -> AsyncIterator[Link]:
        """Keep the session the account's until the block ends; raises GuestBusy, GuestGone and GuestFileError."""
        async with self._turn:
            if self._session != account:
                await self._until_idle(account)
                await self._enter(account)
            self._users += 1
            self._idle.clear()
        try:
            with self._faults():
                yield self._link
        finally:
            self._users -= 1
            if self._users == 0:
                self._idle.set()

    async def _until_idle(self, account: LabAccount) -> None:
        try:
            await asyncio.wait_for(self._idle.wait(), self._patience)
        except TimeoutError:
            whose = self._session.name if self._session else "nobody"
            raise GuestBusy(f"{self._guest}: a command of {whose} still runs; {account.name} waits") from None

    async def _enter(self, account: LabAccount) -> None:
        async with self._changing:
            with self._faults():
                await self._leave()
                try:
                    answer, _ = await self._link.ask("session", account=account.name, level=account.level)
                except AgentRefused as error:
                    raise GuestGone(f"{self._guest}: {error}") from error
                self.held_by = answer["held_by"] or self.held_by
                self._session = account

    async def _leave(self) -> None:
        if self._session is not None:
            self._session = None
            await self._link.ask("leave")

    @asynccontextmanager
    async def unchanged(self) -> AsyncIterator[Link]:
        """Keep the session as it is, whosever it is, until the block ends; raises GuestGone when there is none."""
        async with self._changing:
            if self._session is None:
                raise GuestGone(f"{self._guest} is still booting")
            with self._faults():
                yield self._link

    async def settle(self) -> None:
        """Bring the registry to the disk by ending Windows in order and beginning anew; raises GuestBusy, GuestGone."""
        async with self._turn:
            session = self._session
            if self._users or session is None:
                raise GuestBusy(f"{self._guest}: " + ("a command still runs" if self._users else "it is still booting"))
            await self.end()
            await self._enter(session)

    async def still(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do some work while nothing in the guest moves; raises GuestGone.

        A guest that runs no command has its Windows ended in order meanwhile, so that the registry is on the disk; one
        that does is held where it is.
        """
        async with self._turn:
            session = self._session
            if self._users or session is None:
                await self.hold()
                try:
                    await work()
                finally:
                    await self.wake()
            else:
                await self.end()
                try:
                    await work()
                finally:
                    await self._enter(session)

    async def rest(self, wanted: asyncio.Event) -> None:
        """Let Windows begin what goes on once it is up, with a desktop, until it rests or is wanted; raises GuestGone.

        On Windows, too, services and the desktop are still starting when the first command is taken.
        """
        async with self.unchanged() as link:
            await link.ask("desktop")
            at_rest = 0
            for _ in range(_LOOKS):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(wanted.wait(), _LOOK)
                    return
                at_rest = 0 if (await link.ask("busy"))[0]["busy"] else at_rest + 1
                if at_rest == _AT_REST:
                    return

    async def hold(self) -> None:
        """Hold every program where it is; raises GuestGone."""
        async with self.unchanged() as link:
            await link.ask("freeze")

    async def wake(self) -> None:
        """Let every program go on; raises GuestGone."""
        async with self.unchanged() as link:
            await link.ask("thaw")

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Say in the guest's words what the agent or the pipe to it said."""
        if self._over:
            raise GuestGone(f"{self._guest} is off")
        try:
            yield
        except LinkCut as error:
            raise GuestGone(f"{self._guest} has gone") from error
        except AgentRefused as error:
            raise GuestFileError(error.kind, str(error)) from error
