"""Faults of the lab, injected into runs of a clean installer, at every place of a cell: none is the product's."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from harness.results.journal import read
from harness.results.result import Fault, Result, Verdict
from tests.corpus.project import write_project
from tests.corpus.table import installers
from tests.lab.running_labs import serving

CLEAN = "plain-exe"
STEPS = 6  # of the scenario install
SMALL = 64_000_000  # bytes of the controller's disk that is to be full
BUDGETS = {"task": 60, "ready": 60, "request": 20, "lease": 60, "restart": 5, "settle": 4, "tools": 10}
_VICTIM = "win11-23h2-a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One fault: ``at`` is the number of the step that it comes before, -1 for before the machine is asked for."""

    name: str
    kind: str
    fault: str
    at: int = -1
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Injected:
    """A run with its trouble: ``struck`` is how often the fault came about."""

    trouble: Trouble
    result: Result
    struck: int

    @property
    def blames_the_product(self) -> bool:
        """Whether anything of it is said to be the product's doing."""
        result = self.result
        judged = result.fault is Fault.PRODUCT or result.verdict in (Verdict.FAILED, Verdict.HUNG)
        return judged or bool(result.findings) or bool(result.cause and result.cause.is_products)

    def __str__(self) -> str:
        where = f"before step {self.trouble.at + 1}" if self.trouble.at >= 0 else "before the machine was asked for"
        return f"{self.trouble.kind} {where} {self.trouble.options}: {self.result.verdict}, {self.result.reason[:300]}"


def _switched_off(dice: random.Random) -> tuple[str, int, dict[str, str]]:
    return "power-off", dice.randrange(STEPS), {"machine": _VICTIM, "seconds": f"{dice.uniform(0, 0.5):.2f}"}


def _reset(dice: random.Random) -> tuple[str, int, dict[str, str]]:
    options = {"method": dice.choice(["Command", "Receive"]), "when": dice.choice(["before", "after"])}
    return "winrm-reset", dice.randrange(STEPS), {"times": str(dice.randint(1, 3)), **options}


def _refused(dice: random.Random) -> tuple[str, int, dict[str, str]]:
    return "winrm-401", dice.randrange(STEPS), {"machine": _VICTIM}


def _task_failed(_: random.Random) -> tuple[str, int, dict[str, str]]:
    return "task-fails", -1, {"method": "RevertToSnapshot_Task"}


def _clock(dice: random.Random) -> tuple[str, int, dict[str, str]]:
    return "clock-jump", -1, {"machine": _VICTIM, "ahead": str(dice.choice([-1, 1]) * dice.randint(1800, 864_000))}


def _disk_full(dice: random.Random) -> tuple[str, int, dict[str, str]]:
    return "disk-full", dice.randrange(STEPS), {}


def _drifted(dice: random.Random) -> tuple[str, int, dict[str, str]]:
    return (
        "drift",
        -1,
        {"machine": _VICTIM, "build": f"{dice.choice([19045, 22621, 26100])}.{dice.randint(9000, 9999)}"},
    )


KINDS: dict[str, tuple[int, Callable[[random.Random], tuple[str, int, dict[str, str]]]]] = {
    "guest switched off": (40, _switched_off),
    "WinRM reset": (40, _reset),
    "401 storm": (30, _refused),
    "vCenter task failed": (25, _task_failed),
    "clock jumped": (20, _clock),
    "disk full on the controller": (25, _disk_full),
    "drifted build": (20, _drifted),
}
"""How many of 200 runs are of each kind, and how one of them is made up."""


def troubles(count: int, *, seed: int = 1) -> list[Trouble]:
    """Make up so many troubles, of every kind in its share, in an order of their own."""
    dice = random.Random(seed)  # noqa: S311 - to choose, not to keep secrets
    of_200 = [kind for kind, (share, _) in KINDS.items() for _ in range(share)]
    dice.shuffle(of_200)
    chosen = [*KINDS, *of_200][:count] if count < len(of_200) else of_200
    found = []
    for number, kind in enumerate(chosen):
        fault, at, options = KINDS[kind][1](dice)
        name = f"{number:03d}-{re.sub('[^a-z]+', '-', kind.lower())}"
        found.append(Trouble(name=name, kind=kind, fault=fault, at=at, options=options))
    return found


def run_injected(folder: Path, wanted: list[Trouble], *, workers: int = 2) -> list[Injected]:
    """Meet these troubles on labs of their own, each worker on one machine."""
    with ThreadPoolExecutor(workers) as pool:
        shares = [(folder / str(worker), wanted[worker::workers]) for worker in range(workers)]
        met = list(pool.map(lambda share: list(_met(*share)), [one for one in shares if one[1]]))
    return [one for share in met for one in share]


