"""The place of the runs takes nothing any more while the journal is written: what is there stays, the rest is told."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from .project import CONFTEST, QUIET, Project

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no process's files")

LIMITED = '''
import resource

def fills(cell):
    """From now on the system lets no file of this process grow beyond the journal and a part of a line."""
    (journal,) = Path("build/runs").glob("*/journal.jsonl")
    limit(journal.stat().st_size + 100)

def frees(cell):
    """There is space again."""
    limit(resource.RLIM_INFINITY)

def limit(size):
    """Limit the size of files."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
'''


@pytest.fixture
def limited(project: Project) -> Project:
    """Have scenarios that fill the disk and make room on it."""
    scenarios = CONFTEST.replace("(passes, fails,", "(fills, frees, passes, fails,").replace(
        "def passes", f"from pathlib import Path\n{LIMITED}\ndef passes", 1
    )
    project.write("conftest.py", scenarios)
    return project


def run(project: Project) -> subprocess.CompletedProcess[str]:
    """Run the cells of one build; what is said goes through a pipe, which has no size."""
    words = [f"--site={project.site}", *QUIET, "-p", "no:xdist", "matrices/demo.toml", "-k", "win10"]
    command = [sys.executable, "-m", "pytest", *words]
    return subprocess.run(command, cwd=project.pytester.path, capture_output=True, text=True, check=False)


def test_what_could_not_be_written_is_told_in_one_line(limited: Project) -> None:
    """What was written before stays whole; the run holds, and nobody is told that nothing is lost."""
    limited.matrix("passes", "fills", "fails", "hangs", "asserts")
    result = run(limited)
    assert result.returncode == pytest.ExitCode.TESTS_FAILED
    (told,) = [line for line in result.stdout.splitlines() if "cannot be written" in line]
    assert told.startswith("! ")
    assert "journal.jsonl cannot be written: File too large; 4 of 5 results are nowhere but in this output" in told
    assert "nothing is lost" not in result.stdout
    heading, *lines = (limited.folder / "journal.jsonl").read_text("utf-8").splitlines()
    assert json.loads(heading)["journal"] == "pytest-wincompat"
    assert [json.loads(line)["cell"].rpartition("::")[2] for line in lines] == ["passes"]


def test_a_disk_that_has_space_again_gets_what_it_missed(limited: Project) -> None:
    """Each result is in the journal once, in the order of the cells, and there is nothing to be told."""
    limited.matrix("passes", "fills", "fails", "frees", "hangs")
    assert "cannot be written" not in run(limited).stdout
    _, *lines = (limited.folder / "journal.jsonl").read_text("utf-8").splitlines()
    cells = [json.loads(line)["cell"].rpartition("::")[2] for line in lines]
    assert cells == ["passes", "fills", "fails", "frees", "hangs"]
