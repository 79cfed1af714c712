"""A cell of its own for each guest: bubblewrap around Wine, as an ordinary user, with nothing of the host but ``/usr``.

The guest has its own processes, no network, no file and no environment variable of the controller; ending the
sandbox's first process ends every process in it, and so does the end of the thread that started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path
from typing import IO

from harness.lab.host import Host, as_guest

#: The sandbox's paths, as the agent is told them.
PLACES = {
    "prefix": "/disk/prefix",
    "drive": "/disk/c",
    "accounts": "/disk/accounts",
    "jobs": "/tmp/jobs",  # noqa: S108 - the sandbox's own /tmp
    "home": "/tmp/home",  # noqa: S108
    "locales": "/tmp/locales",  # noqa: S108
    "screen_folder": "/tmp/screen",  # noqa: S108
    "display_socket": "/tmp/.X11-unix/X0",  # noqa: S108
    "screen": "/tmp/screen/Xvfb_screen0",  # noqa: S108
    # Hindi has no Windows code page of its own, so Wine takes UTF-8
    "utf8_locale": "hi_IN.UTF-8",
}
#: Fontconfig reads every file here in each program that may show a window, only to be able to name them, which is a
#: fifth of what it costs to start cmd.exe.
_FONT_TEMPLATES = Path("/usr/share/fontconfig/conf.avail")
#: How much a guest gives way; 10 of 19 leaves it a tenth of what the lab may have, when both want it.
_NICE = 10
#: Beside /usr, what programs there need to find their libraries and fonts.
_BESIDES = ("/etc/fonts", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/opt")


def command(host: Host, *, disk: Path, agent: Path, hostname: str, module: str, places: dict[str, object]) -> list[str]:
    """Lay out bubblewrap's command line for one of the agent's modules."""
    words = [host.bwrap, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    words += ["--hostname", hostname, "--ro-bind", "/usr", "/usr"]
    for name in ("lib", "lib64", "bin", "sbin"):
        root = Path("/", name)
        if root.is_symlink():
            words += ["--symlink", str(root.readlink()), str(root)]
        elif root.is_dir():
            words += ["--ro-bind", str(root), str(root)]
    for path in _BESIDES:
        words += ["--ro-bind-try", path, path]
    if _FONT_TEMPLATES.is_dir():
        words += ["--tmpfs", str(_FONT_TEMPLATES)]
    words += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]  # noqa: S108
    words += ["--bind", str(disk), "/disk", "--ro-bind", str(agent), "/agent", "--chdir", "/"]
    for number, folder in enumerate(host.wine_files):
        words += ["--symlink", folder, f"/wine{number}"]  # what the files of an image link to
    words += [*_without_32_bit(host, agent), "--remount-ro", "/"]
    found = {
        "wine": host.wine,
        "wineserver": host.wineserver,
        "wine_files": host.wine_files,
        "xvfb": host.xvfb,
        "c_locale": host.c_locale,
    }
    begin = f"import sys; sys.path.insert(0, '/agent'); from guest.{module} import main; main()"
    return [*words, host.python, "-I", "-S", "-B", "-c", begin, json.dumps({**PLACES, **found, **places})]


def _without_32_bit(host: Host, agent: Path) -> list[str]:
    """Lay out a folder of Wine's programs in which a 32-bit program finds a plain refusal where its loader would be."""
    folder = Path(host.wine).parent
    if host.runs_32_bit or folder.name != "wine" or (folder / "wine").exists():
        return []
    words = ["--tmpfs", str(folder)]
    for entry in sorted(folder.iterdir()):
        words += ["--ro-bind", str(entry), str(entry)]
    return [*words, "--ro-bind", str(agent / "guest" / "refuse32.sh"), str(folder / "wine")]


class Sandbox:
    """A running sandbox; ``stdin`` and ``stdout`` are the pipe to the agent in it."""

    def __init__(self, process: asyncio.subprocess.Process, first: int) -> None:
        assert process.stdin is not None  # noqa: S101 - PIPE was asked for
        assert process.stdout is not None  # noqa: S101
        self.process = process
        self.stdin = process.stdin
        self.stdout = process.stdout
        self._first = first

    @classmethod
    async def started(cls, words: list[str], log: IO[bytes]) -> Sandbox:
        """Start bubblewrap; call it in the main thread, with whose end the sandbox ends."""
        out, told = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                words[0],
                "--info-fd",
                str(told),
                *words[1:],
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                pass_fds=[told],
                start_new_session=True,
                cwd="/",
                **as_guest(),
            )
        finally:
            os.close(told)
        try:
            first = await asyncio.get_running_loop().run_in_executor(None, _first_process, out)
        finally:
            os.close(out)
        _give_way(first or process.pid)
        return cls(process, first)

    async def kill(self) -> None:
        """End every process of the sandbox at once; returns when none is left."""
        with contextlib.suppress(ProcessLookupError):
            # not bubblewrap itself: only the sandbox's first process is waited for until all the others are gone
            os.kill(self._first or self.process.pid, signal.SIGKILL)
        await self.process.wait()

    async def ended(self) -> int:
        """Wait until nothing runs in it any more; return bubblewrap's exit code."""
        return await self.process.wait()


def _give_way(pid: int) -> None:
    """Let a guest wait for the lab's own process, which answers for all of them.

    Linux gives each session the same share, so that of 64 guests that boot at once each had as much as the lab.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, _NICE)
    with contextlib.suppress(OSError):  # where the kernel does not share by sessions, there is no such file
        Path(f"/proc/{pid}/autogroup").write_text(str(_NICE), "ascii")


def _first_process(info: int) -> int:
    """Read from bubblewrap's note which process is the sandbox's first; 0 when it could not start one."""
    text = b""
    while not text.rstrip().endswith(b"}") and (part := os.read(info, 4096)):
        text += part
    try:
        return int(json.loads(text)["child-pid"])
    except (ValueError, KeyError):
        return 0
