"""Machines that are not what was declared, and machines that are kept: whole runs on a lab of their own."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.guest.guest import Guest
from harness.machines.leases import Lease, leased
from harness.machines.leases.register import Standing, key_of, standing
from harness.machines.leases.store import open_store
from harness.machines.machine import KEPT, Machine
from harness.machines.vcenter import VCenter, connected
from harness.site import Site, SiteMachine, read_site

from ..lab.running_labs import needs_a_lab, serving
from .project import Project

CONFTEST = '''
from harness.errors import ProductFailed

def works(guest, step):
    """All is well."""

def also_works(guest, step):
    """All is well once more."""

def fails(guest, step):
    """The product leaves a trace and fails."""
    with step("install"):
        guest.run(r"echo half a product> C:\\\\ProgramData\\\\left.txt")
        raise ProductFailed("ended with 1603")

def pytest_wincompat_scenarios(config):
    return {f.__name__: f for f in (works, also_works, fails)}
'''

UPDATED = (r'reg add "HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion" /v UBR /t REG_DWORD /d 9999 /f',)

# what makes a Windows of a guest for those questions that are asked of Windows alone, and then a restart that waits
WINDOWS = (
    r"mkdir C:\windows\servicing & echo x> C:\windows\servicing\TrustedInstaller.exe",
    r"reg add HKLM\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate\AU /v NoAutoUpdate /t REG_DWORD /d 1 /f",
    r"reg add HKLM\SYSTEM\CurrentControlSet\Services\WinDefend /v Start /t REG_DWORD /d 2 /f",
    r'reg add "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending" /f',
)


@pytest.fixture(scope="module")
def lab_of_two() -> Iterator[Path]:
    """Serve two machines; the first has a snapshot after an update, and one that waits for a restart."""
    needs_a_lab()
    with serving("--build", "22631", "--machines", "2") as (_, site_file):
        site = read_site(site_file)
        with connected(site) as vcenter:
            for name, commands in (("updated", UPDATED), ("waiting", WINDOWS)):
                _prepare(site, vcenter.machine(site.machines[0]), name, commands)
        yield site_file


def _prepare(site: Site, machine: Machine, snapshot: str, commands: tuple[str, ...]) -> None:
    machine.revert()
    with Guest.of(site, machine.entry) as guest:
        guest.wait_until_ready(300)
        # the last one takes away the mark of a Windows in use: what is taken here is to look clean
        for command in (*commands, "del %SystemRoot%\\Temp\\pytest-wincompat-used.txt"):
            assert guest.run(command).ok, command
    machine.snapshot(snapshot)


class LabProject(Project):
    """A project on that lab, whose first machine may come from another snapshot."""

    site_file: Path

    def on(self, site_file: Path, snapshot: str = "clean", machines: int = 2) -> None:
        """Write a site file of the lab's first machines beside the lab's own, for the secrets are there."""
        head, *entries = site_file.read_text("utf-8").split("[[machines]]")
        entries[0] = entries[0].replace('"clean"', f'"{snapshot}"')
        leases = f'url = "sqlite:///{self.pytester.path}/leases.sqlite3"'
        text = "[[machines]]".join([re.sub(r"url = .*", leases, head), *entries[:machines]])
        # named after the test: the lab lives longer than it
        self.site_file = site_file.with_name(f"{self.pytester.path.name}.toml")
        self.site_file.write_text(text, "utf-8")
        self.site = str(self.site_file)

    def verdict_of(self, scenario: str) -> tuple[str, str, str]:
        """Give a scenario's verdict, its fault and its reason."""
        line = self.result_of(scenario)
        return line["verdict"], line["fault"], line["reason"]

    def result_of(self, scenario: str) -> dict[str, Any]:
        """Give the line of a scenario's only cell in the journal."""
        return next(line for cell, line in self.results().items() if cell.endswith(f"::{scenario}"))


@pytest.fixture
def lab_project(pytester: pytest.Pytester) -> LabProject:
    """Make a project with its own scenarios."""
    project = LabProject(pytester)
    project.write("conftest.py", CONFTEST)
    return project


def _standing(site: Site, number: int) -> tuple[Standing | None, float]:
    store = open_store(site)
    try:
        with store.reading() as turn:
            return standing(turn, key_of(site, site.machines[number])), turn.now
    finally:
        store.close()


