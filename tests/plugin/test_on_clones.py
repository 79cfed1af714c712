"""Whole runs on clones of lab machines: each cell has one of its own, and none is left."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from harness.machines.clones import clones_of
from harness.machines.marks import Mark
from harness.machines.vcenter import connected
from harness.site import Site, read_site

from .project import Project


@pytest.fixture
def clone_project(project: Project, lab_site_file: Path) -> Project:
    """Make a project on linked clones of the lab's machine of build 19044, two at most."""
    folder = project.pytester.path
    lab = lab_site_file.parent
    written = (
        lab_site_file.read_text("utf-8").replace('"secrets/', f'"{lab}/secrets/').replace('"ca.pem"', f'"{lab}/ca.pem"')
    )
    source = next(one for one in read_site(lab_site_file).machines if one.windows.number == 19044)
    project.write(
        "site.toml",
        written.partition("[[machines]]")[0].replace("[budgets]\n", "[budgets]\nsettle = 0.2\n")
        + f'[[machines]]\npath = "{source.path}"\nbuild = 19044\nsnapshot = "{source.snapshot}"\n'
        + 'strategy = "linked-clone"\n[machines.clones]\nat_most = 2\n',
    )
    package = folder / "demo-1.0.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("demo.cmd", "@echo demo 1.0\r\n")
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    project.write(
        "fixtures/products/demo.toml",
        'id = "demo"\nname = "Demo"\nkind = "zip"\ninstall_dir = \'C:\\Program Files\\Demo\'\ndeadline = 300\n'
        f'[[versions]]\nversion = "1.0"\nfile = "../../demo-1.0.zip"\nsha256 = "{digest}"\n'
        "[proofs]\nfiles = ['{install_dir}\\demo.cmd']\n"
        '[proofs.command]\nrun = \'"{install_dir}\\demo.cmd"\'\nprints = "demo {version}"\n',
    )
    return project


def left(project: Project) -> list[Mark]:
    """Look which clones of our machine there are."""
    site: Site = read_site(project.pytester.path / "site.toml")
    with connected(site) as vcenter:
        return [clone.mark for clone in clones_of(vcenter)]


def test_cells_run_on_clones_side_by_side(clone_project: Project) -> None:
    """A matrix passes on linked clones, each worker with its own, and nothing is left."""
    clone_project.matrix("install", "denied", builds="19044")
    result = clone_project.run("-n2", "matrices/demo.toml")
    result.assert_outcomes(passed=2)
    machines = {line["machine"] for line in clone_project.results().values()}
    assert all(name.startswith("wincompat-win10-21h2-a-") for name in machines)
    for line in clone_project.results().values():
        assert [step["name"] for step in line["steps"]][:2] == ["lease a machine", "clone from the snapshot"]
        assert line["supplied"] == f"cloned from 'clean' of win10-21h2-a as {line['machine']}"
        assert line["guest"]["machine"] == line["supplied"]
    assert left(clone_project) == []


def test_clones_of_a_worker_that_dies_go_with_the_run(clone_project: Project) -> None:
    """A worker that is killed cannot destroy its clone; the controller does so at the end."""
    clone_project.write(
        "conftest.py",
        """
        import os

        def dies(machine):
            '''The worker goes down in the middle of the cell.'''
            os.kill(os.getpid(), 9)

        def pytest_wincompat_scenarios(config):
            return {"dies": dies}
        """,
    )
    clone_project.matrix("dies", builds="19044")
    clone_project.run("-n1", "--max-worker-restart=0", "matrices/demo.toml")
    assert set(clone_project.verdicts().values()) == {"not run"}
    assert left(clone_project) == []


@pytest.mark.slow
def test_the_clone_of_a_failed_cell_is_kept_for_a_person(clone_project: Project) -> None:
    """It is left running with its lease; the printed commands look into it and give it back, and the next cell runs."""
    clone_project.write(
        "conftest.py",
        """
        from harness.errors import ProductFailed

        def fails(guest, step):
            '''The product leaves a trace and fails.'''
            with step("install"):
                guest.run(r"echo half a product> C:\\\\ProgramData\\\\left.txt")
                raise ProductFailed("ended with 1603")

        def pytest_wincompat_scenarios(config):
            return {"fails": fails}
        """,
    )
    clone_project.matrix("fails", "install", builds="19044")
    site = clone_project.pytester.path / "site.toml"
    one = site.read_text("utf-8").replace("at_most = 2", "at_most = 1")
    site.write_text(one.replace("lease = ", "#").replace("[budgets]\n", "[budgets]\nlease = 20\n"), "utf-8")
    clone_project.run("--keep=failed", "--keep-for=1h", "matrices/demo.toml")
    results = {cell.rpartition("::")[2]: line for cell, line in clone_project.results().items()}
    assert results["fails"]["verdict"] == "failed"
    assert "is kept until" in results["install"]["reason"]
    kept = results["fails"]["kept"]
    assert [mark.kept.endswith(": failed") for mark in left(clone_project)] == [True]
    looked = printed(kept["attach"], "-c", r"type C:\ProgramData\left.txt")
    assert (looked.returncode, looked.stdout.strip()) == (0, "half a product"), looked.stderr
    gave = printed(kept["release"])
    assert gave.returncode == 0, gave.stderr
    assert left(clone_project) == []
    clone_project.run("-k", "install", "matrices/demo.toml").assert_outcomes(passed=1)
    missing = printed(kept["attach"])
    assert (missing.returncode, "no such machine" in missing.stderr) == (3, True)


def printed(command: str, *more: str) -> subprocess.CompletedProcess[str]:
    """Run a command as it was printed for a person."""
    words = [sys.executable, "-m", "harness.cli", *shlex.split(command)[1:], *more]
    return subprocess.run(words, capture_output=True, text=True, timeout=300)
