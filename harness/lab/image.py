"""The golden image: Windows installed once for each Wine version and recipe, copied for each guest."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from filelock import FileLock

from harness.lab import agent, disk
from harness.lab.host import Host, as_guest, look_up, missing
from harness.lab.processors import Processors
from harness.lab.sandbox import PLACES, command
from harness.lab.shelf import Shelf
from harness.lab.windows import furnish, slim, write_accounts
from harness.packages.needed import absent

Level = Literal["administrator", "standard"]

#: The accounts of every guest. Wine knows one user at a time, so each has a profile and a registry hive of its own.
ACCOUNTS: dict[str, Level] = {"Administrator": "administrator", "tester": "standard"}


class LabUnavailable(Exception):
    """The host cannot run lab guests; the sentences say what to install."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


@dataclass(frozen=True)
class Image:
    """An installed Windows that never runs itself, and the agent as the guests' user can read it."""

    disk: Path
    agent: Path
    host: Host
    processors: Processors = field(default_factory=Processors, compare=False)
    shelf: Shelf = field(default_factory=Shelf, compare=False)


async def golden_image(home: Path) -> Image:
    """Find the image of this host's Wine below ``home``, or build it, once and in one process at a time.

    Raises LabUnavailable when the host lacks something or Windows cannot be installed.
    """
    if sentences := await asyncio.to_thread(missing):
        raise LabUnavailable(sentences)
    host = look_up()
    sources = {path.name: path.read_bytes() for path in sorted(Path(agent.__file__).parent.glob("*.[ps][yh]"))}
    home.mkdir(parents=True, exist_ok=True)
    images = disk.made_folder(home / "images")
    agents = home / "agents"
    agents.mkdir(exist_ok=True)
    lock = FileLock(home / "image.lock")
    # in a thread: another process may be building for a while, and the loop serves guests meanwhile
    await asyncio.to_thread(lock.acquire)
    try:
        agent_folder = _copied_agent(agents, sources, host.python)
        place = images / f"wine-{host.wine_version}-{_hash(*_recipe(), repr(host).encode())}"
        if not place.exists():
            await _built(host, place, agent_folder)
    finally:
        await asyncio.to_thread(lock.release)
    return Image(disk=place, agent=agent_folder, host=host)


async def _built(host: Host, place: Path, agent_folder: Path) -> None:
    with tempfile.TemporaryFile() as log:
        unfinished = disk.made_folder(place.with_name(f".{place.name}.{os.getpid()}"))
        places: dict[str, object] = {**PLACES, "names": list(ACCOUNTS), "absent": absent()}
        words = command(host, disk=unfinished, agent=agent_folder, hostname="windows", module="golden", places=places)
        process = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", **as_guest()
        )
        try:
            if await process.wait() != 0:
                log.seek(0)
                last = log.read().decode(errors="replace").strip().splitlines()[-1:]
                raise LabUnavailable([f"Windows could not be installed with Wine: {' '.join(last)}"])
            write_accounts(unfinished, ACCOUNTS)
            slim(unfinished)
            furnish(unfinished)
            unfinished.rename(place)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            await disk.removed(unfinished)


def _copied_agent(agents: Path, sources: dict[str, bytes], python: str) -> Path:
    """Copy the agent to where the guests' user can read it, which a checkout need not be, and compile it for all."""
    folder = agents / _hash(*sources.values(), b"compiled")
    if not folder.exists():
        unfinished = Path(tempfile.mkdtemp(dir=agents))
        (unfinished / "guest").mkdir()
        for name, content in sources.items():
            (unfinished / "guest" / name).write_bytes(content)
        # the agent cannot keep what Python compiles, and would compile it at each boot
        words = [python, "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(unfinished)]
        subprocess.run(words, check=True, cwd="/")
        for path in (unfinished, *unfinished.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.suffix == ".sh" else 0o644)
        try:
            unfinished.rename(folder)
        finally:
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(unfinished)
    return folder


def _recipe() -> list[bytes]:
    """Read what decides how an image comes out."""
    files = ("agent/golden.py", "registry.py", "windows.py")
    return [*((Path(__file__).parent / name).read_bytes() for name in files), *(name.encode() for name in absent())]


def _hash(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
