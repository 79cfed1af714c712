"""How long a machine takes from its snapshot to a guest that answers, and what a guest costs on disk."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure
from bench.lab import serving_lab
from harness.guest.guest import Guest
from harness.machines.vcenter import connected

REVERTS = 15


def figures() -> Iterator[Figure]:
    """Revert one machine again and again; then look at what its disk holds."""
    with serving_lab() as site, connected(site) as vcenter:
        entry = site.machines[0]
        machine = vcenter.machine(entry)
        seconds = []
        for _ in range(REVERTS + 1):
            started = time.perf_counter()
            machine.revert()
            with Guest.of(site, entry) as guest:
                guest.wait_until_ready()
                seconds.append(time.perf_counter() - started)
        yield Figure(
            "snapshot revert to ready, median", statistics.median(seconds[1:]), "s", at_most=0.6, spread=seconds[1:]
        )
        yield Figure("a guest's extra disk", _bytes_below(_disk(site.winrm.ca_file)) / 1e6, "MB", at_most=100)


def _disk(ca_file: Path | None) -> Path:
    """Find where the lab keeps the disk of its one guest that was powered on."""
    assert ca_file is not None  # the lab signs its own certificates
    return ca_file.parent / "guests"


def _bytes_below(folder: Path) -> int:
    """Count what is allocated below a folder, a file with several names once."""
    seen: dict[tuple[int, int], int] = {}
    for file in folder.rglob("*"):
        found = file.lstat()
        seen[(found.st_dev, found.st_ino)] = found.st_blocks * 512
    return sum(seen.values())
