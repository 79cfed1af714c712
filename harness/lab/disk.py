"""Disks and snapshots as folders.

They are copied and removed as the guests' user, so that nothing a guest planted in one is ever followed with more
rights than the guest had.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path

from harness.lab import registry
from harness.lab.agent import duplicate
from harness.lab.host import as_guest, guest_user, look_up

_DUPLICATE = Path(duplicate.__file__).read_text("utf-8")
_EDIT = (
    Path(registry.__file__).read_text("utf-8")
    + "\nimport json, sys\nedit(Path(sys.argv[1]), json.loads(sys.argv[2]))\n"
)


class DiskFailed(Exception):
    """A disk could not be copied or removed: the host's disk is full, or the folder is out of the guests' reach."""


def made_folder(folder: Path) -> Path:
    """Make a folder that belongs to the guests' user."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(folder, guest_user(), guest_user())
    folder.chmod(0o700)
    return folder


async def copied(source: Path, target: Path) -> None:
    """Copy a disk, whole or not at all; ``target`` must not exist. Raises DiskFailed."""
    unfinished = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        # the program itself is handed over, for the guests' user need not be able to read the checkout
        await _run(look_up().python, "-I", "-S", "-c", _DUPLICATE, str(source), str(unfinished))
        unfinished.rename(target)
    except BaseException:
        await removed(unfinished)
        raise


async def replaced(disk: Path, source: Path) -> Path:
    """Put a copy of ``source`` in a disk's place; return where the old one is now, to be removed in its own time."""
    fresh = beside(disk)
    await copied(source, fresh)
    return exchanged(disk, fresh)


def beside(disk: Path) -> Path:
    """Name a place of its own beside a disk."""
    return disk.with_name(f".{disk.name}.{uuid.uuid4().hex}")


def exchanged(disk: Path, fresh: Path) -> Path:
    """Put another disk in a disk's place, also while it is in use; return where the old one is now."""
    aside = beside(disk)
    disk.rename(aside)
    fresh.rename(disk)
    return aside


async def edited(disk: Path, settings: Mapping[str, Mapping[str, registry.Value]]) -> None:
    """Set values of a disk's registry while no Windows runs on it. Raises DiskFailed."""
    file = disk / "prefix" / "system.reg"
    await _run(look_up().python, "-I", "-S", "-c", _EDIT, str(file), json.dumps(settings))


async def removed(folder: Path) -> None:
    """Remove a disk; one that is not there is no matter. Raises DiskFailed."""
    if not folder.exists():
        return
    try:
        await _run("find", str(folder), "-mindepth", "1", "-delete")
    except DiskFailed:
        # a guest may have taken its own right to enter its folders
        await _run("find", str(folder), "-type", "d", "!", "-perm", "-700", "-exec", "chmod", "u+rwx", "{}", ";")
        await _run("find", str(folder), "-mindepth", "1", "-delete")
    folder.rmdir()


async def _run(*words: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        cwd="/",
        **as_guest(),
    )
    try:
        _, noise = await process.communicate()
    except BaseException:
        # who gives up the work must find nobody still at it
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise DiskFailed(noise.decode(errors="replace").strip() or f"{words[0]} ended with {process.returncode}")
