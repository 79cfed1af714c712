"""Runs of any size, of plan and journal alone: for what a page does with ten thousand cells and more."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.builds import Build
from harness.causes.fingerprint import fingerprint
from harness.results.cause import Cause
from harness.results.journal import Journal
from harness.results.names import file_name
from harness.results.plan import Plan, PlannedCell
from harness.results.result import Result
from harness.results.run import RunFolder

BUILDS = (19044, 19045, 22000, 22621, 22631, 26100, 26200)
STORIES = ("install", "upgrade[1.0->2.0]", "upgrade[1.9->2.0]", "denied", "uninstall")
STEPS = ("revert", "wait for the guest", "install 2.0", "prove the installation", "look for what is left")
MACHINES = 48
BEGAN = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


def many_cells(parent: Path, number: int, *, missed: float = 0.02) -> RunFolder:
    """Write a run of so many cells, of which a part did not pass; times and reasons differ as they do in life."""
    chance = random.Random(7)  # noqa: S311 - the same run each time
    folder = RunFolder.create(parent, now=BEGAN)
    planned = [cell for _, cell in zip(range(number), _cells(), strict=False)]
    plan = Plan(run=folder.run, matrix="many", site="munich", started=BEGAN, cells=tuple(planned))
    folder.write_plan(plan)
    clocks = [0.0] * MACHINES

    def results() -> Iterator[Result]:
        for place, cell in enumerate(planned):
            machine = place % MACHINES
            result = _result(cell, machine, clocks[machine], chance, missed)
            clocks[machine] += result.seconds + chance.random()
            yield result

    Journal(folder.journal_file).extend(results())
    return folder


def _cells() -> Iterator[PlannedCell]:
    for product in range(10**6):
        for number in BUILDS:
            build = Build(number)
            for story in STORIES:
                scenario, _, leg = story.rstrip("]").partition("[")
                cell = f"{build.slug}::product-{product}::{story}"
                yield PlannedCell(
                    cell=cell,
                    build=str(number),
                    build_name=build.name,
                    product=f"product-{product}",
                    kind="msi",
                    scenario=scenario,
                    leg=leg,
                    node=f"matrices/many.toml::{cell}",
                )


def _result(cell: PlannedCell, machine: int, at: float, chance: random.Random, missed: float) -> Result:
    ends = [0.0]
    steps: list[dict[str, object]] = []
    for name, middle in zip(STEPS, (0.8, 4.0, 9.0, 0.6, 1.2), strict=True):
        seconds = round(chance.lognormvariate(0, 0.15) * middle, 3)
        steps.append({"name": name, "started": round(ends[-1], 3), "seconds": seconds, "error": None})
        ends.append(ends[-1] + seconds + 0.003)
    verdict, fault, cause, reason = "passed", "nobody", None, ""
    if chance.random() < missed:
        kind = chance.choices(range(4), (8, 4, 2, 1))[0]
        verdict, fault, cause, reason = (
            (
                "failed",
                "product",
                Cause.PACKAGING,
                "msiexec ended with 1603 (fatal error during installation): the service did not start",
            ),
            (
                "failed",
                "product",
                Cause.LEFTOVER,
                f"left behind: C:\\Program Files\\{cell.product}\\cache-{chance.randrange(99)}.bin",
            ),
            (
                "blocked",
                "site",
                Cause.LAB,
                f"vm-{machine}: the guest stopped answering in the middle of a step; look at its console",
            ),
            ("hung", "product", Cause.HANG, "still running after 120 s and ended: setup.exe /S"),
        )[kind]
        steps[2]["error"] = reason
    folder = f"evidence/{file_name(cell.cell)}"
    names = ("install.log", "install.log.json", "guest.json")
    kinds = ("log", "text", "facts")
    said = {
        **{name: getattr(cell, name) for name in ("cell", "build", "product", "kind", "scenario", "leg")},
        "verdict": verdict,
        "fault": fault,
        "reason": reason,
        "machine": f"vm-{machine}",
        "provenance": f"Windows {cell.build}",
        "guest": {"build": cell.build, "revision": "1234", "edition": "Enterprise"},
        "steps": steps,
        "evidence": [{"name": n, "kind": k, "path": f"{folder}/{n}"} for n, k in zip(names, kinds, strict=True)],
        "started": str(BEGAN + timedelta(seconds=round(at, 3))),
        "seconds": round(ends[-1], 3),
        "worker": f"gw{machine}",
    }
    result = Result.model_validate(said)
    named = result.model_copy(update={"cause": cause})
    return named.model_copy(update={"fingerprint": fingerprint(named)})
