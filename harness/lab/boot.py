"""One boot of a guest: from the power coming on until it goes, with everything that runs meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Self

from harness.lab.agent.frames import BODY
from harness.lab.guestfaults import GuestGone
from harness.lab.guestprocess import Chunk, GuestProcess
from harness.lab.host import Host
from harness.lab.image import Image
from harness.lab.link import Link
from harness.lab.sandbox import PLACES, Sandbox, command
from harness.lab.screen import png
from harness.lab.turns import LabAccount, Turns


class Boot:
    """A sandbox that runs, the pipe to its agent, and the commands in it."""

    def __init__(self, sandbox: Sandbox, image: Image, processor: int, *, guest: str, patience: float) -> None:
        self.sandbox = sandbox
        self.name = uuid.uuid4().hex
        self._image = image
        self._processor = processor
        self.link = Link(sandbox.stdout, sandbox.stdin, self._told)
        self.turns = Turns(self.link, guest=guest, patience=patience)
        self.over = asyncio.Event()
        self.ahead = 0.0
        self._processes: dict[int, GuestProcess] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._following = asyncio.get_running_loop().create_task(self._see_through())

    @classmethod
    async def of(
        cls, disk: Path, image: Image, *, guest: str, hostname: str, log: Path, patience: float, ahead: float
    ) -> Self:
        """Switch the power on for this disk: Windows comes up with ``turns.begin``, and ``over`` is set at the end.

        Its clock is ``ahead`` of the host's by so many seconds.
        """
        processor = image.processors.take()
        try:
            words = command(
                image.host,
                disk=disk,
                agent=image.agent,
                hostname=hostname,
                module="main",
                places={**PLACES, "processor": processor, **_clock(image.host, ahead)},
            )
            with log.open("wb") as file:
                sandbox = await Sandbox.started(words, file)
        except BaseException:
            image.processors.give_back(processor)
            raise
        boot = cls(sandbox, image, processor, guest=guest, patience=patience)
        boot.ahead = ahead
        return boot

    async def _see_through(self) -> None:
        """Follow the boot to its end; then nothing runs in the sandbox and nobody waits for it."""
        try:
            await self.link.follow()
            self.turns.cut()
            await self.sandbox.kill()
        finally:
            self._image.processors.give_back(self._processor)
            for process in self._processes.values():
                process.over(None)
            self.over.set()

    async def cut(self) -> None:
        """Cut the power; returns when nothing runs any more."""
        await self.sandbox.kill()
        await self.over.wait()

    async def start(
        self, line: str, *, account: LabAccount, environment: Mapping[str, str], directory: str | None, codepage: int
    ) -> GuestProcess:
        """Start a command line when it is the account's turn, which lasts until the command has ended."""
        started: asyncio.Future[GuestProcess] = asyncio.get_running_loop().create_future()
        words = {"line": line, "environment": dict(environment), "directory": directory, "codepage": codepage}
        task = asyncio.get_running_loop().create_task(self._run(started, account, words))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await started

    async def _run(self, started: asyncio.Future[GuestProcess], account: LabAccount, words: dict[str, Any]) -> None:
        try:
            async with self.turns.of(account) as link:
                if started.cancelled():
                    return  # whoever wanted it has given up while another account's commands ran
                number = link.number()
                process = self._processes[number] = GuestProcess(link, number)
                try:
                    answer, _ = await link.ask("start", job=number, **words)
                    self.ahead = float(answer.get("ahead", self.ahead))  # the command may set the clock
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

    def _told(self, header: dict[str, Any], body: bytes) -> None:
        process = self._processes.get(int(header["job"]))
        if process is None:
            return
        if "exit" in header:
            process.over(int(header["exit"]))
        else:
            process.told(Chunk("stderr" if header["stream"] == "stderr" else "stdout", body))

    async def put_file(self, path: str, content: bytes | AsyncIterable[bytes], account: LabAccount) -> None:
        """Write a file."""
        async with self.turns.of(account) as link:
            number = (await link.ask("put", path=path))[0]["id"]
            try:
                async for part in _parts(content):
                    await link.tell({"op": "part", "of": number}, part)
            finally:
                await link.ask("kept", of=number)

    async def make_folder(self, path: str, account: LabAccount, *, parents: bool) -> None:
        """Make a folder."""
        async with self.turns.of(account) as link:
            await link.ask("folder", path=path, parents=parents)

    async def get_file(self, path: str, account: LabAccount) -> bytes:
        """Read a file."""
        async with self.turns.of(account) as link:
            return (await link.ask("get", path=path))[1]

    async def screenshot(self) -> bytes:
        """Take a PNG picture of the screen."""
        async with self.turns.unchanged() as link:
            _, memory = await link.ask("screen")
        return await asyncio.to_thread(png, memory)


def _clock(host: Host, ahead: float) -> dict[str, object]:
    """Say how the guest's clock is off; it costs each program a little, so one that is right is not spoken of."""
    return {"faketime": host.faketime, "ahead": ahead} if ahead else {}


async def _parts(content: bytes | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(content, bytes):
        content = _one(content)
    async for piece in content:
        for start in range(0, len(piece), BODY):
            yield piece[start : start + BODY]


async def _one(content: bytes) -> AsyncIterator[bytes]:
    yield content