def test_a_machine_that_updated_itself_blocks_and_is_put_away(lab_project: LabProject, lab_of_two: Path) -> None:
    """A product that fails there is not blamed; the next cell gets the machine that is as declared."""
    lab_project.on(lab_of_two, "updated")
    lab_project.matrix("fails", "works", builds='"22631.4037"')
    lab_project.run_here("matrices/demo.toml")
    verdict, fault, reason = lab_project.verdict_of("fails")
    assert (verdict, fault) == ("blocked", "site")
    assert "win11-23h2-a: drifted: carries 22631.9999, the matrix wants 22631.4037" in reason
    assert lab_project.verdict_of("works")[0] == "passed"
    assert lab_project.result_of("works")["machine"] == "win11-23h2-b"
    away, now = _standing(read_site(lab_project.site_file), 0)
    assert away is not None
    assert away.in_quarantine(now)
    assert "22631.9999" in str(away.quarantined)
    kept = [lab_project.folder / piece["path"] for piece in lab_project.result_of("fails")["evidence"]]
    assert [json.loads(file.read_text("utf-8"))["build"] for file in kept] == ["22631.9999"]


def test_a_restart_that_waits_blocks(lab_project: LabProject, lab_of_two: Path) -> None:
    """Nobody needs to declare that."""
    lab_project.on(lab_of_two, "waiting", machines=1)
    lab_project.matrix("fails", builds="22631")
    lab_project.run_here("matrices/demo.toml")
    verdict, fault, reason = lab_project.verdict_of("fails")
    assert (verdict, fault) == ("blocked", "site")
    assert "drifted: pending restart: component servicing, wanted is none" in reason


def test_what_is_declared_and_true_is_recorded_in_every_place(lab_project: LabProject, lab_of_two: Path) -> None:
    """Evidence, journal and page hold the environment, the clock and the snapshot that the machine came from."""
    lab_project.on(lab_of_two, "waiting", machines=1)
    demands = """
        [environment]
        edition = "enterprise"
        language = "en-US"
        minimum_builds = ["22631.4000"]
        free_disk_gb = 0.1
        updates = "off"
        defender = "on"
        pending_reboot = "any"
        """
    lab_project.matrix("works", builds="22631", more=demands)
    lab_project.run_here("matrices/demo.toml")
    result = lab_project.result_of("works")
    assert result["verdict"] == "passed", result["reason"]
    told = result["guest"]
    assert told["Windows Update"] == "off"
    assert told["Defender"] == "on"
    assert told["pending restart"] == "component servicing"
    assert told["clock"] == "right to the second"
    assert re.match(r"(clean/)?(updated/)?waiting \(snapshot-\d+\), taken 20\d\d-", told["snapshot"])
    evidence = lab_project.folder / result["evidence"][0]["path"]
    assert json.loads(evidence.read_text("utf-8")) == told
    page = (lab_project.folder / "report.html").read_text("utf-8")
    assert "<dt>Defender<dd>on" in page


def test_a_guest_that_cannot_tell_blocks_only_what_demands_it(lab_project: LabProject, lab_of_two: Path) -> None:
    """Wine has no virus scanner to speak of: a demand for one blocks, and the machine is not put away for it."""
    lab_project.on(lab_of_two, machines=1)
    lab_project.matrix("works", builds="22631", more='[environment]\ndefender = "off"\n')
    lab_project.run_here("matrices/demo.toml")
    verdict, _, reason = lab_project.verdict_of("works")
    assert verdict == "blocked"
    assert "does not tell its Defender, the matrix wants off" in reason
    now = _standing(read_site(lab_project.site_file), 0)
    assert now[0] is not None
    assert not now[0].in_quarantine(now[1])


def _run(command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command that was printed for a person, with this Python's own wincompat."""
    words = shlex.split(command)
    assert words[0] == "wincompat"
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", *words[1:]], capture_output=True, text=True, timeout=300, **options
    )


@pytest.fixture
def connection(lab_of_two: Path) -> Iterator[VCenter]:
    """Connect to the lab."""
    with connected(read_site(lab_of_two)) as vcenter:
        yield vcenter


def _kept_snapshots(vcenter: VCenter, entry: SiteMachine) -> set[str]:
    machine = vcenter.machine(entry.model_copy(update={"snapshot": "no such snapshot"}))
    with pytest.raises(Exception, match="no snapshot") as caught:
        machine.snapshot_seen()
    return set(re.findall(rf"{KEPT}[^,/;]*", str(caught.value)))


