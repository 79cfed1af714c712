"""Whatever goes wrong with a site, the cell is blocked with a sentence that helps, or it recovers; it never fails.

All faults are met in one run: each is a scenario of its own, for which the project's conftest.py asks the lab to let
that one thing go wrong. The product is real, small and quick.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.lab.faults.table import TABLE
from tests.lab.running_labs import needs_a_lab, serving

from .conftest import Controller
from .installers import write_project

BUDGETS = {"task": 20, "ready": 90, "request": 10, "lease": 60, "restart": 60, "settle": 4, "tools": 6}


@dataclass(frozen=True)
class Trouble:
    """A fault, when it is asked for, and what is to come of it.

    ``late`` is after the guest was found well, when the product goes to work. ``says`` is a pattern of the reason, or,
    for a cell that recovers, of what the journal shows of it.
    """

    fault: str
    verdict: str
    says: str
    late: bool = False
    options: dict[str, str] = field(default_factory=dict)


VICTIM = {"machine": "win11-23h2-a"}
AT_A_COMMAND = {**VICTIM, "method": "Command"}
REVERT = {"method": "RevertToSnapshot_Task"}

LOOK = "look at its tasks and events in vSphere"

TROUBLES = {
    "a_privilege_is_refused": Trouble(
        "privilege-refused",
        "blocked",
        r"lacks the privilege VirtualMachine\.State\.RevertToSnapshot; add the privilege",
        options={"privilege": "VirtualMachine.State.RevertToSnapshot"},
    ),
    "the_session_is_killed": Trouble("session-killed", "passed", "ended the session; logged in again", options=REVERT),
    "the_session_is_killed_twice": Trouble(
        "session-killed", "passed", "ended the session; logged in again", options={**REVERT, "times": "2"}
    ),
    "the_revert_fails": Trouble("task-fails", "blocked", rf"reverting to 'clean': .*; {LOOK}", options=REVERT),
    "the_revert_never_ends": Trouble(
        "task-never-ends", "blocked", rf"still running after 20 s; {LOOK}", options=REVERT
    ),
    "the_state_is_invalid": Trouble("invalid-state", "blocked", rf"InvalidState\); {LOOK}", options=REVERT),
    "the_power_state_is_invalid": Trouble(
        "invalid-state", "blocked", "look who switches it", options={**REVERT, "state": "InvalidPowerState"}
    ),
    "the_datastore_is_slow": Trouble("slow-datastore", "passed", "revert to the snapshot", options={"seconds": "1.5"}),
    "the_datastore_is_too_slow": Trouble("slow-datastore", "blocked", "after 20 s", options={"seconds": "90"}),
    "the_host_is_lost": Trouble("host-lost", "blocked", r"disconnected.*; look at the host"),
    "the_snapshot_is_missing": Trouble("snapshot-missing", "blocked", "no snapshot; take one named 'clean'"),
    "an_answer_is_lost": Trouble("answer-lost", "passed", "asking for a task, which was found", options=REVERT),
    "the_vcenter_hangs": Trouble("vcenter-hangs", "blocked", "vCenter .*: no answer within 10 s; check vcenter.host"),
    "winrm_is_reset_at_work": Trouble(
        "winrm-reset", "passed", "broke and was made anew", late=True, options={"method": "Command"}
    ),
    "the_guest_refuses_at_work": Trouble("winrm-401", "blocked", "refuses the account 'Administrator'", late=True),
    "the_power_goes": Trouble(
        "power-off", "blocked", "was powered off by .*; look at its events", late=True, options=AT_A_COMMAND
    ),
    "windows_is_reset": Trouble(
        "reset", "blocked", "was reset by .*; look at its events", late=True, options=AT_A_COMMAND
    ),
    "the_machine_drifted": Trouble(
        "drift", "blocked", "drifted: carries 22621.1, .*; mend its snapshot", options={**VICTIM, "build": "22621.1"}
    ),
    "the_clock_is_wrong": Trouble(
        "clock-jump", "passed", "24.0 hours behind; was set", options={**VICTIM, "ahead": "-86400"}
    ),
}

ITS_OWN_DOING = {"windows_restarts_itself": Trouble("restart", "failed", "", late=True, options=AT_A_COMMAND)}

# each of these is waited for as long as a real guest might need
SLOW_TROUBLES = {
    "the_guest_is_silent": Trouble("guest-silent", "blocked", "not ready within 90 s; .*; look at its console"),
    "the_guest_falls_silent": Trouble("guest-silent", "blocked", "look at its console in vSphere", late=True),
    "the_power_goes_before_windows_is_up": Trouble(
        "power-off",
        "blocked",
        "was powered off by .* while Windows was waited for; look at its events",
        options={**VICTIM, "method": "Create"},
    ),
    "the_guest_refuses": Trouble("winrm-401", "blocked", "refuses the account 'Administrator'; check its password"),
    "winrm_is_reset_at_first": Trouble("winrm-reset", "passed", ""),
}

# on a site that knows no address but what VMware Tools tell
TROUBLES_WITH_TOOLS = {
    "tools_tell_an_old_address": Trouble("stale-address", "passed", "", options={"seconds": "2"}),
    "tools_tell_nothing_else": Trouble("stale-address", "blocked", "is .* its address", options={"seconds": "60"}),
}

_CONFTEST = '''
import json
from pathlib import Path

import pytest

from harness.lab.folder import LabFolder
from harness.machines.leases.quarantine import release
from harness.machines.leases.register import Key, standings
from harness.machines.leases.store import open_store

TROUBLES = json.loads({troubles!r})
LAB = Path({lab!r})
FOLDER = LabFolder(LAB.parents[2], LAB.parent.name)


def ask(scenario, late):
    trouble = TROUBLES[scenario]
    if trouble["late"] == late:
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
    ask(cell.scenario, late=False)
    yield
    FOLDER.ask("DELETE", "faults")


def survives(installation, cell):
    """The product is installed while something goes wrong."""
    ask(cell.scenario, late=True)
    installation.install("1.0")


def pytest_wincompat_scenarios(config):
    return dict.fromkeys(TROUBLES, survives)
'''


Results = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Meet every trouble that is over soon, in one run; give the results by scenario."""
    return _met(TROUBLES | ITS_OWN_DOING, tmp_path_factory.mktemp("faults"))


