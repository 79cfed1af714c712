"""The sample run as it comes in life: runs before it, a release among them, and what was predicted of its packages.

``python -m tests.report.life reports/sample.html`` makes the sample report again.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from harness.causes import decided
from harness.gate.decision import FILE, Decision
from harness.predictions.inspected import FILE_NAME, Inspected, Predicted, Preflight, Said
from harness.report.page import write_report
from harness.results.names import file_name
from harness.results.plan import PlannedNote
from harness.results.result import Attempt, Evidence, Fault, Finding, Result, Verdict
from harness.results.run import RunFolder

from .sample import BEGAN, sample_run

COSTS = Path(__file__).parents[2] / "fixtures" / "costs.toml"
RUNS = 24  # before this one, a day apart
SLOWER_SINCE = 15  # the first of them in which a step takes longer
SLOW_STEP = ("ninja-msi", "22631", "install 1.13.0")
RELEASED = 20  # the one that was let ship
FLAKY = "win11-23h2::ninja-zip::install"
LEFT = "C:\\Program Files\\Ninja\\cache"
CHANGED = "changes-uninstall-1.13.0.txt"
CHANGES = f"""folder added: {LEFT}
file added: {LEFT}\\index.bin (4,096 bytes)
file added: {LEFT}\\<b>not bold</b>.bin (12 bytes)
value changed: HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment\\Path
service removed: NinjaUpdate
"""


def life(parent: Path, *, runs: int = RUNS, is_lab: bool = True) -> RunFolder:
    """Write the last so many runs below ``parent``, then the sample run, and give that with its predictions."""
    for number in range(RUNS - runs, RUNS):
        began = BEGAN - timedelta(days=RUNS - number)
        before = sample_run(parent, began=began, is_lab=is_lab, alter=_of_run(number))
        if number == RELEASED:
            Decision(word="ship", sentence="Ship.", run=before.run, decided=began).write(before.path / FILE)
    folder = sample_run(parent, is_lab=is_lab, alter=_of_run(RUNS))
    told = _told(folder)
    (folder.path / FILE_NAME).write_text(told.model_dump_json(), "utf-8")
    plan, _ = folder.read_plan()
    assert plan is not None
    hung = next(line for line in folder.journal_file.read_text("utf-8").splitlines() if '"verdict":"hung"' in line)
    note = PlannedNote(
        fingerprint=Result.model_validate_json(hung).fingerprint, note="asks for a licence key", owner="Grace Hopper"
    )
    folder.write_plan(plan.model_copy(update={"triage": (note,)}))
    for left in folder.path.glob("evidence/*ninja-msi-uninstall*"):
        (left / CHANGED).write_text(CHANGES, "utf-8")
    return folder


def _of_run(number: int) -> Callable[[Result], Result | None]:
    """Let a run differ from the others as runs do: by noise, by what was mended, by what became slower or broke."""
    chance = random.Random(number)  # noqa: S311 - the same runs each time

    def alter(result: Result) -> Result | None:
        result = _at_its_pace(result, number, chance)
        if number < 12 and result.product == "win11-only" and result.verdict is Verdict.FAILED:
            return _passed(result)  # it still ran on Windows 10 then
        if number < RUNS and result.verdict is Verdict.HUNG:
            return _passed(result)  # new
        if number < RUNS - 1 and result.cell.startswith("win10-22h2::ninja-exe::denied"):
            return _passed(result)
        if number == RUNS - 1 and result.scenario == "uninstall" and result.product == "ninja-msi":
            return decided(_failed(result))  # mended since
        if result.verdict is Verdict.FAILED and result.product == "win11-only":
            result = result.model_copy(update={"code": "not-installed", "error": "NotProven"})
        if result.cell == FLAKY:
            return _flaky(result)
        if (
            number == RUNS
            and result.product == "ninja-msi"
            and result.scenario == "uninstall"
            and result.build > "22000"
        ):
            result = _failed(result)
        return decided(result)

    return alter


def _at_its_pace(result: Result, number: int, chance: random.Random) -> Result:
    steps, at = [], 0.0
    for step in result.steps:
        pace = chance.lognormvariate(0, 0.04)
        if (result.product, result.build, step.name) == SLOW_STEP and number >= SLOWER_SINCE:
            pace *= 1.35
        seconds = round(step.seconds * pace, 3)
        steps.append(step.model_copy(update={"started": round(at, 3), "seconds": seconds}))
        at += seconds + 0.004
    return result.model_copy(update={"steps": tuple(steps), "seconds": round(at + 0.05, 3) if steps else 0.0})


def _passed(result: Result) -> Result:
    steps = tuple(step.model_copy(update={"error": None, "seconds": min(step.seconds, 1.0)}) for step in result.steps)
    nothing = {"fault": Fault.NOBODY, "reason": "", "code": "", "notes": ()}
    return result.model_copy(update={"verdict": Verdict.PASSED, "steps": steps, **nothing})


def _failed(result: Result) -> Result:
    left = Finding(code="left-behind", cause="uninstaller", sentence=f"left behind: {LEFT} (folder)", subject=LEFT)
    how = {"code": "broke-rules", "reason": f"left behind: {LEFT} (folder) and 2 files in it", "findings": (left,)}
    changes = Evidence(name=CHANGED, kind="text", path=f"evidence/{file_name(result.cell)}/{CHANGED}")
    more = {"evidence": (*result.evidence, changes)}
    return result.model_copy(update={"verdict": Verdict.FAILED, "fault": Fault.PRODUCT, **how, **more})


def _flaky(result: Result) -> Result:
    first = decided(
        result.model_copy(
            update={"verdict": Verdict.FAILED, "fault": Fault.PRODUCT, "reason": "ninja --version said nothing"}
        )
    )
    named = ("fault", "reason", "cause", "at_fault", "fingerprint")
    known = {name: getattr(first, name) for name in named}
    tried = Attempt(
        verdict=Verdict.FAILED,
        fault=Fault.PRODUCT,
        cause=first.cause,
        reason=first.reason,
        fingerprint=first.fingerprint,
        machine="win11-23h2-b",
        started=result.started,
        seconds=3.1,
    )
    again = Attempt(verdict=Verdict.PASSED, machine=result.machine, started=result.started, seconds=result.seconds)
    return result.model_copy(update={"verdict": Verdict.FLAKY, "attempts": (tried, again), **known})


def _told(folder: RunFolder) -> Preflight:
    plan, _ = folder.read_plan()
    assert plan is not None
    old = Said(
        code="needs-windows-11",
        severity="error",
        sentence="a launch condition demands build 22000",
        predicts=(Predicted(scenario="install", outcome="refused", builds=(19044, 19045), surely=True),),
    )
    asks = Said(
        code="exe-may-ask",
        severity="warning",
        sentence="no switch is known that keeps its licence page from being shown",
        predicts=(Predicted(scenario="install", outcome="hangs"),),
    )
    reboots = Said(
        code="schedules-reboot",
        severity="warning",
        sentence="ScheduleReboot is in its sequence without a condition",
        predicts=(Predicted(scenario="upgrade", outcome="exits-3010", surely=True),),
    )
    plain = Said(code="unsigned", severity="note", sentence="it is not signed")
    packages = {
        "win11-only": Inspected(product="win11-only", version="1.0", file="win11-only-1.0.msi", findings=(old,)),
        "ninja-exe": Inspected(product="ninja-exe", version="1.13.0", file="ninja-setup.exe", findings=(asks, plain)),
        "ninja-msi": Inspected(product="ninja-msi", version="1.13.0", file="ninja-1.13.0.msi", findings=(reboots,)),
        "ninja-zip": Inspected(product="ninja-zip", version="1.13.0", file="ninja-1.13.0.zip", trouble="it is no ZIP"),
    }
    return Preflight(packages=packages, cells={cell.cell: cell.product for cell in plan.cells})


def make(target: Path) -> None:
    """Write the report of such a life, which travels alone."""
    with tempfile.TemporaryDirectory() as runs:
        write_report(life(Path(runs)).path, output=target, single_file=True, costs=COSTS)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
