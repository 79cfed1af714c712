"""What the gate judges: each planned cell with what is known of it, and the facts of the run, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from harness.builds import Build
from harness.results.plan import Plan, PlannedCell
from harness.results.result import Fault, Result, Step, Verdict

# of two results of one cell the worse counts; what is below zero is no evidence of anything
_RANKS = {"not run": -2, "skipped": -1, "passed": 0, "flaky": 1, "blocked": 2, "hung": 3, "failed": 4}
PROVED = frozenset({"passed", "flaky"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One cell as the gate sees it; ``verdict`` is "not run" for whatever left nothing to judge by."""

    cell: str
    build: Build
    build_name: str
    product: str
    scenario: str
    leg: str = ""
    node: str = ""
    verdict: str
    reason: str = ""
    skip: str = ""  # why the matrix leaves it out; "" where it does not
    planned: bool = True
    issues: tuple[str, ...] | None = None  # known issues in whose scope it is; None where nobody said
    known_issue: str = ""
    missed_issue: str = ""
    fingerprint: str = ""
    cause: str = ""
    provenance: str = ""
    edition: str = ""
    machine: str = ""
    started: datetime | None = None
    seconds: float = 0.0
    steps: tuple[Step, ...] = ()

    @property
    def version(self) -> str:
        """The version that its leg ends at, or nothing where it has no leg."""
        return self.leg.rpartition("->")[2]

    @property
    def is_skipped(self) -> bool:
        """Whether the matrix leaves it out on purpose, and nothing speaks against that."""
        return self.verdict == "skipped"

    @property
    def was_run(self) -> bool:
        """Whether a guest was touched for it, as far as anybody knows."""
        return self.verdict not in ("skipped", "not run")


@dataclass(frozen=True, slots=True)
class Slower:
    """A step that became slower, in a sentence, with the cells it was seen on."""

    sentence: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """What is being released: its name for people and its SHA-256."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A run, as far as the gate looks at it.

    ``plan`` is None where it is lost. ``damaged`` says in sentences what of the journal cannot be read, ``lost_files``
    which cells lack files that the journal names. ``slower`` is None where nobody could tell.
    """

    plan: Plan | None
    results: tuple[Result, ...] = ()
    damaged: tuple[str, ...] = ()
    lost_files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    slower: tuple[Slower, ...] | None = None
    artifacts: tuple[Artifact, ...] = ()
    run: str = ""


def cells_of(plan: Plan | None, results: Iterable[Result]) -> tuple[Seen, ...]:
    """Lay out each planned cell and each result that nobody planned, by id; the order of results means nothing."""
    worst: dict[str, Result] = {}
    for result in results:
        known = worst.get(result.cell)
        if known is None or _badness(result) > _badness(known):
            worst[result.cell] = result
    cells = {planned.cell: _seen(planned, worst.pop(planned.cell, None)) for planned in (plan.cells if plan else ())}
    cells |= {result.cell: _unplanned(result) for result in worst.values()}
    return tuple(cells[name] for name in sorted(cells))


def _badness(result: Result) -> tuple[int, str]:
    # the second part decides between two of a kind, so that it is not their order that does
    return _RANKS[result.verdict.value], result.model_dump_json()


def _seen(planned: PlannedCell, result: Result | None) -> Seen:
    verdict = _verdict(result) if result is not None else "not run"
    if planned.skip is not None and verdict == "not run":
        verdict = "skipped"
    elif planned.skip is None and verdict == "skipped":
        verdict = "not run"  # it was left out by something that nobody has written down
    return Seen(
        cell=planned.cell,
        build=_build(planned.build),
        build_name=planned.build_name or _build_name(planned.build),
        product=planned.product,
        scenario=planned.scenario,
        leg=planned.leg,
        node=planned.node,
        verdict=verdict,
        skip=planned.skip or "",
        issues=planned.issues,
        **_known(result),
    )


def _unplanned(result: Result) -> Seen:
    verdict = _verdict(result)
    return Seen(
        cell=result.cell,
        build=_build(result.build),
        build_name=_build_name(result.build),
        product=result.product,
        scenario=result.scenario,
        leg=result.leg,
        verdict="not run" if verdict == "skipped" else verdict,
        planned=False,
        **_known(result),
    )


def _verdict(result: Result) -> str:
    """Take a result's word, but for a pass after a try that the product failed: whoever wrote it down, it is flaky."""
    failed = any(one.fault is Fault.PRODUCT for one in result.attempts)
    return Verdict.FLAKY.value if result.verdict is Verdict.PASSED and failed else result.verdict.value


def _known(result: Result | None) -> dict[str, Any]:
    if result is None:
        return {"reason": "it left no result"}
    return {
        "reason": result.reason or next((one.reason for one in result.attempts if one.fault is Fault.PRODUCT), ""),
        "known_issue": result.known_issue or "",
        "missed_issue": result.missed_issue or "",
        "fingerprint": result.fingerprint,
        "cause": str(result.cause or ""),
        "provenance": result.provenance,
        "edition": result.guest.get("edition", ""),
        "machine": result.machine,
        "started": result.started,
        "seconds": result.seconds,
        "steps": result.steps,
    }


def _build(text: str) -> Build:
    try:
        return Build.parse(text)
    except ValueError:
        return Build(0)  # a plan is read from disk: what it names may be no build at all


def _build_name(text: str) -> str:
    try:
        return Build.parse(text).name
    except ValueError:
        return f"build {text}"
