"""What becomes of a cell: verdicts, journal, known issues, exit status, summary."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.waiting import until

from .project import CONFTEST, QUIET, Project

EVERY_END = ("passes", "fails", "hangs", "is_lost", "breaks", "asserts")


def known_issue(**changes: str) -> str:
    """Write a known issue that covers the failing scenario."""
    entry = {
        "id": '"K1"',
        "ticket": '"T-1"',
        "reason": '"we know"',
        "expires": "2099-01-01",
        "matches": '"1603"',
        "scenarios": '["fails"]',
        **changes,
    }
    return "[[known_issues]]\n" + "\n".join(f"{key} = {value}" for key, value in entry.items()) + "\n"


def test_failed_and_hung_are_the_products_fault_and_nothing_else_is(project: Project) -> None:
    """An assertion is a failure, an outlived deadline is hung, a lost guest and a bug of ours are blocked."""
    project.matrix(*EVERY_END, builds="19044")
    result = project.run_here("matrices/demo.toml")
    found = {cell.rpartition("::")[2]: (line["verdict"], line["fault"]) for cell, line in project.results().items()}
    assert found == {
        "passes": ("passed", "nobody"),
        "fails": ("failed", "product"),
        "hangs": ("hung", "product"),
        "is_lost": ("blocked", "site"),
        "breaks": ("blocked", "harness"),
        "asserts": ("failed", "product"),
    }
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_a_search_for_the_reason_that_breaks_costs_its_cell_only(project: Project) -> None:
    """Whatever goes wrong while it is asked whose fault it is, that cell is blocked and the run goes on."""
    project.pytester.makeconftest(
        CONFTEST
        + """
from harness.plugin.record import record_key

@pytest.fixture(autouse=True)
def breaking(request):
    def doubt():
        raise OSError("the search broke")

    request.node.stash[record_key].doubts.append(doubt)
"""
    )
    project.matrix("fails", "passes", builds="19044")
    project.run_here("matrices/demo.toml")
    found = {cell.rpartition("::")[2]: line for cell, line in project.results().items()}
    assert (found["fails"]["verdict"], found["fails"]["fault"]) == ("blocked", "harness")
    assert "could not be found out: OSError the search broke" in found["fails"]["reason"]
    assert "msiexec ended with 1603" in found["fails"]["notes"][0]
    assert found["passes"]["verdict"] == "passed"


def test_a_failure_is_one_sentence(project: Project) -> None:
    """A product that failed is told in a sentence with the step, not in a traceback through the harness."""
    project.matrix("fails", builds="19044")
    output = project.run_here("matrices/demo.toml").stdout
    output.fnmatch_lines(["failed: msiexec ended with 1603 on win10-21h2 (step: install)"])
    assert "raise ProductFailed" not in output.str()
    assert "raise ProductFailed" in project.run_here("--tb=long", "matrices/demo.toml").stdout.str()


def test_a_step_is_recorded_with_its_end(project: Project) -> None:
    """The journal holds each step, with its time, and with its error where it raised."""
    project.matrix("passes", "fails", builds="19044")
    project.run_here("matrices/demo.toml")
    results = project.results()
    (well,), (ill,) = (results[f"win10-21h2::demo::{name}"]["steps"] for name in ("passes", "fails"))
    assert (well["name"], well["error"]) == ("do it", None)
    assert (ill["name"], ill["error"]) == ("install", "msiexec ended with 1603 on win10-21h2")


def test_the_plan_is_written_and_holds_skipped_cells(project: Project) -> None:
    """Every selected cell is planned, a skipped one with its reason, and skipping holds nothing."""
    project.matrix("passes", more='[[skips]]\nbuilds = [19044]\nreason = "no such machine"\n')
    assert project.run_here("matrices/demo.toml").ret == 0
    plan = json.loads((project.folder / "plan.json").read_text("utf-8"))
    assert [(cell["cell"], cell["skip"], cell["node"]) for cell in plan["cells"]] == [
        ("win10-21h2::demo::passes", "no such machine", "matrices/demo.toml::win10-21h2::demo::passes"),
        ("win11-23h2::demo::passes", None, "matrices/demo.toml::win11-23h2::demo::passes"),
    ]
    assert project.verdicts() == {"win10-21h2::demo::passes": "skipped", "win11-23h2::demo::passes": "passed"}


@pytest.mark.parametrize(
    "options",
    [
        ["-k", "win10"],
        ["--build", "19044"],
        ["--scenario", "passes"],
        ["matrices/demo.toml::win10-21h2::demo::passes"],
    ],
    ids=" ".join,
)
def test_a_run_knows_how_much_of_its_matrix_it_was_asked_for(project: Project, options: list[str]) -> None:
    """Whatever left cells out, the plan has the matrix's own number, and the summary says that it was a part."""
    project.matrix("passes", "asserts")
    place = [] if options[-1].startswith("matrices/") else ["matrices/demo.toml"]
    output = project.run_here(*options, *place).stdout.str()
    plan = json.loads((project.folder / "plan.json").read_text("utf-8"))
    assert plan["whole"] == 4
    assert len(plan["cells"]) < 4
    assert f"this run was narrowed to {len(plan['cells'])} of the 4 cells of its matrix (" in output


