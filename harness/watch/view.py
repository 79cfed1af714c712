"""What a watcher sees of a run at one moment: plain values, the same for the terminal and for the browser."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.results.plan import Plan
from harness.results.result import Result, Verdict
from harness.results.running import At
from harness.results.text import clipped

LATEST = 8
LONGEST = 600  # characters of a reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """A cell that is being run: for how many seconds it, and its step."""

    worker: str
    machine: str
    cell: str
    step: str
    step_seconds: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A cell that has ended."""

    cell: str
    verdict: str
    machine: str
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine: how its cells ended, how long they took, and what it does now."""

    name: str
    ends: Mapping[str, int]
    seconds: float
    now: Now | None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A run at one moment.

    ``state`` is running, ended, "ended early" (cells are missing) or killed (its process is gone). ``eta`` is seconds
    to go, None where nothing is known to reckon with; ``eta_from`` says whose times it was reckoned with.
    """

    run: str
    matrix: str
    site: str
    is_lab: bool
    state: str
    elapsed: float
    planned: int
    done: int
    ends: Mapping[str, int]
    machines: Sequence[Machine]
    running: Sequence[Now]
    latest: Sequence[Ended]
    eta: float | None = None
    eta_from: str = ""
    notes: Sequence[str] = field(default=())


def running_now(where: Iterable[At], begun: Mapping[tuple[str, str], float], now: float) -> list[Now]:
    """Say what every worker does; ``begun`` is when each worker's cell was first seen."""
    return [
        Now(
            worker=at.worker,
            machine=at.machine,
            cell=at.cell,
            step=at.step,
            step_seconds=max(0.0, now - at.since),
            seconds=max(0.0, now - begun.get((at.worker, at.cell), at.since)),
        )
        for at in where
    ]


def machines(results: Iterable[Result], running: Iterable[Now]) -> list[Machine]:
    """Put the cells to their machines, those that were and those that are."""
    ends: dict[str, Counter[str]] = {}
    taken: Counter[str] = Counter()
    at_work = {now.machine: now for now in running if now.machine}
    for result in results:
        if result.machine:
            ends.setdefault(result.machine, Counter())[result.verdict.value] += 1
            taken[result.machine] += round(result.seconds)
    return [
        Machine(name=name, ends=dict(ends.get(name, {})), seconds=float(taken[name]), now=at_work.get(name))
        for name in sorted({*ends, *at_work})
    ]


def latest(results: Sequence[Result]) -> list[Ended]:
    """Name the cells that ended last, the last one first."""
    return [
        Ended(
            cell=result.cell,
            verdict="known issue" if result.known_issue else result.verdict.value,
            machine=result.machine,
            seconds=result.seconds,
            reason=clipped(result.reason.strip().split("\n", 1)[0], LONGEST),
        )
        for result in reversed(results[-LATEST:])
    ]


def to_go(
    plan: Plan | None, results: Mapping[str, Result], running: Sequence[Now], usual: Mapping[str, float]
) -> tuple[float | None, str]:
    """Reckon the seconds to go, from what cells usually take (``usual``) or else from what their like took here."""
    if plan is None:
        return None, ""
    like: dict[tuple[str, str], list[float]] = {}
    for result in results.values():
        if result.verdict not in (Verdict.SKIPPED, Verdict.NOT_RUN):
            like.setdefault((result.product, result.scenario), []).append(result.seconds)
    all_of_them = [seconds for of_one in like.values() for seconds in of_one]
    if not usual and not all_of_them:
        return None, ""
    any_cell = statistics.median(all_of_them or usual.values())
    been = {now.cell: now.seconds for now in running}
    left, longest, from_before, cells = 0.0, 0.0, 0, 0
    for cell in plan.cells:
        if cell.cell in results or cell.skip is not None:
            continue
        cells += 1
        from_before += cell.cell in usual
        here = like.get((cell.product, cell.scenario))
        expected = usual.get(cell.cell) or (statistics.median(here) if here else any_cell)
        rest = max(0.0, expected - been.get(cell.cell, 0.0))
        longest = max(longest, rest)
        left += rest
    return max(longest, left / max(1, len(running))), "earlier runs" if 2 * from_before > cells else "this run"