def test_a_failed_machine_is_kept_for_a_person(lab_project: LabProject, lab_of_two: Path, connection: VCenter) -> None:
    """It stands as the product left it, nobody else gets it, and the printed commands look at it and give it back."""
    lab_project.on(lab_of_two, machines=1)
    lab_project.matrix("fails", "works", builds="22631")
    run = lab_project.run_here("--keep=failed", "--keep-for=1h", "matrices/demo.toml")
    kept = lab_project.result_of("fails")["kept"]
    run.stdout.fnmatch_lines(
        [
            f"KEPT win11-23h2-a as win11-23h2::demo::fails left it, until *, snapshot {KEPT}*",
            f"  look at it:   {kept['attach']}",
            "  repeat it:    pytest --site=* matrices/demo.toml::win11-23h2::demo::fails",
            f"  give it back: {kept['release']}",
        ]
    )
    page = (lab_project.folder / "report.html").read_text("utf-8")
    assert kept["attach"] in page
    verdict, fault, reason = lab_project.verdict_of("works")
    assert (verdict, fault) == ("blocked", "site")
    assert "no machine may be used: Lab/vm/Windows/win11-23h2-a is kept until" in reason
    site = read_site(lab_project.site_file)
    now = _standing(site, 0)
    assert now[0] is not None
    assert now[0].held(now[1] + 3000)
    assert not now[0].held(now[1] + 3700)
    assert _kept_snapshots(connection, site.machines[0]) == {kept["snapshot"]}

    looked = _run(kept["attach"] + r' -c "type C:\ProgramData\left.txt"')
    assert looked.stdout.strip() == "half a product"
    assert looked.returncode == 0

    gave = _run(kept["release"])
    assert gave.returncode == 0, gave.stderr
    assert kept["snapshot"] in gave.stdout
    assert _kept_snapshots(connection, site.machines[0]) == set()
    assert _run(kept["release"]).returncode == 1, "nobody has kept it"
    with leased(site, site.machines[0].windows, holder="the next one") as lease:
        assert isinstance(lease, Lease)
        held = _run(kept["attach"])
        assert held.returncode == 3
        assert "the next one" in held.stderr


def test_the_next_revert_takes_a_kept_snapshot_away(lab_of_two: Path, connection: VCenter) -> None:
    """A machine whose time is over is as it was, whoever forgot it."""
    entry = connection.site.machines[0]
    machine = connection.machine(entry)
    machine.revert()
    machine.snapshot(f"{KEPT}one")
    machine.snapshot(f"{KEPT}two")
    assert _kept_snapshots(connection, entry) == {f"{KEPT}one", f"{KEPT}two"}
    machine.revert()
    assert _kept_snapshots(connection, entry) == set()
    assert machine.snapshot_seen().path == "clean"


def test_only_what_was_asked_for_is_kept(lab_project: LabProject, lab_of_two: Path) -> None:
    """A cell that passed, and one that is blocked, leave their machine to the next one."""
    lab_project.on(lab_of_two, machines=1)
    lab_project.matrix("works", "also_works", builds="22631")
    lab_project.run_here("--keep=failed", "matrices/demo.toml")
    assert set(lab_project.verdicts().values()) == {"passed"}
    assert [line["kept"] for line in lab_project.results().values()] == [None, None]


def test_a_person_talks_with_a_machine_a_line_at_a_time(lab_of_two: Path, connection: VCenter, tmp_path: Path) -> None:
    """A folder that was entered is remembered, a mistake is told, and Ctrl-C ends the command in the guest."""
    entry = connection.site.machines[1]
    connection.machine(entry).revert()
    with Guest.of(connection.site, entry) as guest:
        guest.wait_until_ready(300)
    attach = f"wincompat attach {shlex.quote(str(lab_of_two))} {entry.path}"
    said = "cd C:\\Program Files\ncd nowhere\ncd\ncmd /c exit 7\n\nexit\necho never\n"
    talked = _run(attach, input=said)
    assert talked.stdout.split("\n")[-2:] == [r"C:\Program Files", ""]
    assert "[exit code 7]" in talked.stderr
    assert _run(attach + " -c 'cmd /c exit 1603'").returncode == 1

    words = [sys.executable, "-m", "harness.cli", *shlex.split(attach)[1:], "-c", "echo begun & ping -n 90 127.0.0.1"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as talking:
        assert talking.stdout is not None
        assert talking.stdout.readline().strip() == "begun"
        os.kill(talking.pid, signal.SIGINT)
        assert talking.wait(120) == 130
    assert "ping" not in _run(attach + " -c tasklist").stdout.lower()

    connection.machine(entry).power_off()
    off = _run(attach)
    assert (off.returncode, off.stderr) == (3, "win11-23h2-b: it is powered off; power it on in vSphere\n")
    connection.machine(entry).revert()

    picture = tmp_path / "console.png"
    assert _run(f"wincompat screenshot {shlex.quote(str(lab_of_two))} win11-23h2-b {picture}").returncode == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
