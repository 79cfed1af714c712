"""The lab's end of the pipe to a guest's agent: requests with their answers, and what commands print."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Any

from harness.lab.agent.frames import BODY, SIZES, packed

#: The most bytes a header from inside a guest may have; more is no agent of ours.
_HEADER = 1024 * 1024


class AgentRefused(Exception):
    """The agent answered with an error; ``kind`` is its name for it."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind


class LinkCut(Exception):
    """The agent is no more, or no longer talks as an agent does."""


class Link:
    """Requests to an agent and its answers; ``told`` is called with each frame about a command."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        told: Callable[[dict[str, Any], bytes], None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._told = told
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._parts: dict[int, list[bytes]] = {}
        self._cut = False

    def number(self) -> int:
        """Take the next number, for a request or a command."""
        return next(self._numbers)

    async def ask(self, op: str, body: bytes = b"", **words: Any) -> tuple[dict[str, Any], bytes]:
        """Send a request and wait for its answer, whole; raises AgentRefused and LinkCut."""
        if self._cut:
            raise LinkCut("the guest has gone")
        number = self.number()
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            await self.tell({**words, "op": op, "id": number}, body)
            header = await answer
            parts = self._parts.pop(number, [])
        finally:
            self._waiting.pop(number, None)
            self._parts.pop(number, None)
        if "error" in header:
            raise AgentRefused(header["error"], header.get("words", ""))
        return header, b"".join(parts)

    async def tell(self, header: dict[str, Any], body: bytes = b"") -> None:
        """Send what needs no answer; raises LinkCut."""
        try:
            self._writer.write(packed(header, body))
            await self._writer.drain()
        except (ConnectionError, RuntimeError) as error:
            raise LinkCut("the guest has gone") from error

    def tell_soon(self, header: dict[str, Any]) -> None:
        """Send a few bytes that need no answer, without waiting for the pipe."""
        if not self._cut and not self._writer.is_closing():
            self._writer.write(packed(header))

    async def follow(self) -> None:
        """Read what the agent sends until it is no more; then every open request raises LinkCut."""
        try:
            while True:
                words, length = SIZES.unpack(await self._reader.readexactly(SIZES.size))
                if words > _HEADER or length > BODY:
                    break
                header = json.loads(await self._reader.readexactly(words))
                self._take(header, await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError, ValueError, KeyError, TypeError, AttributeError):
            pass  # whatever a guest made of its end of the pipe, it is the end
        finally:
            self._cut = True
            self._writer.close()
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(LinkCut("the guest has gone"))

    def _take(self, header: dict[str, Any], body: bytes) -> None:
        if "job" in header:
            self._told(header, body)
            return
        number = int(header["id"])
        answer = self._waiting.get(number)
        if answer is None or answer.done():
            return
        if header.get("more"):
            self._parts.setdefault(number, []).append(body)
        else:
            answer.set_result(header)
