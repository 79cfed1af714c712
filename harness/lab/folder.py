"""A lab's folder: where its site file, secrets and log are, who holds it, and how to talk to the lab inside."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode


class LabIsUp(Exception):
    """Another process runs a lab in this folder."""


class LabIsDown(Exception):
    """No lab answers from this folder."""


class _Knock(http.client.HTTPConnection):
    """HTTP over a lab's Unix socket."""

    def __init__(self, folder: LabFolder, patience: float) -> None:
        super().__init__("lab", timeout=patience)
        self._folder = folder

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        with self._folder.short_control() as place:
            self.sock.connect(place)


@dataclass(frozen=True, slots=True)
class LabFolder:
    """``<home>/labs/<name>``; the lab that runs in it holds its lock, which the kernel lets go however the lab ends."""

    home: Path
    name: str

    @property
    def path(self) -> Path:
        """The folder."""
        return self.home / "labs" / self.name

    @property
    def site_file(self) -> Path:
        """The site file, written when the lab is ready."""
        return self.path / "site.toml"

    @property
    def secrets(self) -> Path:
        """Passwords and the certificate's key; nobody but the owner may enter."""
        return self.path / "secrets"

    @property
    def guests(self) -> Path:
        """The guests' disks."""
        return self.path / "guests"

    @property
    def log(self) -> Path:
        """What the lab has to say."""
        return self.path / "lab.log"

    @property
    def audit(self) -> Path:
        """Who touched what, a line of JSON each; see ``harness.lab.audit``."""
        return self.path / "audit.jsonl"

    @property
    def control(self) -> Path:
        """The Unix socket over which the lab is asked and stopped."""
        return self.path / "control"

    @contextlib.contextmanager
    def short_control(self) -> Iterator[str]:
        """Name the socket in few bytes, for the kernel takes 107 and a home may be deeper than that."""
        folder = os.open(self.path, os.O_RDONLY)
        try:
            yield f"/proc/self/fd/{folder}/{self.control.name}"
        finally:
            os.close(folder)

    @contextlib.contextmanager
    def held(self, *, passing: bool = False) -> Iterator[None]:
        """Hold the folder until this process ends, emptied of what a lab that died left in it.

        Afterwards only the log and the audit are left, and nothing at all of a ``passing`` lab. Raises LabIsUp while
        another holds it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        if _locked(self.path) is None:
            raise LabIsUp(f"the lab {self.name!r} is up already")
        try:
            self._empty()
            self.secrets.mkdir(mode=0o700)
            yield
        finally:
            self._empty(keep_log=not passing)
            if passing:
                self.path.rmdir()
            # the lock stays: only when the kernel takes it is the process really gone

    def discard(self) -> None:
        """Remove the folder, log and all, unless a lab holds it."""
        if self.path.is_dir() and (lock := _locked(self.path)) is not None:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(lock)

    def _empty(self, *, keep_log: bool = False) -> None:
        for entry in list(self.path.iterdir()):
            if keep_log and entry in (self.log, self.audit):
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)

    def ask(self, verb: str, what: str, *, patience: float = 30.0, **query: str) -> bytes:
        """Ask the lab inside; raises LabIsDown when none answers and RuntimeError with its words when it refuses."""
        connection = _Knock(self, patience)
        try:
            connection.request(verb, f"/{what}?{urlencode(query)}")
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise LabIsDown(f"no lab {self.name!r} is up") from error
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(content.decode("utf-8", "replace"))
        return content

    def status(self) -> dict[str, Any]:
        """Ask the lab about itself and its machines; raises LabIsDown."""
        told: dict[str, Any] = json.loads(self.ask("GET", "status"))
        return told

    def is_held(self) -> bool:
        """Tell whether a process holds the folder, be it still starting or already stopping."""
        if not self.path.is_dir():
            return False
        lock = _locked(self.path)
        if lock is not None:
            os.close(lock)
        return lock is None


def _locked(folder: Path) -> int | None:
    import fcntl  # not on Windows, where commands that say so must still be importable

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def clear_dead(home: Path) -> None:
    """Remove the folders of passing labs (``serve-...``) whose process died without cleaning up."""
    for path in (home / "labs").glob("serve-*"):
        LabFolder(home, path.name).discard()
