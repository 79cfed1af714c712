"""A vCenter of the lab whose machines have no Windows: each opens its WinRM ports at a random moment and says when.

Run by ``bench.waits`` as a process of its own. What is served is the lab's real vCenter and its real WinRM service; the
guest behind them answers the questions about its facts with a build and nothing else, at no cost, so that what is
measured is the waiting alone. ``ready NAME SECONDS`` is printed at each moment of true readiness, by the monotonic
clock, which is one for all processes of a host.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

from harness.builds import Build
from harness.lab.certificates import server_tls, write_certificates, write_private
from harness.lab.guest import Budgets, Chunk, GuestProcess, LabAccount, LabGuest
from harness.lab.image import Image
from harness.lab.lab import site_text
from harness.lab.subnet import Subnet
from harness.lab.vcenter.endpoint import VCenter
from harness.lab.vcenter.sessions import User
from harness.lab.winrm.credentials import write_user_file
from harness.lab.winrm.service import WinRMService

SNAPSHOT = "clean"
BUILD = Build(22631, 4037)
TASK = (0.3, 3.0)
"""Seconds that a revert or a power-on takes, from and to."""

BOOT = (2.0, 20.0)
"""Seconds from power to the open port, from and to."""

_VERSION = "HKEY_LOCAL_MACHINE\\A\r\n    CurrentBuild    REG_SZ    22631\r\n    Wine    REG_SZ    none\r\n"


class Answer:
    """A command that prints its text and ends."""

    def __init__(self, text: str) -> None:
        self._left = [Chunk(stream, text.encode()) for stream in ("stdout", "stderr")]

    async def read(self) -> Chunk | None:
        """Give the next output."""
        return self._left.pop(0) if self._left else None

    async def write(self, content: bytes, *, end: bool = False) -> None:
        """Read nothing."""

    async def signal(self, name: str) -> None:
        """Be over already."""

    async def wait(self) -> int:
        """Give the exit code."""
        return 0


class StandIn(LabGuest):
    """A guest of the lab without Windows; its times are a machine's own, the same in each run."""

    def __init__(self, name: str, account: LabAccount, seed: int) -> None:
        nothing = cast("Image", None)  # no disk is ever made
        super().__init__(nothing, Path(name), build=BUILD, accounts=[account], budgets=Budgets())
        self.used = ""
        self._powered = False
        self._chance = random.Random(seed)  # noqa: S311 - a bench, not a secret
        self._coming: asyncio.Task[None] | None = None

    @property
    def is_on(self) -> bool:
        """Whether it is powered."""
        return self._powered

    @property
    def ahead(self) -> float:
        """Its clock is right."""
        return 0.0

    def _tell(self) -> None:
        for observer in list(self.observers):
            observer(self)

    async def power_on(self) -> None:
        """Take a while; Windows takes another."""
        await asyncio.sleep(self._chance.uniform(*TASK))
        self._powered, self.boot_id = True, str(time.monotonic())
        self._coming = asyncio.create_task(self._come_up(self._chance.uniform(*BOOT)))
        self._tell()

    async def _come_up(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.is_up = True
        self._tell()
        print("ready", self.name, time.monotonic(), flush=True)

    async def power_off(self) -> None:
        """Be off at once."""
        if self._coming is not None:
            self._coming.cancel()
        self._powered = self.is_up = False
        self._tell()

    def holds_memory(self, _: str) -> bool:
        """Say that no snapshot does: power comes after the revert."""
        return False

    async def revert(self, *_: Any, **__: Any) -> None:
        """Take a while, and be off and clean."""
        await self.power_off()
        await asyncio.sleep(self._chance.uniform(*TASK))
        self.used = ""

    async def start(self, command_line: str, **_: Any) -> GuestProcess:
        """Answer joined questions: the first with a build, the mark of use with what was left, others with nothing."""
        marks = re.findall(r"call echo (\S+) (\d+) ", command_line)
        told = dict.fromkeys((number for _, number in marks), "")
        if told:
            told["0"] = _VERSION
        if left := re.search(r">%SystemRoot%\\Temp\\\S+ echo (\w+ since [^&]+)\)& ", command_line):
            told[str(len(told) - 2)] = self.used
            self.used = self.used or left[1] + "\r\n"
        out = "".join(f"{told[number]}{mark} {number} 0\r\n" for mark, number in marks)
        error = "".join(f"{mark} {number} \r\n" for mark, number in marks)
        answer = Answer("")
        answer._left = [Chunk("stdout", out.encode()), Chunk("stderr", error.encode())]
        return cast("GuestProcess", answer)


async def serve(folder: Path, names: list[str]) -> None:
    """Serve one machine of each name until standard input ends."""
    subnet = Subnet(folder.name)
    account = LabAccount(name="Administrator", password="bench", level="administrator")  # noqa: S106 - nobody's
    ca = write_certificates(folder, folder, name="bench", addresses=subnet.all())
    tls = server_tls(folder)
    write_user_file(folder / "ntlm", [account], names)

    async def admit(*_: object) -> str:
        raise LookupError("the bench makes no clones")

    async def dismiss(*_: object) -> None:
        pass

    user = "administrator@lab.local"
    vcenter = VCenter(
        [User(user, "bench")], url=f"https://{subnet.host}:8443", release="bench", admit=admit, dismiss=dismiss
    )
    machines = []
    for name in names:
        # the n-th machine of each way of waiting has the same times as that of every other way
        guest = StandIn(name, account, seed=int(name.rpartition("-")[2]))
        address = subnet.take()
        await WinRMService(guest, address=address, tls=tls).start()
        vm = vcenter.enrol(guest, address, {SNAPSHOT: SNAPSHOT})
        machines.append({"path": vm.path, "build": str(BUILD), "snapshot": SNAPSHOT, "address": address})
    await vcenter.start(subnet.vcenter, tls)
    (folder / "secrets").mkdir()
    for level in ("vcenter", "administrator"):
        write_private(folder / "secrets" / f"{level}.secret", b"bench")
    assert ca == folder / "ca.pem"
    (folder / "site.toml").write_text(
        site_text("bench", subnet.host, {"administrator": account.name}, machines), "utf-8"
    )
    print("site", folder / "site.toml", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await vcenter.stop()


def main() -> None:
    """Serve the machines that are named on the command line."""
    with tempfile.TemporaryDirectory(prefix="wincompat-bench-") as folder:
        asyncio.run(serve(Path(folder), sys.argv[1:]))


if __name__ == "__main__":
    main()