@pytest.fixture(scope="module")
def slow_results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Meet the troubles that are waited for."""
    return _met(SLOW_TROUBLES, tmp_path_factory.mktemp("faults"))


@pytest.fixture(scope="module")
def results_with_tools(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Meet the troubles of a site whose guests' addresses nobody knows beforehand."""
    return _met(TROUBLES_WITH_TOOLS, tmp_path_factory.mktemp("faults"), address="from-tools")


def _met(troubles: dict[str, Trouble], folder: Path, *, address: str = "") -> Results:
    needs_a_lab()
    if shutil.which("makensis") is None:
        pytest.skip("makensis (Debian: nsis) is missing")
    with serving("--build", "22631", "--machines", "1") as (_, site_file):
        matrix = write_project(folder, "", deadline=120)
        matrix.write_text(matrix.read_text("utf-8").replace('["install"]', json.dumps(list(troubles))), "utf-8")
        told = {name: {"fault": one.fault, "late": one.late, "options": one.options} for name, one in troubles.items()}
        conftest = _CONFTEST.format(troubles=json.dumps(told), lab=str(site_file))
        (folder / "conftest.py").write_text(conftest, "utf-8")
        site = folder / "site.toml"
        text = _hasty(site_file)
        site.write_text(re.sub("(?m)^address = .*", f'address = "{address}"', text) if address else text, "utf-8")
        controller = Controller(folder, site)
        _, said = controller.run("matrices/habit.toml", within=1500)
        assert (folder / "build").is_dir(), said
        return {result["scenario"]: result for result in controller.results()}


def _hasty(site_file: Path) -> str:
    """Write the lab's site file for a run that waits for nothing long."""
    text = re.sub(r'"(ca\.pem|secrets/)', lambda found: f'"{site_file.parent}/{found[1]}', site_file.read_text("utf-8"))
    text = re.sub(r"\[budgets\][^\[]*", "", text)  # the lab has its own
    return text + "\n[budgets]\n" + "".join(f"{key} = {seconds}\n" for key, seconds in BUDGETS.items())


def _judge(trouble: Trouble, result: dict[str, Any]) -> None:
    reason = str(result["reason"])
    assert result["verdict"] == trouble.verdict, reason
    if trouble.verdict == "passed":
        told = json.dumps([result["notes"], result["guest"], result["steps"]])
        assert re.search(trouble.says, told), told
        return
    assert result["fault"] == "site"
    assert re.search(trouble.says, reason), reason
    assert "\n" not in reason
    machine, _, rest = reason.partition(": ")
    problem, _, advice = rest.partition("; ")
    assert machine == "win11-23h2-a" or machine.startswith("vCenter 127.")
    assert problem
    assert advice


@pytest.mark.parametrize("scenario", TROUBLES)
def test_trouble_blocks_or_is_ridden_out(results: Results, scenario: str) -> None:
    """The cell is blocked with machine, problem and next move in a sentence, or passes with a note of what happened."""
    _judge(TROUBLES[scenario], results[scenario])


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SLOW_TROUBLES)
def test_trouble_that_is_waited_for_blocks_or_is_ridden_out(slow_results: Results, scenario: str) -> None:
    """The same for what takes its time to be given up."""
    _judge(SLOW_TROUBLES[scenario], slow_results[scenario])


@pytest.mark.slow
@pytest.mark.parametrize("scenario", TROUBLES_WITH_TOOLS)
def test_trouble_with_addresses_blocks_or_is_ridden_out(results_with_tools: Results, scenario: str) -> None:
    """The same where the address is what VMware Tools tell, which after a revert may be an old one."""
    _judge(TROUBLES_WITH_TOOLS[scenario], results_with_tools[scenario])


def test_a_restart_that_comes_from_within_is_the_products(results: Results) -> None:
    """The counter-proof: what a product does to the machine unasked is not taken for trouble with the site."""
    result = results["windows_restarts_itself"]
    assert (result["verdict"], result["fault"]) == ("failed", "product"), result["reason"]
    assert "restarted the machine unasked" in result["reason"]


def test_every_fault_of_the_lab_has_its_trouble() -> None:
    """A fault that is added to the lab's table is met by a test."""
    assert {
        trouble.fault for trouble in (TROUBLES | SLOW_TROUBLES | TROUBLES_WITH_TOOLS | ITS_OWN_DOING).values()
    } == set(TABLE)
