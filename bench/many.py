"""Many machines on one controller: all reverted and made ready at once, in threads of one process over one log-in."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from bench.figures import Figure
from bench.lab import serving_lab
from bench.waits import by_events
from harness.machines.vcenter import connected
from harness.site import SiteMachine

MACHINES = 64
BUILDS = ("19044", "22000", "22631")


def figures() -> Iterator[Figure]:
    """Use real guests: each boots a Wine of its own, which costs about half a second of a processor."""
    each = -(-MACHINES // len(BUILDS))
    words = [word for build in BUILDS for word in ("--build", build)]
    with serving_lab(*words, "--machines", str(each)) as site, connected(site) as vcenter:
        entries = site.machines[:MACHINES]
        before, quiet = vcenter.calls, _memory()

        def one(entry: SiteMachine) -> float:
            started = time.monotonic()
            by_events(vcenter, entry, within=600)
            return time.monotonic() - started

        started = time.monotonic()
        with ThreadPoolExecutor(MACHINES) as pool:
            seconds = list(pool.map(one, entries))
        took = time.monotonic() - started
        calls = (vcenter.calls - before).total()
        name = f"{MACHINES} machines at once"
        yield Figure(f"{name}, all ready", took, "s", at_most=120, spread=seconds)
        yield Figure(f"{name}, the median one", statistics.median(seconds), "s")
        yield Figure(f"{name}, SOAP calls", calls / MACHINES, "a machine", at_most=14)
        yield Figure(f"{name}, log-ins", vcenter.calls["Login"], "", at_most=1)
        yield Figure(f"{name}, controller's memory", _memory(), "MB", at_most=300)
        yield Figure(f"{name}, of that for them", _memory() - quiet, "MB")


def _memory() -> float:
    """Give the largest amount of memory that this process has had, in MB; Linux counts in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
