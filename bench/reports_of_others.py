"""What pytest-html and Allure 3 make of the very cells that our page tells: each as its own documentation has it.

They are given each cell's name, verdict and reason alone; our page holds the steps, evidence and machines as well.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from bench.spending import Spent, spend
from harness.results import journal
from harness.results.run import RunFolder

KEPT = Path("build/bench")  # where they are installed, once
PYTEST_HTML, ALLURE_PYTEST, ALLURE = "4.2.0", "2.16.2", "3.18.0"

_TESTS = """
import json
from pathlib import Path
import pytest

CELLS = json.loads(Path(__file__).with_name("cells.json").read_text("utf-8"))

@pytest.fixture
def cell(request):
    name, verdict, reason = request.param
    if verdict == "blocked":
        pytest.fail(reason, pytrace=False)
    return request.param

@pytest.mark.parametrize("cell", CELLS, ids=[name for name, _, _ in CELLS], indirect=True)
def test(cell):
    name, verdict, reason = cell
    if verdict != "passed":
        pytest.fail(reason, pytrace=False)
"""


@dataclass(frozen=True, slots=True)
class Made:
    """A report of somebody else's: its page, what it cost beyond the tests, and the element that tells it is ready."""

    name: str
    page: Path
    spent: Spent
    ready: str
    first: str = ""  # a script to run before the page's own


def made_by_others(run: RunFolder, folder: Path) -> Iterator[Made]:
    """Make each report of the run's cells; who cannot be had here is named, with the reason."""
    try:
        python = _python()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"pytest-html and Allure are left out: they cannot be installed ({error})")
        return
    cells = [[one.cell, one.verdict.value, one.reason] for one in journal.read(run.journal_file).results]
    folder.mkdir()
    (folder / "cells.json").write_text(json.dumps(cells), encoding="utf-8")
    (folder / "test_cells.py").write_text(_TESTS, encoding="utf-8")
    plain = _tests(python, folder)
    page = folder / "pytest-html.html"
    spent = _tests(python, folder, f"--html={page}", "--self-contained-html")
    # a row that a script has drawn for each test; the page's own template holds one more
    rows = f"#results-table > tbody:nth-of-type({len(cells)})"
    yield Made(f"pytest-html {PYTEST_HTML}", page, _beyond(plain, spent), rows)
    try:
        allure = _allure()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"Allure 3 is left out: it cannot be installed ({error})")
        return
    if allure is None:
        print("Allure 3 is left out: there is no npm (apt-get install npm)")
        return
    results, config, target = folder / "allure-results", folder / "allurerc.json", folder / "allure-report"
    written = _beyond(plain, _tests(python, folder, f"--alluredir={results}", "--clean-alluredir"))
    config.write_text('{"plugins": {"awesome": {"options": {"singleFile": true}}}}')
    words = [allure, "generate", results, "--config", config, "--output", target]
    generated = spend([str(word) for word in words], cwd=folder)
    page = max(target.rglob("*.html"), key=lambda file: file.stat().st_size)
    both = Spent(written.cpu + generated.cpu, written.clock + generated.clock)
    # it looks for its figures before the browser has read so long a page, and then stays empty, unless it knows of them
    yield Made(f"Allure {ALLURE}", page, both, "[data-testid=tree-leaf]", "window.allureReportData = {}")


def _tests(python: Path, folder: Path, *plugin: str) -> Spent:
    words = [str(python), "-m", "pytest", "-q", "-q", "--tb=line", "-p", "no:cacheprovider", "-c", "/dev/null", *plugin]
    return min((spend([*words, "test_cells.py"], cwd=folder) for _ in range(2)), key=lambda one: one.cpu)


def _beyond(plain: Spent, spent: Spent) -> Spent:
    return Spent(spent.cpu - plain.cpu, spent.clock - plain.clock)


def _python() -> Path:
    """Install the two plugins beside a pytest of the same version as ours, in an environment of their own."""
    wanted = [f"pytest=={metadata.version('pytest')}", f"pytest-html=={PYTEST_HTML}", f"allure-pytest=={ALLURE_PYTEST}"]
    place = KEPT / "python"
    python, said = place / "bin" / "python", place / "installed.txt"
    if not said.exists() or said.read_text() != "\n".join(wanted):
        venv.create(place, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *wanted], check=True, capture_output=True)
        said.write_text("\n".join(wanted))
    return python.absolute()


def _allure() -> Path | None:
    npm = shutil.which("npm")
    if npm is None:
        return None
    place = KEPT / f"allure-{ALLURE}"
    program = place.absolute() / "node_modules" / ".bin" / "allure"
    if not program.exists():
        place.mkdir(parents=True, exist_ok=True)
        words = [
            npm,
            "install",
            "--prefix",
            str(place),
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            f"allure@{ALLURE}",
        ]
        subprocess.run(words, check=True, capture_output=True)
    return program
