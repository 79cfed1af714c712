"""Trying cells again: what passes then is flaky, what the lab did is told apart, and every try is kept."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from .project import Project

FICKLE = '''
import pytest
from harness.errors import GuestLost, Hung, NoMachine, ProductFailed

tries = []

def told(words):
    """Do one thing after the other, a try each: fail, hang, lose the guest, find no machine, break, pass."""
    def scenario(cell, step, fresh):
        tries.append(fresh)
        assert len(set(map(id, tries))) == len(tries)
        word = words[min(len(tries), len(words)) - 1]
        with step("install"):
            if word == "fail":
                raise ProductFailed(f"msiexec ended with 1603 after {len(tries)} tries", code="not-installed")
            if word == "hang":
                raise Hung("setup.exe /S", 30.0)
            if word == "lose":
                raise GuestLost("stopped answering", machine=f"vm-{len(tries)}", advice="look at it")
            if word == "none":
                raise NoMachine("nothing is free", machine="win10", advice="wait")
            if word == "break":
                raise RuntimeError("oops")
    return scenario

@pytest.fixture
def fresh():
    return object()

def pytest_wincompat_scenarios(config):
    return {"install": told(WORDS)}
'''


def tried(
    project: Project, *words: str, retries: int = 1, more: str = "", options: tuple[str, ...] = ()
) -> pytest.RunResult:
    """Run one cell that does one thing after the other."""
    project.write("conftest.py", FICKLE.replace("WORDS", repr(words)))
    project.matrix("install", builds="19044", more=more)
    return project.run_here(f"--retries={retries}", *options, "matrices/demo.toml")


def result_of(project: Project) -> dict[str, object]:
    """Read the only cell's result."""
    (result,) = project.results().values()
    return result


def test_what_passes_only_when_it_is_tried_again_is_flaky(project: Project) -> None:
    """It is never plain passed: verdict, sentence, cause and both tries say so; it is made on a fixture of its own."""
    run = tried(project, "fail", "pass", options=("-v",))
    assert run.ret == 0
    run.stdout.fnmatch_lines(["*::install RERUN*", "*::install PASSED*", "demo install  flaky"])
    run.stdout.fnmatch_lines(
        ["FLAKY, passed only when tried again: win10-21h2::demo::install: msiexec ended with 1603*"]
    )
    run.stdout.fnmatch_lines(["0 of 1 cell passed, 1 flaky*"])
    result = result_of(project)
    assert (result["verdict"], result["fault"], result["cause"]) == ("flaky", "product", "packaging")
    attempts = result["attempts"]
    assert isinstance(attempts, list)
    assert [(one["verdict"], one["fingerprint"] == result["fingerprint"]) for one in attempts] == [
        ("failed", True),
        ("passed", False),
    ]
    assert attempts[0]["reason"] == "msiexec ended with 1603 after 1 tries"


@pytest.mark.parametrize(
    ("words", "retries", "verdict", "attempts"),
    [
        (("pass",), 2, "passed", []),
        (("fail",), 0, "failed", []),
        (("fail",), 2, "failed", ["failed", "failed", "failed"]),
        (("hang", "fail", "pass"), 2, "flaky", ["hung", "failed", "passed"]),
        (("lose", "pass"), 1, "passed", ["blocked", "passed"]),
        (("lose", "fail", "pass"), 2, "flaky", ["blocked", "failed", "passed"]),
        (("fail", "lose"), 1, "failed", ["failed", "blocked"]),
        (("lose", "fail"), 1, "failed", ["blocked", "failed"]),
        (("none", "pass"), 1, "blocked", []),
        (("break", "pass"), 1, "blocked", []),
    ],
)
def test_tries_add_up_to_one_verdict(
    project: Project, words: tuple[str, ...], retries: int, verdict: str, attempts: list[str]
) -> None:
    """A failure is never taken back by a try that proved nothing, and a lab that failed once makes nothing flaky."""
    tried(project, *words, retries=retries)
    result = result_of(project)
    found = result["attempts"]
    assert isinstance(found, list)
    assert (result["verdict"], [one["verdict"] for one in found]) == (verdict, attempts)


def test_a_lab_fault_that_was_tried_again_is_said(project: Project) -> None:
    """A cell that passed after the lab had failed is passed, and its notes say what went before."""
    tried(project, "lose", "pass")
    notes = result_of(project)["notes"]
    assert notes == ["attempt 1 of 2 was blocked by the site: vm-1: stopped answering; look at it"]


def test_a_known_issue_is_not_tried_again(project: Project) -> None:
    """What is expected to fail fails once."""
    issue = '[[known_issues]]\nid = "K1"\nticket = "T-1"\nreason = "we know"\nexpires = 2099-01-01\n'
    tried(project, "fail", "pass", more=issue).assert_outcomes(xfailed=1)
    assert result_of(project)["attempts"] == []


def test_junit_shows_tries_as_ci_servers_know_them(project: Project) -> None:
    """One test case, neither failed nor twice there, with a flakyFailure; what fails for good has rerunFailures."""
    tried(project, "fail", "lose", "pass", retries=2, options=("--junitxml=junit.xml",))
    (case,) = ElementTree.parse(project.pytester.path / "junit.xml").iter("testcase")  # noqa: S314 - we wrote it
    told = [(child.tag, child.get("type"), child.get("message")) for child in case if child.tag != "properties"]
    assert told == [
        ("flakyFailure", "failed, packaging", "msiexec ended with 1603 after 1 tries"),
        ("flakyError", "blocked, lab", "vm-2: stopped answering; look at it"),
    ]


def test_junit_counts_a_failure_once(project: Project) -> None:
    """The last try is the failure, the one before it a rerunFailure."""
    tried(project, "fail", options=("--junitxml=junit.xml",))
    tree = ElementTree.parse(project.pytester.path / "junit.xml")  # noqa: S314 - we wrote it
    (suite,) = tree.iter("testsuite")
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    assert [child.tag for child in next(tree.iter("testcase")) if child.tag != "properties"] == [
        "failure",
        "rerunFailure",
    ]


def test_workers_try_again_too(project: Project) -> None:
    """Under xdist a try that is repeated is no crash, and the cell has one result."""
    project.write("conftest.py", FICKLE.replace("WORDS", repr(("fail", "pass"))))
    project.matrix("install", builds="19044")
    run = project.run("-n1", "--retries=1", "matrices/demo.toml")
    assert run.ret == 0
    assert project.verdicts() == {"win10-21h2::demo::install": "flaky"}


def test_a_number_of_retries_that_is_none_is_refused(project: Project) -> None:
    """An option that means nothing is answered in one line."""
    project.matrix("passes")
    run = project.run_here("--retries=often", "matrices/demo.toml")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(["*--retries: 'often' should be a number from 0 to 10"])
