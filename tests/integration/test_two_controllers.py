"""Two controllers share machines by nothing but the store of their leases; one of them dies half-way."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from harness.results.frames import cells_frame
from harness.results.journal import read
from harness.results.run import RunFolder
from tests.waiting import until

from ..lab.running_labs import serving
from .two_controllers import Rival, turns, two_hands

BUILDS = (19044, 22631)
MACHINES = 3  # of each build
SCENARIOS = 50  # 100 cells for each controller
WORKERS = 4  # of each controller: together more than there are machines
EXPIRES = 15


@pytest.mark.slow
def test_two_hundred_cells_on_six_machines(
    tmp_path: Path, lab_site_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No machine is ever in two hands by the lab's audit, and every cell is run exactly once or reported not run."""
    options = [word for build in BUILDS for word in ("--build", str(build))]
    with serving("--machines", str(MACHINES), *options) as (_, site_file):
        shared = _with_leases(site_file, tmp_path)
        lives, dies = (Rival(tmp_path, name, shared, builds=BUILDS, scenarios=SCENARIOS) for name in ("lives", "dies"))
        planned = len(BUILDS) * SCENARIOS
        began = time.monotonic()
        try:
            for rival in (lives, dies):
                rival.start("-n", str(WORKERS))

            def half_way() -> bool:
                assert dies.process.poll() is None, dies.said
                assert lives.process.poll() is None, lives.said
                return len(lives.finished()) + len(dies.finished()) >= planned

            until(half_way, 900, pause=0.2)
            dies.kill()
            left = _leased_by_the_dead(shared)
            code = lives.process.wait(600)
        finally:
            for rival in (lives, dies):
                if rival.process.poll() is None:
                    rival.kill()
        seconds = time.monotonic() - began
        audit = shutil.copy(site_file.parent / "audit.jsonl", tmp_path)  # the lab's folder goes with the lab
    found = turns(Path(audit))

    assert code == 0, lives.said
    assert two_hands(found) == []
    assert len({turn.machine for turn in found}) == len(BUILDS) * MACHINES
    assert _verdicts(lives) == {"passed": planned}
    verdicts = _verdicts(dies)
    assert verdicts == {"passed": len(dies.finished()), "not run": planned - len(dies.finished())}

    marks = Counter(mark for turn in found for mark in turn.marks)
    assert set(marks.values()) == {1}, "a cell ran twice"
    touched = {cell for cell, what in marks if what == "last"}
    for rival in (lives, dies):
        assert len(set(rival.finished())) == len(rival.finished())
        assert {f"{rival.name}/{cell}" for cell in rival.finished()} <= touched
    assert len(touched) - len(lives.finished()) - len(dies.finished()) <= WORKERS, "at most what was in the air"

    with capsys.disabled():
        sys.stdout.write(
            f"\n{2 * planned} cells of two controllers on {len(BUILDS) * MACHINES} machines in {seconds:.0f} s: "
            f"{len(found)} reverts by {len({turn.session for turn in found})} sessions, none in two hands; "
            f"killed after {len(dies.finished())} of its cells with {left} machines in its hands: "
            f"{verdicts['not run']} not run; the other ran all {planned}\n"
        )


def _with_leases(site_file: Path, folder: Path) -> Path:
    """Give the lab's site file again, with a store outside of the lab's folder and leases that expire soon."""
    lines = site_file.read_text("utf-8").splitlines()
    lines = [line.replace('{ file = "', f'{{ file = "{site_file.parent}/') for line in lines]
    lines = [line.replace('ca_file = "', f'ca_file = "{site_file.parent}/') for line in lines]
    lines = [
        f'url = "sqlite:///{folder}/leases.sqlite3"\nexpires = {EXPIRES}' if line.startswith("url = ") else line
        for line in lines
    ]
    shared = folder / "site.toml"
    shared.write_text("\n".join(lines) + "\n", "utf-8")
    return shared


def _leased_by_the_dead(site_file: Path) -> int:
    """Count the machines that are leased to cells of the controller that is dead, as a person would look at it."""
    command = [sys.executable, "-m", "harness.cli", "leases", "--site", str(site_file), "--json"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    machines = json.loads(said)["machines"]
    alive = {
        machine["controller"]
        for machine in machines
        if machine["state"] == "leased" and Path("/proc", machine["controller"].split()[1]).exists()
    }
    return sum(machine["state"] == "leased" and machine["controller"] not in alive for machine in machines)


def _verdicts(rival: Rival) -> dict[str, int]:
    """Count verdicts as a report would, made from plan and journal alone."""
    folder = RunFolder(rival.run_folder)
    plan, _ = folder.read_plan()
    assert plan is not None
    cells = cells_frame(plan, read(folder.journal_file).results)
    return {str(verdict): int(number) for verdict, number in cells["verdict"].value_counts().items() if number}
