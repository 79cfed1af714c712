"""A session of one account: Wine's server runs at the account's level, and commands run for it until it is left."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

from . import files, levels
from .clock import Clock
from .commandline import FOREIGN, asked, divided, expanded, inner_batch, is_simple, outer_batch
from .frames import read_frame, write_frame
from .jobs import Job
from .processes import busy, end_windows, everyone, signalled
from .transfers import Transfers

CONTROL_C_EXIT = -1073741510
UTF_8 = 65001
OEM = "cp437"
#: In full: for a bare name Wine would run start.exe around it.
CMD = r"C:\windows\system32\cmd.exe"
EXPLORER = r"C:\windows\system32\explorer.exe"
_LAB, _ANSWERS = 0, 1
#: Far more than a pipe holds: what a command has printed is read to its end, what a descendant goes on printing is not.
_LAST_READS = 32
#: Seconds that output is let gather before it is looked at, and at most until it is sent on: Windows' programs write it
#: line by line, and each line would wake this process, the lab and whoever reads. Of several questions in one command
#: line each would be answered by itself, for a third of what it costs to ask.
_GATHER, _GATHER_AT_MOST = 0.01, 0.1
#: Bytes that are sent on at the first look; a program waits when its pipe of 64 KiB is full.
_ENOUGH = 16 * 1024


class Session:
    """The guest as one account sees it; ``places`` are the sandbox's paths as the supervisor laid them out."""

    def __init__(
        self,
        account: str,
        level: str,
        places: dict[str, str],
        environment: dict[str, str],
        spared: set[int],
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock
        self.account = account
        self.spared = spared
        self.level = level
        self.places = places
        self.environment = {**environment, "USER": account, "LOGNAME": account}
        self.variables: dict[str, str] = {}
        self.programs: frozenset[str] = frozenset()
        self.jobs: dict[int, Job] = {}
        self.gathering: dict[int, tuple[float, float, Job]] = {}
        self.transfers = Transfers(self.drive, places["screen"])
        self.selector = selectors.DefaultSelector()
        self.standing: list[subprocess.Popen[bytes]] = []
        self.held_by = "landlock"

    @property
    def drive(self) -> str:
        """The sandbox's path of C:."""
        return self.places["drive"]

    def begin(self) -> dict[str, Any]:
        """Bring Windows up for the account; return what the lab may want to know. Raises OSError or TimeoutExpired."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self.places['prefix']}/user.reg")
        os.symlink(f"../accounts/{self.account}.reg", f"{self.places['prefix']}/user.reg")
        # names the socket folder of the server that ran last, perhaps another copy's
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self.places['prefix']}/wineserver")
        if self.level == "standard":
            version = levels.landlock_version()
            if version:
                levels.restrict(self.drive, self.account, version)
            else:
                self.held_by = "file modes"
                levels.close_modes(self.drive, self.account)
        self._wine([self.places["wineserver"], "-p"])
        self.look_at_variables()
        self.programs = frozenset(name.lower() for name in os.listdir(f"{self.drive}/windows/system32"))
        self.await_screen()
        return {"held_by": self.held_by if self.level == "standard" else None, "variables": self.variables}

    def await_screen(self) -> None:
        """Wait until the X server, which starts at the same time as Windows, takes connections."""
        deadline = time.monotonic() + 20
        while not os.path.exists(self.places["display_socket"]):
            if time.monotonic() > deadline:
                raise OSError("the X server did not start")
            time.sleep(0.002)

    def look_at_variables(self) -> None:
        """Ask Windows which variables are set for the account."""
        listing = self._wine([self.places["wine"], CMD, "/d", "/c", "set"])
        pairs = (line.partition("=") for line in listing.splitlines())
        self.variables = {name.upper(): value for name, _, value in pairs if name not in FOREIGN}

    def _wine(self, words: list[str]) -> str:
        # the first program starts services that keep its pipes open, so its output goes to a file
        path = f"{self.places['jobs']}/begin"
        with open(path, "wb") as out:
            subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.DEVNULL,
                env=self.environment,
                cwd=self.home,
                timeout=60,
                check=True,
            )
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()

    @property
    def home(self) -> str:
        """The account's profile folder."""
        return f"{self.drive}/users/{self.account}"

    def serve(self) -> int | None:
        """Do what the lab asks until it asks to leave; return that request's number, None when the lab has gone."""
        wake, waker = os.pipe()
        for fd in (wake, waker):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        self.selector.register(_LAB, selectors.EVENT_READ, None)
        self.selector.register(wake, selectors.EVENT_READ, None)
        doings: dict[str, Callable[[dict[str, Any], bytes], dict[str, Any] | None]] = {
            "start": self.start,
            "write": self.write,
            "thank": self.thank,
            "signal": self.signal,
            "put": self.transfers.put,
            "folder": self.transfers.folder,
            "part": self.transfers.part,
            "kept": self.transfers.kept,
            "get": self.transfers.get,
            "screen": self.transfers.screen,
            "desktop": self.desktop,
            "busy": self.busy,
            "freeze": self.freeze,
            "thaw": self.thaw,
        }
        while True:
            for key, events in self.selector.select(self.until_gathered()):
                if key.fd == _LAB:
                    frame = read_frame(_LAB)
                    if frame is None:
                        return None
                    header, body = frame
                    if header["op"] == "leave":
                        return int(header["id"])
                    self.answer(header, body, doings[header["op"]])
                elif key.fd == wake:
                    with contextlib.suppress(BlockingIOError):
                        os.read(wake, 4096)
                    self.reap()
                elif isinstance(key.data, Job) and key.data.number in self.jobs:
                    if events & selectors.EVENT_WRITE:
                        self.write_on(key.data)
                    if events & selectors.EVENT_READ:
                        self.selector.unregister(key.fd)
                        now = time.monotonic()
                        self.gathering[key.fd] = (now + _GATHER, now + _GATHER_AT_MOST, key.data)
            self.send_gathered(time.monotonic())

    def send_gathered(self, now: float) -> None:
        """Send on what is enough, or old enough; look at the rest again in a while."""
        for fd, (due, last, job) in list(self.gathering.items()):
            if due > now:
                continue
            if now < last and job.holds(fd) < _ENOUGH:
                self.gathering[fd] = (now + _GATHER, last, job)
            else:
                del self.gathering[fd]
                self.pump(job, fd)

    def until_gathered(self) -> float | None:
        """Tell the seconds until output is to be looked at; None when there is none."""
        if not self.gathering:
            return None
        return max(0.0, min(due for due, _, _ in self.gathering.values()) - time.monotonic())

    def answer(
        self, header: dict[str, Any], body: bytes, do: Callable[[dict[str, Any], bytes], dict[str, Any] | None]
    ) -> None:
        """Do one request and send its answer, or the name of what went wrong."""
        try:
            words = do(header, body)
        except files.FileRefused as error:
            words = {"error": error.kind, "words": str(error)}
        except OSError as error:
            words = {"error": "failed", "words": str(error)}
        if words is not None and "id" in header:
            write_frame(_ANSWERS, {**words, "id": header["id"]})

    def start(self, header: dict[str, Any], _: bytes) -> dict[str, Any]:
        """Start a command line in cmd.exe."""
        number, line = int(header["job"]), header["line"]
        if self.clock is not None and self.level == "administrator":
            line = self.clock.set_by(line)
        wanted = {name: expanded(value, self.variables) for name, value in header["environment"].items()}
        through, settings = divided(wanted)
        known = {*self.variables, *(name.upper() for name in header["environment"])}
        if asked(line) - known:
            # perhaps set since by an installer; rare enough to pay for a look
            self.look_at_variables()
            known |= self.variables.keys()
        jobs, code = self.places["jobs"], f"{number}.code"
        simple = is_simple(line, self.programs)
        content = inner_batch(line, settings, known, f"b:\\{code}" if simple else None)
        # cmd.exe reads a batch file in the OEM code page; what has no place in that one is still carried, in UTF-8
        encoding = "utf-8" if header["codepage"] == UTF_8 or not _fits(content) else OEM
        batch = self.written(f"{number}.bat", content, encoding)
        if not simple:
            batch = self.written(f"{number}o.bat", outer_batch(batch, f"b:\\{code}"), OEM)
        folder = expanded(header["directory"] or "", self.variables)
        directory = files.unix_folder(self.drive, folder) if folder else self.home
        environment = {**self.environment, **through}
        if encoding == "utf-8":
            environment["LC_CTYPE"] = self.places["utf8_locale"]
        job = Job(
            number,
            [self.places["wine"], CMD, "/d", "/c", batch],
            environment,
            directory,
            f"{jobs}/{code}",
        )
        self.jobs[number] = job
        for fd in job.outputs:
            self.selector.register(fd, selectors.EVENT_READ, job)
        return {} if self.clock is None else {"ahead": self.clock.ahead}

    def written(self, name: str, content: str, encoding: str) -> str:
        """Write a batch file; return its Windows path."""
        with open(f"{self.places['jobs']}/{name}", "w", encoding=encoding, errors="replace", newline="") as file:
            file.write(content)
        return f"b:\\{name}"

    def pump(self, job: Job, fd: int) -> None:
        """Send on what an output holds, unless the reader is too far behind."""
        content = job.read(fd)
        if content:
            write_frame(_ANSWERS, {"job": job.number, "stream": job.outputs[fd]}, content)
        if content != b"":
            self.selector.register(fd, selectors.EVENT_READ, job)
        if not job.may_send:
            self.hold(job)

    def hold(self, job: Job) -> None:
        """Stop reading a command's outputs."""
        for fd in job.outputs:
            self.gathering.pop(fd, None)
            with contextlib.suppress(KeyError):
                self.selector.unregister(fd)

    def thank(self, header: dict[str, Any], _: bytes) -> None:
        """Take the reader's thanks for what it has read, and read on."""
        job = self.jobs.get(header["job"])
        if job is None:
            return
        held = not job.may_send
        job.ahead -= int(header["bytes"])
        if held and job.may_send:
            for fd in job.outputs:
                with contextlib.suppress(KeyError, ValueError):
                    self.selector.register(fd, selectors.EVENT_READ, job)

    def reap(self) -> None:
        """Send the exit codes of the commands that have ended, after the last of their output."""
        for job in list(self.jobs.values()):
            if job.process.poll() is None:
                continue
            for fd, stream in job.outputs.items():
                # what a descendant that lives on may still print is nobody's: its pipes are closed below
                for _ in range(_LAST_READS):
                    content = job.read(fd)
                    if not content:
                        break
                    write_frame(_ANSWERS, {"job": job.number, "stream": stream}, content)
            self.hold(job)
            with contextlib.suppress(KeyError, ValueError):
                self.selector.unregister(job.stdin)
            for request, _, _ in job.unwritten:
                write_frame(_ANSWERS, {"id": request})
            job.close()
            del self.jobs[job.number]
            write_frame(_ANSWERS, {"job": job.number, "exit": job.exit_code()})
            for name in (f"{job.number}.bat", f"{job.number}o.bat", f"{job.number}.code"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(f"{self.places['jobs']}/{name}")

    def write(self, header: dict[str, Any], body: bytes) -> dict[str, Any] | None:
        """Queue input for a command; the answer comes when the command has taken it."""
        job = self.jobs.get(header["job"])
        if job is None:
            return {}
        if not job.unwritten and job.process.stdin is not None and not job.process.stdin.closed:
            self.selector.register(job.stdin, selectors.EVENT_WRITE, job)
        elif not job.unwritten:
            return {}
        job.unwritten.append((int(header["id"]), memoryview(body), bool(header["end"])))
        return None

    def write_on(self, job: Job) -> None:
        """Give a command the input it takes now."""
        fd = job.stdin
        for request in job.write_on():
            write_frame(_ANSWERS, {"id": request})
        if not job.unwritten:
            with contextlib.suppress(KeyError, ValueError):
                self.selector.unregister(fd)

    def signal(self, header: dict[str, Any], _: bytes) -> dict[str, Any]:
        """End a command with all its descendants."""
        job = self.jobs.get(header["job"])
        if job is not None:
            job.end(1 if header["name"] == "terminate" else CONTROL_C_EXIT)
        return {}

    def desktop(self, _: dict[str, Any], __: bytes) -> dict[str, Any]:
        """Start the desktop, as Wine itself does with the first program that may show a window, which waits for it.

        Wine ends it a second after the last such program: one that waits for input for ever keeps it. On Windows, too,
        somebody is always there.
        """
        nowhere = subprocess.DEVNULL
        for words in ([CMD, "/d"], [EXPLORER, "/desktop"]):
            self.standing.append(
                subprocess.Popen(
                    [self.places["wine"], *words],
                    stdin=subprocess.PIPE,
                    stdout=nowhere,
                    stderr=nowhere,
                    env=self.environment,
                    cwd=self.home,
                )
            )
        return {}

    def busy(self, _: dict[str, Any], __: bytes) -> dict[str, Any]:
        """Tell whether any program is at work."""
        return {"busy": busy()}

    def freeze(self, _: dict[str, Any], __: bytes) -> dict[str, Any]:
        """Hold every program still, so that the disk can be copied."""
        signalled(everyone() - self.spared, signal.SIGSTOP)
        return {}

    def thaw(self, _: dict[str, Any], __: bytes) -> dict[str, Any]:
        """Let every program go on."""
        signalled(everyone() - self.spared, signal.SIGCONT)
        return {}

    def end(self) -> None:
        """End Windows in order, and take nothing from the next account."""
        end_windows(self.spared)
        if self.held_by != "landlock":
            levels.open_modes(self.drive)


def _fits(text: str) -> bool:
    try:
        text.encode(OEM)
    except UnicodeEncodeError:
        return False
    return True
