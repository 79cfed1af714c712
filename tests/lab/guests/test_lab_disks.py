"""Disks: a copy that is given up leaves neither itself nor anybody who goes on with it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from harness.lab import disk, host

pytestmark = pytest.mark.skipif(bool(host.missing()), reason="; ".join(host.missing()))


def test_a_copy_that_is_given_up_leaves_nothing() -> None:
    """Cancelled at any moment, it ends its program first and then removes what was copied so far."""
    place = disk.made_folder(host.lab_home() / "labs" / f"test-disks-{os.getpid()}")

    async def scene() -> None:
        source = disk.made_folder(place / "source")
        for number in range(3000):
            (source / str(number)).write_bytes(b"x" * 100)
        for tenth in range(1, 8):
            copying = asyncio.create_task(disk.copied(source, place / "copy"))
            await asyncio.sleep(tenth / 50)
            copying.cancel()
            await asyncio.gather(copying, return_exceptions=True)
            if copying.cancelled():
                assert [path.name for path in Path(place).iterdir()] == ["source"]
            else:
                await disk.removed(place / "copy")
        await disk.removed(place)

    asyncio.run(scene())
