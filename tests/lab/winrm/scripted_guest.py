"""A guest that does what a test says, for what no real one does on demand: floods, races and clocks.

What real commands do is proved with a real guest; this one is for the service's own promises.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Literal, cast

from harness.builds import Build
from harness.lab.guest import Chunk, GuestGone, GuestProcess, LabAccount, LabGuest

ADMINISTRATOR = LabAccount(name="tester", password="s3cret! ä", level="administrator")
STANDARD = LabAccount(name="joe", password="sesame", level="standard")

Program = Callable[["ScriptedProcess"], AsyncIterator[bytes]]


class ScriptedProcess:
    """A process that yields what its program yields, on stdout unless it says otherwise with ``err``."""

    def __init__(self, guest: ScriptedGuest, program: Program) -> None:
        self.guest = guest
        self.stdin: asyncio.Queue[bytes] = asyncio.Queue()
        self.signals: list[str] = []
        self.code = 0
        self.err = False
        self.ended = asyncio.Event()
        self._program = program(self)

    async def read(self) -> Chunk | None:
        """Run the program up to its next output."""
        step = asyncio.ensure_future(anext(self._program, None))
        end = asyncio.ensure_future(self.ended.wait())
        try:
            await asyncio.wait({step, end}, return_when=asyncio.FIRST_COMPLETED)
            if self.guest.cut and not self.guest.lies:
                raise GuestGone("the guest was powered off")
            content = step.result() if step.done() else None
            return None if content is None else Chunk(stream="stderr" if self.err else "stdout", content=content)
        finally:
            for waiting in (step, end):
                waiting.cancel()
            await asyncio.wait({step, end})

    async def write(self, content: bytes, *, end: bool = False) -> None:
        """Queue input; empty bytes stand for its end."""
        if content:
            self.stdin.put_nowait(content)
        if end:
            self.stdin.put_nowait(b"")

    async def signal(self, name: Literal["terminate", "ctrl_c", "ctrl_break"]) -> None:
        """Note the signal and end."""
        self.signals.append(name)
        self.code = 1 if name == "terminate" else -1073741510
        self.ended.set()

    async def wait(self) -> int:
        """Tell the exit code, or that the guest has gone."""
        if self.guest.cut and not self.guest.lies:
            raise GuestGone("the guest was powered off")
        return self.code


async def _echo(process: ScriptedProcess) -> AsyncIterator[bytes]:
    yield b"hello\r\n"


async def _both(process: ScriptedProcess) -> AsyncIterator[bytes]:
    yield b"out\r\n"
    process.err = True
    yield b"err\r\n"
    process.code = -2147023293


async def _hang(process: ScriptedProcess) -> AsyncIterator[bytes]:
    yield b"started\r\n"
    await process.ended.wait()


async def _silent(process: ScriptedProcess) -> AsyncIterator[bytes]:
    await process.ended.wait()
    yield b""


async def _cat(process: ScriptedProcess) -> AsyncIterator[bytes]:
    while content := await process.stdin.get():
        yield content


async def _flood(process: ScriptedProcess) -> AsyncIterator[bytes]:
    while True:
        process.guest.flooded += 65536
        yield b"x" * 65536


PROGRAMS: dict[str, Program] = {
    "echo": _echo,
    "both": _both,
    "hang": _hang,
    "silent": _silent,
    "cat": _cat,
    "flood": _flood,
}


class ScriptedGuest:
    """A guest whose power is a switch; a command line's first word names its program, ``lines`` keeps them all."""

    def __init__(self) -> None:
        self.name = "win11-23h2-a"
        self.build = Build(22631)
        self.accounts = {"administrator": ADMINISTRATOR, "standard": STANDARD}
        self.is_on = self.is_up = False
        self.ahead = 0.0
        self.boot_id = ""
        self.observers: list[Callable[[LabGuest], None]] = []
        self.lines: list[str] = []
        self.started: list[dict[str, object]] = []
        self.processes: list[ScriptedProcess] = []
        self.flooded = 0
        self.cut = False
        self.lies = False  # its processes report an exit code although the power was cut

    @property
    def as_guest(self) -> LabGuest:
        """The guest as the service sees it."""
        return cast("LabGuest", self)

    async def power_on(self) -> None:
        """Be up at once."""
        self.is_on = self.is_up = True
        self.cut = False
        self.boot_id += "i"
        self._tell()

    async def power_off(self) -> None:
        """End everything at once."""
        self.is_on = self.is_up = False
        self.cut = True
        for process in self.processes:
            process.ended.set()
        self.processes.clear()
        if self.lies:
            await asyncio.sleep(0.2)  # their exit codes arrive before the news of the cut
        self._tell()

    async def start(
        self,
        command_line: str,
        *,
        account: LabAccount,
        environment: Mapping[str, str],
        directory: str | None = None,
        codepage: int = 437,
    ) -> GuestProcess:
        """Start the program of that name."""
        self.lines.append(command_line)
        self.started.append(
            {"account": account, "environment": environment, "directory": directory, "codepage": codepage}
        )
        process = ScriptedProcess(self, PROGRAMS.get(command_line.split()[0], _echo))
        self.processes.append(process)
        return cast("GuestProcess", process)

    def _tell(self) -> None:
        for observer in list(self.observers):
            observer(self.as_guest)