def _met(folder: Path, wanted: list[Trouble]) -> Iterator[Injected]:
    (clean,) = (one for one in installers() if one.name == CLEAN)
    folder.mkdir()
    (matrix,) = write_project(folder, [clean])
    names = json.dumps([one.name for one in wanted])
    for file in (matrix, folder / "fixtures" / "products" / f"{CLEAN}.toml"):
        file.write_text(file.read_text("utf-8").replace('["install"]', names), "utf-8")
    small, scratch = folder / "small", folder / "scratch"
    small.mkdir()
    scratch.mkdir()
    with serving("--build", "22631", "--machines", "1") as (_, site_file):
        plan = {one.name: {"fault": one.fault, "at": one.at, "options": one.options} for one in wanted}
        (folder / "plan.json").write_text(json.dumps(plan), "utf-8")
        (folder / "conftest.py").write_text(_CONFTEST.format(lab=str(site_file)), "utf-8")
        site = folder / "site.toml"
        site.write_text(_hasty(site_file), "utf-8")
        # a disk that can be full: a small one of this process's own, for results, evidence and temporary files
        walls = ["bwrap", "--dev-bind", "/", "/", "--die-with-parent", "--size", str(SMALL), "--tmpfs", str(small)]
        command = [sys.executable, "-m", "pytest", "-q", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder)]
        done = subprocess.run(
            [*walls, *command, "--site", str(site), "--runs", str(small / "runs"), str(matrix)],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "TMPDIR": str(small), "XDG_STATE_HOME": str(scratch)},
        )
    journals = list((folder / "kept").glob("*/journal.jsonl"))
    assert journals, done.stdout[-3000:] + done.stderr[-3000:]
    results = {result.scenario: result for result in read(journals[0]).results}
    struck = json.loads((folder / "struck.json").read_text("utf-8"))
    for one in wanted:
        assert one.name in results, f"{one.name} has no result: {done.stdout[-3000:]}"
        yield Injected(one, results[one.name], struck.get(one.name, 0))


def _hasty(site_file: Path) -> str:
    """Write the lab's site file for a run on a busy machine that does not wait long for what never comes."""
    text = re.sub(r'"(ca\.pem|secrets/)', lambda found: f'"{site_file.parent}/{found[1]}', site_file.read_text("utf-8"))
    text = re.sub(r"\[budgets\][^\[]*", "", text)  # the lab has its own
    return text + "\n[budgets]\n" + "".join(f"{key} = {seconds}\n" for key, seconds in BUDGETS.items())


_CONFTEST = '''
import json
import shutil
from pathlib import Path

import pytest

from harness.lab.folder import LabFolder
from harness.machines.leases.quarantine import release
from harness.machines.leases.register import Key, standings
from harness.machines.leases.store import open_store
from harness.scenarios.install import install

HERE = Path(__file__).parent
PLAN = json.loads((HERE / "plan.json").read_text("utf-8"))
LAB = Path({lab!r})
FOLDER = LabFolder(LAB.parents[2], LAB.parent.name)
BALLAST = HERE / "small" / "ballast"
STRUCK = {{}}


def fill_the_disk():
    with BALLAST.open("wb", buffering=0) as ballast:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    ballast.write(bytes(size))
            except OSError:
                pass


def strike(scenario):
    trouble = PLAN[scenario]
    if trouble["fault"] == "disk-full":
        fill_the_disk()
        STRUCK[scenario] = 1
    else:
        FOLDER.ask("POST", "faults", patience=60.0, name=trouble["fault"], **trouble["options"])


@pytest.fixture(autouse=True)
def trouble(cell, site):
    """Let one thing go wrong for one cell, with machines that are free again."""
    store = open_store(site)
    with store.reading() as turn:
        known = standings(turn)
    for one in known:
        release(store, Key(one.vcenter, one.machine))
    store.close()
    if PLAN[cell.scenario]["at"] < 0:
        strike(cell.scenario)
    yield
    BALLAST.unlink(missing_ok=True)
    for asked in json.loads(FOLDER.ask("GET", "faults")):
        STRUCK[cell.scenario] = STRUCK.get(cell.scenario, 0) + asked["struck"]
    FOLDER.ask("DELETE", "faults")


class Interrupted:
    """The steps of a scenario, before one of which the trouble comes."""

    def __init__(self, step, scenario):
        self.step, self.scenario, self.begun = step, scenario, 0

    def __call__(self, name):
        if self.begun == PLAN[self.scenario]["at"]:
            strike(self.scenario)
        self.begun += 1
        return self.step(name)


def interrupted(cell, installation, step):
    """The product is installed, proven and removed while something goes wrong."""
    install(cell, installation, Interrupted(step, cell.scenario))


def pytest_wincompat_scenarios(config):
    return dict.fromkeys(PLAN, interrupted)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    (HERE / "struck.json").write_text(json.dumps(STRUCK), "utf-8")
    shutil.copytree(HERE / "small" / "runs", HERE / "kept", symlinks=True)
'''
