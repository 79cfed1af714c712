"""A command of a shell: its output, held for Receive, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from harness.lab.guest import Chunk, GuestGone, GuestProcess
from harness.lab.link import AgentRefused
from harness.lab.winrm import faults

_log = logging.getLogger(__name__)

HELD: Final = 1024 * 1024  # bytes of output kept for a client; past it the command's pipe is left to fill up
RUN: Final = 128  # bytes of an answer that a stretch of output costs beside its content
SETTLE: Final = 0.15


class PowerCut(Exception):
    """The guest went away; nothing may be answered any more, least of all an exit code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One Receive's answer: output in order, and the exit code (0 to 2**32-1) once everything was taken."""

    message_id: str
    chunks: tuple[Chunk, ...]
    exit_code: int | None


class Command:
    """One command: reads the process as fast as the client takes its output, and no faster."""

    def __init__(self, identity: str, process: GuestProcess, *, alive: Callable[[], bool], asked_as: str = "") -> None:
        self.identity = identity
        self._asked_as = asked_as
        self._process = process
        self._alive = alive
        self._chunks: deque[Chunk] = deque()
        self._held = 0
        self._exit_code: int | None = None
        self._gone = False
        self._ended = False
        self._last: Received | None = None
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._done = asyncio.Event()
        self._reading = asyncio.create_task(self._read(), name=f"winrm command {identity}")

    @property
    def is_running(self) -> bool:
        """Whether the process still counts against the shell's quota."""
        return not self._done.is_set()

    async def _read(self) -> None:
        try:
            while (chunk := await self._process.read()) is not None:
                self._chunks.append(chunk)
                self._held += len(chunk.content)
                self._news.set()
                while self._held >= HELD:
                    self._room.clear()
                    await self._room.wait()
            code = await self._process.wait()
            # what a power cut ends also "exits"; only a guest that is still up can vouch for the number
            if self._alive():
                self._exit_code = code & 0xFFFFFFFF
            else:
                self._gone = True
        except GuestGone:
            self._gone = True
        except Exception:  # noqa: BLE001 - whatever broke, no exit code may come of it
            _log.exception("the guest's process broke; its command is treated as lost")
            self._gone = True
        finally:
            self._done.set()
            self._news.set()

    async def receive(self, message_id: str, *, limit: int, within: float) -> Received:
        """Give out up to ``limit`` bytes of output, waiting up to ``within`` seconds for the first of them.

        The same message again gets the same answer, so that a client may repeat a Receive whose answer was lost. Raises
        Fault when time is up or the command was ended meanwhile, and PowerCut when nobody can vouch for an answer.
        """
        # some clients give all their messages one id, which then says nothing of what is asked again
        is_named = message_id not in ("", self._asked_as)
        if self._last is not None and is_named and self._last.message_id == message_id:
            return self._last
        try:
            async with asyncio.timeout(within):
                while not (self._chunks or self._done.is_set() or self._ended):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise faults.timed_out() from None
        if self._held < limit and not self._done.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._done.wait(), SETTLE)
        if self._ended:
            raise faults.aborted()
        if self._gone or not self._alive():
            raise PowerCut
        chunks = self._take(limit)
        code = self._exit_code if not self._chunks else None
        self._last = Received(message_id=message_id, chunks=chunks, exit_code=code)
        return self._last

    def put_back(self, received: Received) -> None:
        """Take back an answer that could not be sent."""
        if self._last is received:
            self._last = None
            self._chunks.extendleft(reversed(received.chunks))
            self._held += sum(len(chunk.content) for chunk in received.chunks)
            self._news.set()

    def _take(self, limit: int) -> tuple[Chunk, ...]:
        taken: list[Chunk] = []
        while self._chunks and limit > 0:
            chunk = self._chunks.popleft()
            if len(chunk.content) > limit:
                self._chunks.appendleft(Chunk(stream=chunk.stream, content=chunk.content[limit:]))
                chunk = Chunk(stream=chunk.stream, content=chunk.content[:limit])
            limit -= len(chunk.content) + RUN
            self._held -= len(chunk.content)
            taken.append(chunk)
        if self._held < HELD:
            self._room.set()
        runs = itertools.groupby(taken, key=lambda chunk: chunk.stream)
        return tuple(Chunk(stream=stream, content=b"".join(chunk.content for chunk in run)) for stream, run in runs)

    async def write(self, content: bytes, *, end: bool, within: float) -> None:
        """Feed the command's input; raises Fault when it takes none any more, or not in time."""
        if self._done.is_set() or self._ended:
            raise faults.pipe_closed()
        try:
            async with asyncio.timeout(within):
                await self._process.write(content, end=end)
        except TimeoutError:
            raise faults.timed_out() from None
        except GuestGone:
            raise PowerCut from None
        except AgentRefused:
            raise faults.pipe_closed() from None

    async def interrupt(self, name: Literal["ctrl_c", "ctrl_break"]) -> None:
        """Send Ctrl+C or Ctrl+Break; the command stays, and a later Receive tells how it ended."""
        if self.is_running:
            with contextlib.suppress(GuestGone):
                await self._process.signal(name)

    async def end(self) -> None:
        """End the whole process tree; whoever waits for output is told that the operation was aborted."""
        self._ended = True
        self._news.set()
        if self.is_running:
            with contextlib.suppress(GuestGone):
                await self._process.signal("terminate")
        self._reading.cancel()
        await asyncio.wait([self._reading])

    def lose(self) -> None:
        """Stop reading and answer nobody: the guest is gone."""
        self._gone = True
        self._reading.cancel()
        self._done.set()
        self._news.set()
