"""Whole runs on the lab: the plugin, the protocols, a guest."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from .project import Project

CONFTEST = '''
from harness.errors import ProductFailed

def switched_off(machine, guest, step):
    """Somebody cuts the power while the product is at work."""
    with step("install"):
        machine.power_off()
        guest.run("ver")

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

def waits_for_a_person(guest, step):
    """An installer opens a window and waits."""
    with step("install"):
        guest.run("notepad", deadline=3)

def fails_honestly(guest, step):
    """The machine is well, the product is not."""
    raise ProductFailed("ended with 1603")

def pytest_wincompat_scenarios(config):
    return {f.__name__: f for f in (switched_off, blames_too_early, restarted, waits_for_a_person, fails_honestly)}
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
        'id = "demo"\nname = "Demo"\nkind = "zip"\ninstall_dir = \'C:\\Program Files\\Demo\'\ndeadline = 30\n'
        + "".join(versions)
        + "[proofs]\nfiles = ['{install_dir}\\demo.cmd']\n"
        + '[proofs.command]\nrun = \'"{install_dir}\\demo.cmd"\'\nprints = "demo {version}"\n',
    )
    return project


def test_the_stories_are_proven_on_a_guest(lab_project: Project) -> None:
    """Install, upgrade and denied pass on a real guest; results carry provenance, machine, steps and evidence."""
    lab_project.matrix("install", "upgrade", "denied", builds="19044")
    result = lab_project.run_here("matrices/demo.toml")
    result.assert_outcomes(passed=3)
    for line in lab_project.results().values():
        assert line["provenance"].startswith("Wine ")
        assert line["machine"].startswith("win10-21h2")
        assert line["guest"]["build"].startswith("19044")
        assert [step["name"] for step in line["steps"]][:2] == ["lease a machine", "revert to the snapshot"]
        assert all((lab_project.folder / evidence["path"]).is_file() for evidence in line["evidence"])
    result.stdout.fnmatch_lines(["*no Windows evidence*"])


def test_a_machine_that_goes_away_is_never_the_products_fault(lab_project: Project) -> None:
    """Switched off or restarted in the middle of a step is blocked; an honest failure beside it stays a failure."""
    lab_project.matrix("switched_off", "blames_too_early", "restarted", "fails_honestly", builds="19044")
    lab_project.run_here("matrices/demo.toml")
    found = {cell.rpartition("::")[2]: (line["verdict"], line["fault"]) for cell, line in lab_project.results().items()}
    assert found == {
        "switched_off": ("blocked", "site"),
        "blames_too_early": ("blocked", "site"),
        "restarted": ("blocked", "site"),
        "fails_honestly": ("failed", "product"),
    }


def test_an_installer_that_waits_for_a_person_is_hung_and_photographed(lab_project: Project) -> None:
    """Past its deadline the command is ended, and the console's picture of that moment is kept."""
    lab_project.matrix("waits_for_a_person", builds="19044")
    lab_project.run_here("matrices/demo.toml").assert_outcomes(failed=1)
    (line,) = lab_project.results().values()
    assert line["verdict"] == "hung"
    (picture,) = (evidence for evidence in line["evidence"] if evidence["kind"] == "screenshot")
    assert (lab_project.folder / picture["path"]).read_bytes().startswith(b"\x89PNG")


def test_workers_share_the_machines(lab_project: Project) -> None:
    """Two workers run cells of one build side by side, each on a machine of its own."""
    lab_project.matrix("install", "upgrade", builds="19044, 22631")
    lab_project.run("-n2", "matrices/demo.toml").assert_outcomes(passed=4)