def test_a_whole_run_is_not_called_a_part(project: Project) -> None:
    """Also where options that could have left something out left nothing out."""
    project.matrix("passes")
    output = project.run_here("-k", "win10 or win11", "matrices/demo.toml").stdout.str()
    assert json.loads((project.folder / "plan.json").read_text("utf-8"))["whole"] == 2
    assert "narrowed" not in output


def test_a_known_issue_changes_no_verdict_and_holds_nothing(project: Project) -> None:
    """Pytest sees an expected failure and ends with 0; the journal keeps the verdict, and names the issue."""
    project.matrix("passes", "fails", more=known_issue())
    result = project.run_here("matrices/demo.toml")
    result.assert_outcomes(passed=2, xfailed=2)
    assert result.ret == 0
    line = project.results()["win10-21h2::demo::fails"]
    assert (line["verdict"], line["known_issue"]) == ("failed", "K1")
    result.stdout.fnmatch_lines(
        ["KNOWN ISSUE K1 on 2 cells*", "*exactly the expected findings were found: K1 on 2 cells*"]
    )


@pytest.mark.parametrize(
    "changes",
    [{"matches": '"1605"'}, {"where": '"lab"'}, {"expires": "2020-01-01"}],
    ids=["reason", "where", "expired"],
)
def test_a_known_issue_covers_its_own_reason_only(project: Project, changes: dict[str, str]) -> None:
    """Another reason, another place or a past date is a plain failure."""
    project.matrix("fails", builds="19044", more=known_issue(**changes))
    result = project.run_here("matrices/demo.toml")
    result.assert_outcomes(failed=1)
    assert project.results()["win10-21h2::demo::fails"]["known_issue"] is None


def test_a_known_issue_never_covers_a_blocked_cell(project: Project) -> None:
    """A lab fault is not excused by an issue of the product."""
    project.matrix("is_lost", builds="19044", more=known_issue(scenarios='["is_lost"]', matches='"stopped"'))
    assert project.run_here("matrices/demo.toml").ret == pytest.ExitCode.TESTS_FAILED


def test_a_strict_known_issue_that_does_not_occur_holds_the_run(project: Project) -> None:
    """What was expected and is gone must be closed: the cell passes in the journal, and the run does not."""
    project.matrix("passes", builds="19044", more=known_issue(scenarios='["passes"]', strict="true"))
    result = project.run_here("matrices/demo.toml")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["NOT CLOSED win10-21h2::demo::passes: known issue K1 (T-1) did not occur: close it*"])
    assert project.verdicts() == {"win10-21h2::demo::passes": "passed"}


def test_a_cell_that_left_no_result_is_not_run(project: Project) -> None:
    """After ``-x`` the cells behind the failure are journaled as not run, with the reason."""
    project.matrix("fails", "passes", builds="19044")
    assert project.run_here("-x", "matrices/demo.toml").ret != 0
    line = project.results()["win10-21h2::demo::passes"]
    assert (line["verdict"], line["reason"]) == ("not run", "the run ended before it: stopping after 1 failures")


def test_an_interrupted_run_is_written_down(project: Project) -> None:
    """After Ctrl-C the finished cells stand, the others are not run, and there is a report."""
    conftest = (project.pytester.path / "conftest.py").read_text("utf-8")
    project.write("conftest.py", conftest.replace("def hangs(cell):", "def hangs(cell):\n    raise KeyboardInterrupt"))
    project.matrix("passes", "hangs", "fails", builds="19044")
    assert project.run("matrices/demo.toml").ret == pytest.ExitCode.INTERRUPTED
    assert list(project.verdicts().values()) == ["passed", "not run", "not run"]
    assert (project.folder / "report.html").exists()


