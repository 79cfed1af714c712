"""Leases: one machine belongs to one cell at a time, across every process of one user on this host."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from harness.builds import Build
from harness.errors import NoMachine
from harness.machines.waits import AllHeld, until_a_machine_is_free
from harness.site import Site, SiteMachine


def leases_folder() -> Path:
    """Where this user's leases are, one place for every checkout; machines used from several hosts need more."""
    state = os.environ.get("XDG_STATE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(state) if state else Path.home() / ".local" / "state") / "pytest-wincompat" / "leases"


@contextmanager
def leased(
    site: Site,
    build: Build,
    *,
    holder: str,
    folder: Path | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[SiteMachine]:
    """Hold one machine of this build alone until the block ends; of several free ones, the one unused for longest.

    ``holder`` says who holds it, to those who wait. The lock is the operating system's and dies with its process.
    Raises NoMachine at once when the site has none of this build, and after ``site.budgets.lease`` seconds when
    none came free, naming who holds them.
    """
    folder = folder or leases_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NoMachine(
            f"leases cannot be kept in {folder}: {error.strerror}",
            machine=f"build {build}",
            advice="set XDG_STATE_HOME to a folder that you may write to",
        ) from error
    claims = [_Claim(site, entry, folder) for entry in _serving(site, build)]
    claim = _first_free(claims, _queue(site, build, folder), site.budgets.lease, build, sleep)
    try:
        claim.sign(holder)
        yield claim.entry
    finally:
        claim.give_back()


def _serving(site: Site, build: Build) -> list[SiteMachine]:
    # an entry without a revision may carry any: the guest is asked what it is before anything is judged
    fits = [
        entry
        for entry in site.machines
        if entry.windows.number == build.number
        and (not build.revision or entry.windows.revision in (0, build.revision))
    ]
    if not fits:
        has = ", ".join(str(known) for known in sorted({entry.windows for entry in site.machines}))
        raise NoMachine(
            f"no machine of site {site.name!r} carries it",
            machine=f"build {build}",
            advice=f"the site has {has}; add a [[machines]] entry or leave the build out",
        )
    return fits


class _Claim:
    """The lock of one machine, and beside it a note of who holds it or held it last."""

    def __init__(self, site: Site, entry: SiteMachine, folder: Path) -> None:
        self.entry = entry
        name = _file_name(f"{site.vcenter.host.lower()}:{site.vcenter.port}/{entry.path.strip('/')}")
        self._note = folder / f"{name}.holder"
        # not bound to a thread: fixtures may be torn down in another one than they were set up in
        self._lock = FileLock(folder / f"{name}.lock", thread_local=False)

    def taken(self) -> bool:
        return _taken(self._lock)

    def sign(self, holder: str) -> None:
        now = datetime.now().astimezone()
        self._note.write_text(f"{holder} since {now:%H:%M:%S} (process {os.getpid()})", "utf-8")

    def give_back(self) -> None:
        if self._note.exists():
            os.utime(self._note)  # the time of last use
        self._lock.release()

    def last_used(self) -> float:
        return self._note.stat().st_mtime if self._note.exists() else 0.0

    def told(self) -> str:
        return f"{self.entry.path} by {self._note.read_text('utf-8') if self._note.exists() else 'someone'}"


def _first_free(
    claims: Sequence[_Claim], queue: FileLock, within: float, build: Build, sleep: Callable[[float], None]
) -> _Claim:
    def attempt() -> _Claim:
        # whoever stands at the head of the queue has the first choice: one who gives a machine back and at once
        # wants the next one lines up behind those that waited
        if queue.is_locked or _taken(queue):
            for claim in sorted(claims, key=_Claim.last_used):
                if claim.taken():
                    return claim
        raise AllHeld

    try:
        return until_a_machine_is_free(within, sleep=sleep)(attempt)
    except AllHeld:
        raise NoMachine(
            f"no machine came free in {within:g} s: {'; '.join(claim.told() for claim in claims)}",
            machine=f"build {build}",
            advice="wait for them, add machines to the site, or raise budgets.lease",
        ) from None
    finally:
        queue.release()


def _queue(site: Site, build: Build, folder: Path) -> FileLock:
    name = _file_name(f"{site.vcenter.host.lower()}:{site.vcenter.port}/queue/{build.number}")
    return FileLock(folder / f"{name}.lock", thread_local=False)


def _taken(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True


def _file_name(key: str) -> str:
    readable = re.sub(r"[^A-Za-z0-9.-]+", "-", key)[-60:]
    return f"{readable}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
