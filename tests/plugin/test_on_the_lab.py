"""Whole runs on the lab: the plugin, the protocols, a guest."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from .project import Project

CONFTEST = '''
from harness.errors import ProductFailed

def blames_too_early(machine, guest, step):
    """The product seems to have failed, and the machine is off."""
    with step("install"):
        machine.power_off()
        raise ProductFailed("ended with 1603")

def restarted(machine, guest, step):
    """The product seems to have failed, and the machine is not the one it was."""
    with step("install"):
        machine.power_off()
        machine.power_on()
        raise ProductFailed("ended with 1603")

def fails_honestly(guest, step):
    """The machine is well, the product is not."""
    raise ProductFailed("ended with 1603")

def pytest_wincompat_scenarios(config):
    return {f.__name__: f for f in (blames_too_early, restarted, fails_honestly)}
'''


@pytest.fixture
def lab_project(project: Project, lab_site_file: Path) -> Project:
    """Make a project on the lab, with a ZIP whose program is a batch file, in two versions."""
    folder = project.pytester.path
    project.site = str(lab_site_file)
    project.write("conftest.py", CONFTEST)
    versions = []
    for version in ("1.0", "2.0"):
        package = folder / f"demo-{version}.zip"
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("demo.cmd", f"@echo demo {version}\r\n")
        digest = hashlib.sha256(package.read_bytes()).hexdigest()
        versions.append(f'[[versions]]\nversion = "{version}"\nfile = "../../{package.name}"\nsha256 = "{digest}"\n')
    project.write(
        "fixtures/products/demo.toml",
        'id = "demo"\nname = "Demo"\nkind = "zip"\ninstall_dir = \'C:\\Program Files\\Demo\'\ndeadline = 300\n'
        + "".join(versions)
        + "[proofs]\nfiles = ['{install_dir}\\demo.cmd']\n"
        + '[proofs.command]\nrun = \'"{install_dir}\\demo.cmd"\'\nprints = "demo {version}"\n',
    )
    return project


def test_the_stories_are_proven_on_guests(lab_project: Project) -> None:
    """Install, upgrade and denied pass on guests side by side, each with provenance, machine, steps and evidence."""
    lab_project.matrix("install", "upgrade", "denied", builds="19044")
    result = lab_project.run("-n2", "matrices/demo.toml")
    result.assert_outcomes(passed=3)
    for line in lab_project.results().values():
        assert line["provenance"].startswith("Wine ")
        assert line["machine"].startswith("win10-21h2")
        assert line["guest"]["build"].startswith("19044")
        assert [step["name"] for step in line["steps"]][:2] == ["lease a machine", "revert to the snapshot"]
        assert all((lab_project.folder / evidence["path"]).is_file() for evidence in line["evidence"])
    result.stdout.fnmatch_lines(["*no Windows evidence*"])


def test_a_machine_that_goes_away_is_never_the_products_fault(lab_project: Project) -> None:
    """Before the product is blamed its machine is asked: one that was off or restarted is the reason, and it alone."""
    lab_project.matrix("blames_too_early", "restarted", "fails_honestly", builds="19044")
    lab_project.run_here("matrices/demo.toml")
    found = {cell.rpartition("::")[2]: (line["verdict"], line["fault"]) for cell, line in lab_project.results().items()}
    assert found == {
        "blames_too_early": ("blocked", "site"),
        "restarted": ("blocked", "site"),
        "fails_honestly": ("failed", "product"),
    }


RESTARTS = '''
import time
from pathlib import Path

from harness.errors import GuestLost
from harness.lab.folder import LabFolder

LAB = Path({site!r})
FOLDER = LabFolder(LAB.parents[2], LAB.parent.name)
LONG = "ping -n 60 127.0.0.1 >nul"

def restart(machine):
    FOLDER.ask("POST", "faults", patience=60.0, name="restart", machine=machine.name)

def restarts_in_a_step(machine, guest, step):
    """The installer restarts Windows and never comes back from it."""
    with step("install"):
        restart(machine)
        guest.run(LONG, deadline=90)

def restarts_and_passes(machine, guest, step):
    """Everything can be proved, on a Windows that has started anew."""
    with step("install"):
        restart(machine)
        for _ in range(100):
            try:
                guest.run("ver")
            except GuestLost:
                break
            time.sleep(0.05)
    with step("prove"):
        for _ in range(100):
            try:
                guest.run("ver")
                break
            except GuestLost:
                time.sleep(0.1)

def somebody_resets(machine, guest, step):
    """Somebody presses the button while the product is at work."""
    with step("install"):
        machine._vm.ResetVM_Task()
        guest.run(LONG, deadline=90)

def somebody_restarts(machine, guest, step):
    """Somebody restarts the guest by way of VMware Tools."""
    with step("install"):
        machine._vm.RebootGuest()
        guest.run(LONG, deadline=90)

def pytest_wincompat_scenarios(config):
    found = (restarts_in_a_step, restarts_and_passes, somebody_resets, somebody_restarts)
    return {{f.__name__: f for f in found}}
'''


@pytest.mark.slow
def test_who_restarted_the_machine_decides_whose_fault_it_is(lab_project: Project) -> None:
    """A product that restarts it unasked has failed; what somebody at vSphere does is nobody's failure."""
    lab_project.write("conftest.py", RESTARTS.format(site=lab_project.site))
    names = ("restarts_in_a_step", "restarts_and_passes", "somebody_resets", "somebody_restarts")
    lab_project.matrix(*names, builds="19044")
    lab_project.run("matrices/demo.toml")
    found = {cell.rpartition("::")[2]: line for cell, line in lab_project.results().items()}
    assert {name: (line["verdict"], line["fault"]) for name, line in found.items()} == {
        "restarts_in_a_step": ("failed", "product"),
        "restarts_and_passes": ("failed", "product"),
        "somebody_resets": ("blocked", "site"),
        "somebody_restarts": ("blocked", "site"),
    }
    for name in names[:2]:
        assert found[name]["reason"].startswith("restarted the machine unasked")
    assert "was reset by administrator@lab.local at " in found["somebody_resets"]["reason"]
    assert "by way of VMware Tools" in found["somebody_restarts"]["reason"]
