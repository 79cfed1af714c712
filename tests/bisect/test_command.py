"""``wincompat bisect`` with scenarios that need no machine: real cells, run by pytest, their journals read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.cli import wincompat
from tests.plugin.project import Project

CONFTEST = '''
import os
import time
from pathlib import Path

from harness.errors import ProductFailed

def works(cell, step):
    """It works, until a version."""
    with step("do it"):
        for line in Path("truth.txt").read_text().splitlines():
            candidate, word = line.split(" ", 1)
            if candidate == cell.version and word == "fails":
                raise ProductFailed(f"{cell.version} does not start on {cell.build.slug}")
            if candidate == cell.version and word == "waits":
                Path("waits").touch()
                time.sleep(60)

def pytest_wincompat_scenarios(config):
    return {"works": works}
'''


ASKED = ("matrices/demo.toml", "--build", "22631", "--site", "site.toml", "--scenario", "works", "--noise", "0.001")
ENV = {**os.environ, "PYTEST_ADDOPTS": "-p no:hypothesispytest -p no:xdist"}


class Bisection:
    """A project with four versions, and a file that says how each does."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.folder = project.pytester.path
        project.pytester.makeconftest(CONFTEST)
        product = self.folder / "fixtures/products/demo.toml"
        one = product.read_text("utf-8").partition("[[versions]]")[2].partition("[[versions]]")[0]
        versions = "".join("[[versions]]" + one.replace('"1.0"', f'"1.{minor}"') for minor in range(4))
        head, _, tail = product.read_text("utf-8").partition("[[versions]]")
        product.write_text(head + versions + "[proofs]" + tail.partition("[proofs]")[2], "utf-8")
        project.matrix("works", builds="19044, 19045, 22000, 22631")
        self.truth({})

    def truth(self, does: dict[str, str]) -> None:
        """Say of versions that each ``fails`` or ``waits``; the others work."""
        (self.folder / "truth.txt").write_text("".join(f"{one} {word}\n" for one, word in does.items()), "utf-8")

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start the command."""
        return subprocess.Popen(
            [sys.executable, "-m", "harness.cli", "bisect", *words],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENV,
        )

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run the command: exit status, standard output and standard error."""
        said, errors = (process := self.start(*words)).communicate(timeout=300)
        return process.returncode, said, errors


@pytest.fixture
def bisection(pytester: pytest.Pytester) -> Bisection:
    """Make a project to bisect."""
    return Bisection(Project(pytester))


def test_the_first_bad_version_is_found_and_can_be_repeated(bisection: Bisection) -> None:
    """Both neighbours are named with the reason, and the commands that are told repeat their cells."""
    bisection.truth({"1.2": "fails", "1.3": "fails"})
    status, said, errors = bisection.run(*ASKED)
    assert (status, errors) == (0, "")
    lines = said.splitlines()
    assert lines[:2] == [
        "step 1 of about 3: 1.3 on Windows 11 23H2: bad (1.3 does not start on win11-23h2)",
        "step 2 of about 3: 1.0 on Windows 11 23H2: good",
    ]
    steps = [line for line in lines if line.startswith("step ")]
    answer, failure = lines[len(steps) : len(steps) + 2]
    assert answer.startswith("1.2 is the first bad version of Demo on Windows 11 23H2, 1.1 the last good one (")
    assert "1.2 does not start" in failure
    good, bad = (line.strip() for line in lines if line.strip().startswith("pytest "))
    assert good == bad.replace("demo=1.2", "demo=1.1")
    repeated = subprocess.run([sys.executable, "-m", *bad.split()], cwd=bisection.folder, env=ENV, check=False)
    assert repeated.returncode == 1


@pytest.mark.slow
def test_a_bisection_that_is_stopped_goes_on_where_it_was(bisection: Bisection) -> None:
    """Ctrl-C ends the running cell, says how to go on, and --resume runs no finished cell again."""
    bisection.truth({"1.1": "waits", "1.2": "waits", "1.3": "fails"})
    process = bisection.start(*ASKED)
    until = time.monotonic() + 200
    while not (bisection.folder / "waits").exists() and time.monotonic() < until and process.poll() is None:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=100)
    assert process.returncode == 130
    (place,) = (bisection.folder / "build/bisects").iterdir()
    assert f"go on with: wincompat bisect --resume {place}" in errors
    before = _probes(place)
    assert [probe["candidate"] for probe in before] == ["1.3", "1.0"]
    bisection.truth({"1.3": "fails"})
    status, said, errors = bisection.run("--resume", str(place), "--json")
    assert (status, json.loads(said)["bad"]) == (0, "1.3"), errors
    assert _probes(place)[:2] == before
    # what is done is not done again, and a cell that ended while nobody watched counts
    (place / "bisect.json").write_text(_without_the_last(place), "utf-8")
    runs = len(list(place.glob("probes/*/*/journal.jsonl")))
    again, said_again, _ = bisection.run("--resume", str(place), "--json")
    assert (again, json.loads(said_again)["bad"]) == (0, "1.3")
    assert len(list(place.glob("probes/*/*/journal.jsonl"))) == runs


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        ((), 2, "name a matrix, or a bisection to --resume"),
        (("matrices/dmo.toml",), 4, "matrices/dmo.toml: no such file; did you mean 'demo.toml'?"),
        (
            ("matrices/demo.toml", "--build", "22631", "--product", "dmo"),
            4,
            "--product: no 'dmo' here; did you mean 'demo'?",
        ),
        (
            ("matrices/demo.toml", "--scenario", "works"),
            4,
            "--build: is missing; choose from 19044, 19045, 22000, 22631",
        ),
        (("matrices/demo.toml", "--build", "22621"), 4, "--build: no build '22621' in the matrix"),
        (
            ("matrices/demo.toml", "--build", "win11-23h3"),
            4,
            "--build: 'win11-23h3' is not a Windows build; did you mean",
        ),
        (("matrices/demo.toml", "--build", "22631", "--good", "1.9"), 4, "--good: no version '1.9' to try"),
        (("matrices/demo.toml", "--build", "22631", "--good", "1.3", "--bad", "1.3"), 4, "are both 1.3"),
        (("matrices/demo.toml", "--build", "22631", "--version", "1.3"), 4, "--version: versions are what is searched"),
        (
            ("matrices/demo.toml", "--build", "22631", "--from", "1.0"),
            4,
            "--from: only 'upgrade' starts from a version",
        ),
        (("matrices/demo.toml", "--build", "22631", "--site", "no.toml"), 4, "no.toml: no such file"),
        (("--resume", "nowhere"), 4, "nowhere: not a bisection"),
        (("--resume", "nowhere", "--build", "22631"), 2, "--build cannot change"),
    ],
)
def test_a_mistake_is_one_line(
    bisection: Bisection, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], status: int, line: str
) -> None:
    """What was typed wrong is answered in one line with the nearest right word, and leaves nothing behind."""
    monkeypatch.chdir(bisection.folder)
    result = CliRunner().invoke(wincompat, ["bisect", *words])
    assert (result.exit_code, line in result.stderr) == (status, True), result.stderr
    assert "Traceback" not in result.stderr
    assert not (bisection.folder / "build").exists()


def _probes(place: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((place / "bisect.json").read_text("utf-8"))["probes"]
    return found


def _without_the_last(place: Path) -> str:
    written = json.loads((place / "bisect.json").read_text("utf-8"))
    written["probes"] = written["probes"][:-1]
    return json.dumps(written)
