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
        'id = "demo"\nname = "Demo"\nkind = "zip"\ninstall_dir = \'C:\\Program Files\\Demo\'\ndeadline = 30\n'
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