def test_workers_record_the_same(project: Project) -> None:
    """Under xdist the controller writes one journal and one plan, and a dead worker's cell is not run."""
    project.write(
        "conftest.py",
        (project.pytester.path / "conftest.py")
        .read_text("utf-8")
        .replace("def breaks(cell):", "def breaks(cell):\n    import os; os._exit(9)"),
    )
    project.matrix(*EVERY_END)
    result = project.run("-n2", "matrices/demo.toml", "--build", "19044", "--junitxml", "junit.xml")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert {cell.rpartition("::")[2]: verdict for cell, verdict in project.verdicts().items()} == {
        "passes": "passed",
        "fails": "failed",
        "hangs": "hung",
        "is_lost": "blocked",
        "breaks": "not run",
        "asserts": "failed",
    }
    assert "worker process died" in project.results()["win10-21h2::demo::breaks"]["reason"]
    assert "wincompat" in (project.pytester.path / "junit.xml").read_text("utf-8")
    assert json.loads((project.folder / "plan.json").read_text("utf-8"))["whole"] == 2 * len(EVERY_END)


def test_the_journal_outlives_the_controller(project: Project) -> None:
    """Killed in the middle of a cell, a run keeps every cell that had finished."""
    project.write(
        "conftest.py",
        (project.pytester.path / "conftest.py")
        .read_text("utf-8")
        .replace("def hangs(cell):", "def hangs(cell):\n    import time; time.sleep(600)"),
    )
    project.matrix("passes", "fails", "hangs", builds="19044")
    words = [sys.executable, "-m", "pytest", *QUIET, "--site", "site.toml", "matrices/demo.toml"]
    process = subprocess.Popen(words, cwd=project.pytester.path, stdout=subprocess.DEVNULL)
    try:
        until(lambda: _finished(project) >= 2)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert project.verdicts() == {"win10-21h2::demo::passes": "passed", "win10-21h2::demo::fails": "failed"}


def _finished(project: Project) -> int:
    try:
        return len(project.results())
    except (OSError, AssertionError):
        return 0


def test_the_summary_is_a_table_with_reasons_and_a_command(project: Project) -> None:
    """The last words are the matrix, each finding once, where the report is, and how to repeat what did not pass."""
    project.matrix("passes", "fails", "is_lost")
    project.run_here("matrices/demo.toml").stdout.fnmatch_lines(
        [
            "              win10-21h2  win11-23h2",
            "demo passes   pass        pass",
            "     fails    FAIL        FAIL",
            "     is_lost  BLOCKED     BLOCKED",
            "FAILED 2 cells (demo on *): msiexec ended with 1603 on win10-21h2 *[[]packaging ??????????]",
            "BLOCKED, not the product's fault: 2 cells *: vm-7: stopped answering; *[[]lab ??????????]",
            "2 of 6 cells passed; 2 failed and 2 blocked*",
            "report: file:///*report.html",
            "repeat what did not pass: pytest --site=site.toml matrices/demo.toml::win10-21h2::demo::fails *",
        ]
    )


def test_two_matrices_with_the_same_cells_stay_apart(project: Project) -> None:
    """A cell's name is unique in a run; where two matrices plan the same id, the matrix is part of it."""
    project.matrix("passes", builds="19044")
    project.matrix("passes", builds="19044", name="other")
    project.run_here("matrices").assert_outcomes(passed=2)
    assert sorted(project.verdicts()) == [
        "matrices/demo.toml::win10-21h2::demo::passes",
        "matrices/other.toml::win10-21h2::demo::passes",
    ]


def test_last_failed_repeats_failed_cells(project: Project) -> None:
    """Pytest's own memory knows cells as it knows every test, also those with a leg."""
    project.matrix("passes", "upgrade", builds="19044")
    project.run_here("matrices/demo.toml")
    again = project.run_here("--lf", "-v", "matrices/demo.toml")
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["matrices/demo.toml::win10-21h2::demo::upgrade[[]1.0->2.0] FAILED*"])


def test_a_cell_with_a_leg_is_named_by_its_id(project: Project) -> None:
    """The id that is printed, brackets and all, repeats the cell and is what JUnit sees."""
    project.matrix("passes", "upgrade", builds="19044")
    cell = "matrices/demo.toml::win10-21h2::demo::upgrade[1.0->2.0]"
    result = project.run_here("--junitxml", "junit.xml", cell)
    result.assert_outcomes(failed=1)
    assert 'name="upgrade[1.0-&gt;2.0]"' in (project.pytester.path / "junit.xml").read_text("utf-8")
    result.stdout.fnmatch_lines(["repeat what did not pass: pytest --site=site.toml 'matrices/*upgrade[[]1.0->2.0]'"])
