"""A command that runs in a guest, seen from the lab."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Literal

from harness.lab.agent.frames import BODY
from harness.lab.guestfaults import GuestGone
from harness.lab.link import Link, LinkCut

Signal = Literal["terminate", "ctrl_c", "ctrl_break"]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some output of a command, as the bytes it wrote."""

    stream: Literal["stdout", "stderr"]
    content: bytes


class GuestProcess:
    """A started command: its output comes only as fast as it is read, so read it to the end or end the command."""

    def __init__(self, link: Link, number: int) -> None:
        self._link = link
        self._number = number
        self._chunks: deque[Chunk] = deque()
        self._news = asyncio.Event()
        self._ended = asyncio.Event()
        self._exit_code: int | None = None

    async def read(self) -> Chunk | None:
        """Wait for the next output; None at the end, also when the guest has gone (`wait` tells which)."""
        while not self._chunks:
            if self._ended.is_set():
                return None
            self._news.clear()
            await self._news.wait()
        chunk = self._chunks.popleft()
        self._link.tell_soon({"op": "thank", "job": self._number, "bytes": len(chunk.content)})
        return chunk

    async def write(self, content: bytes, *, end: bool = False) -> None:
        """Give the command input; returns when it was taken, and is lost when nobody reads it. Raises GuestGone."""
        try:
            for start in range(0, max(len(content), 1), BODY):
                part = content[start : start + BODY]
                await self._link.ask("write", part, job=self._number, end=end and start + BODY >= len(content))
        except LinkCut as error:
            raise GuestGone(str(error)) from error

    async def signal(self, name: Signal) -> None:
        """End the command's whole process tree; raises GuestGone.

        Its exit code is then 1, or -1073741510 (STATUS_CONTROL_C_EXIT) for Ctrl+C and Ctrl+Break.
        """
        if self._ended.is_set():
            return
        try:
            await self._link.ask("signal", job=self._number, name=name)
        except LinkCut as error:
            raise GuestGone(str(error)) from error

    async def wait(self) -> int:
        """Wait for the signed 32-bit exit code; raises GuestGone when the guest went away first."""
        await self._ended.wait()
        if self._exit_code is None:
            raise GuestGone("the guest went away while the command ran")
        return self._exit_code

    @property
    def has_ended(self) -> bool:
        """Whether the command has ended or its guest has gone."""
        return self._ended.is_set()

    def told(self, chunk: Chunk) -> None:
        """Take output from the agent."""
        self._chunks.append(chunk)
        self._news.set()

    def over(self, exit_code: int | None) -> None:
        """Take the exit code from the agent, or None when the guest has gone."""
        self._exit_code = exit_code
        self._ended.set()
        self._news.set()
