"""What it costs to take a guest's state twice and to tell the difference, on a disk with many files.

A cell looks twice: in the middle of its scenario, where what the end shows as well is not asked for, and at the end.
The clean guest's state is known before, once for each snapshot. Beside it, two whole states.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure
from bench.lab import serving_lab
from harness.guest.guest import Guest
from harness.guest.state import EVERYTHING, changes
from harness.machines.vcenter import connected

FEW, MANY = 2_000, 200_000
_IN_A_FOLDER = 200


def figures() -> Iterator[Figure]:
    """Put files on the disk of one guest, then take its state twice, as a cell does and whole."""
    with serving_lab() as site, connected(site) as vcenter:
        entry = site.machines[0]
        vcenter.machine(entry).revert()
        with Guest.of(site, entry) as guest:
            guest.wait_until_ready()
            guest.state()  # the first one of a guest warms its caches up, whatever is on the disk
            assert site.winrm.ca_file is not None  # the lab signs its own certificates
            drive = site.winrm.ca_file.parent / "guests" / entry.path.rpartition("/")[2] / "disk" / "c"
            for count, at_most in ((FEW, 1.5), (MANY, None)):
                _fill(drive / "ProgramData" / f"Many {count}", count)
                clean = guest.state()
                for what, scopes, limit in (
                    ("a cell's two looks", (EVERYTHING.in_between, EVERYTHING), at_most),
                    ("two whole states", (EVERYTHING, EVERYTHING), None),
                ):
                    started = time.perf_counter()
                    last = clean
                    for scope in scopes:
                        now = guest.state(scope)
                        found = (*changes(clean, now), *changes(last, now))
                        assert found == (), found[:3]
                        last = now
                    seconds = time.perf_counter() - started
                    yield Figure(f"{what} and differences, {count} extra files", seconds, "s", at_most=limit)


def _fill(folder: Path, count: int) -> None:
    """Make small files, some in each folder, which belong to whom the disk belongs to."""
    owner = folder.parent.stat()
    for number in range(0, count, _IN_A_FOLDER):
        below = folder / f"{number // _IN_A_FOLDER:04}"
        below.mkdir(parents=True)
        for name in range(_IN_A_FOLDER):
            (below / f"file {name}.txt").write_bytes(b"x" * name)
        os.chown(below, owner.st_uid, owner.st_gid)
    os.chown(folder, owner.st_uid, owner.st_gid)
