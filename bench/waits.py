"""How late each way of waiting hears that a machine is ready, and what it asks the vCenter for that."""

from __future__ import annotations

import multiprocessing
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bench.peers import PEERS
from harness.guest.guest import Guest
from harness.machines.vcenter import VCenter, connected
from harness.site import SiteMachine, read_site

MACHINES = 20
OURS = "this layer"
WAYS = (OURS, *(peer.name for peer in PEERS))


@dataclass(frozen=True, slots=True)
class Run:
    """One machine from its snapshot to what somebody took for readiness; ``ended`` is by the monotonic clock."""

    machine: str
    seconds: float
    ended: float


def figures() -> Iterator[Figure]:
    """Let every way bring machines from their snapshot to readiness, all at the same time and with the same times."""
    names = [f"way{number}-{machine}" for number in range(len(WAYS)) for machine in range(MACHINES)]
    with standing_in(names) as (site_file, moments), _processes(len(WAYS)) as pool:
        # each in a process of its own, as workers are: otherwise one way's polls would delay another's wake-up
        measured = pool.map(_measure, range(len(WAYS)), [site_file] * len(WAYS))
        for name, (runs, calls) in zip(WAYS, measured, strict=True):
            seconds = [run.seconds for run in runs]
            late = [max(0.0, run.ended - _true(moments, run.machine)) for run in runs]
            yield from _told(name, seconds, late, calls / len(runs))


def _told(name: str, seconds: list[float], late: list[float], calls: float) -> Iterator[Figure]:
    ours = name == OURS
    yield Figure(f"{name}: SOAP calls", calls, "a machine", at_most=14 if ours else None)
    yield Figure(f"{name}: revert to ready, median", statistics.median(seconds), "s", spread=seconds)
    yield Figure(f"{name}: late, median", 1e3 * statistics.median(late), "ms")
    yield Figure(f"{name}: late, 95 of 100", 1e3 * p95(late), "ms", at_most=100 if ours else None)


def p95(values: list[float]) -> float:
    """Give the value that 95 of 100 do not exceed."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def _processes(number: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(number, mp_context=multiprocessing.get_context("spawn"))


def by_events(vcenter: VCenter, entry: SiteMachine, *, within: float = 120) -> None:
    """Revert and wait as a cell does."""
    vcenter.machine(entry).revert()
    with Guest.of(vcenter.site, entry) as guest:
        guest.wait_until_ready(within, reverted=True)


def _by(peer: Any) -> Callable[[VCenter, SiteMachine], None]:
    def work(vcenter: VCenter, entry: SiteMachine) -> None:
        machine = vcenter.machine(entry)
        vm = machine._vm
        peer.task(vm.snapshot.rootSnapshotList[0].snapshot.RevertToSnapshot_Task())
        peer.task(vm.PowerOnVM_Task())
        peer.ready(vm, entry.address, 5986)

    return work


def _measure(number: int, site_file: Path) -> tuple[list[Run], int]:
    site = read_site(site_file)
    work = [by_events, *(_by(peer) for peer in PEERS)][number]
    entries = site.machines[number * MACHINES : (number + 1) * MACHINES]
    with connected(site) as vcenter, ThreadPoolExecutor(len(entries)) as pool:

        def one(entry: SiteMachine) -> Run:
            started = time.monotonic()
            work(vcenter, entry)
            ended = time.monotonic()
            return Run(entry.path.rpartition("/")[2], ended - started, ended)

        before = vcenter.calls.total()
        return list(pool.map(one, entries)), vcenter.calls.total() - before


def _true(moments: Mapping[str, float], name: str) -> float:
    """Wait for the news of true readiness, which may take a moment longer than the readiness itself."""
    for _ in range(1000):
        if name in moments:
            return moments[name]
        time.sleep(0.01)
    raise TimeoutError(f"{name} was never ready, and somebody thought so")


@contextmanager
def standing_in(names: list[str]) -> Iterator[tuple[Path, Mapping[str, float]]]:
    """Serve machines that tell when they are ready; ended whatever happens."""
    moments: dict[str, float] = {}
    command = [sys.executable, "-m", "bench.standin", *names]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            word, _, path = process.stdout.readline().strip().partition(" ")
            assert word == "site", word

            def listen() -> None:
                assert process.stdout is not None
                for line in process.stdout:
                    _, name, moment = line.split()
                    moments[name] = float(moment)

            threading.Thread(target=listen, daemon=True).start()
            yield Path(path), moments
        finally:
            process.stdin.close()
            process.wait(timeout=30)
