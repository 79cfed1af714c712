"""The gate's answer for CI services: well-formed, within their limits, and never obeying what a guest wrote."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.gate.deciding import decide
from harness.gate.decision import Decision, read_decision
from harness.gate.evidence import Evidence, Seen, cells_of
from harness.gate.outputs import azure, github, plain
from harness.gate.outputs.ctrf import ctrf
from harness.gate.outputs.gitlab import code_quality
from harness.gate.outputs.junit import junit
from harness.gate.outputs.markdown import markdown
from harness.gate.policy import Policy
from tests.gate.cases import ENDED, ISSUE, NOW, cell, plan, result, waiver

HOSTILE = (
    "it said <script>alert(1)</script> | [x](http://evil.example) _www.evil.example @everyone #1 `\n::error::pwned\n"
    "##vso[task.complete result=Succeeded;]done\r\n##[error]x \x1b[31m\u202e\x00\ufffe ]]> %0A::warning::x"
)


@pytest.fixture
def case() -> tuple[tuple[Seen, ...], Decision]:
    """Judge a lab run with a bit of everything: a hostile failure, a waived one, a known one, one that only warns."""
    planned = [cell(), cell(scenario="upgrade"), cell(scenario="denied"), cell(scenario="rollback"), cell(ENDED)]
    skipped, silent = cell("26200", skip="no licence"), cell("26200", "upgrade")
    results = (
        result(planned[0]),
        result(planned[1], "failed", reason=HOSTILE, fingerprint="beef123456", machine=HOSTILE),
        result(planned[2], "hung", fingerprint="feed123456"),
        result(planned[3], "failed", known_issue=ISSUE.id, seconds=float("nan")),
        result(planned[4], "failed", reason="too old a Windows"),
    )
    run = plan(*planned, skipped, silent, is_lab=True)
    signed = waiver(fingerprints=("feed123456",), reason=f"accepted {HOSTILE}")
    decision = decide(Evidence(plan=run, results=results, run="r1"), Policy(), (signed,), now=NOW)
    return cells_of(run, results), decision


Case = tuple[tuple[Seen, ...], Decision]


def test_every_output_names_the_waiver_its_person_and_its_end(case: Case) -> None:
    """Who overrode a hold stands wherever its answer is read."""
    cells, decision = case
    written = {
        "plain": "\n".join(plain.lines(decision)),
        "json": decision.model_dump_json(),
        "junit": junit(cells, decision),
        "ctrf": ctrf(cells, decision),
        "markdown": markdown(cells, decision),
        "github": "\n".join(github.workflow_commands(cells, decision)),
        "gitlab": code_quality(cells, decision),
        "azure": "\n".join(azure.commands(decision, None)),
    }
    for name, text in written.items():
        assert all(word in text for word in ("REL-1", "Ada", "2026-12-01")), name


def test_gate_json_comes_back_as_it_was_written(case: Case, tmp_path: Path) -> None:
    """Whoever reads the file has the whole answer; what cannot be read is no answer."""
    file = tmp_path / "gate.json"
    decision = case[1].model_copy(update={"sentence": "plain"})
    decision.write(file)
    again = read_decision(file)
    assert again is not None
    assert [one.rule for one in again.reasons] == [one.rule for one in decision.reasons]
    file.write_text("{}")
    assert read_decision(file) is None


def test_junit_is_xml_with_right_counts_and_the_cells_by_build(case: Case) -> None:
    """What holds is a failure or an error, what is excused is skipped with both reasons."""
    cells, decision = case
    root = ElementTree.fromstring(junit(cells, decision))  # noqa: S314 - ours
    assert next(suite.get("name") for suite in root) == "gate"
    for suite in root:
        assert suite.get("tests") == str(len(suite.findall("testcase")))
    assert root.get("tests") == str(len(root.findall(".//testcase")))
    told = {
        f"{one.get('classname')}.{one.get('name')}": (one[0].tag, one[0].get("message"))
        for one in root.iter("testcase")
        if len(one)
    }
    assert told["Windows 11 24H2.mytool.upgrade"][0] == "failure"
    assert told["Windows 11 25H2.mytool.upgrade"][0] == "error"
    assert "waived by Ada until 2026-12-01" in str(told["Windows 11 24H2.mytool.denied"])
    assert "accepted: known-issue" in str(told["Windows 11 24H2.mytool.rollback"])
    assert "warns only" in str(told["Windows 10 22H2.mytool.install"])
    assert told["Windows 11 25H2.mytool.install"] == ("skipped", "skipped; no licence")


def test_ctrf_has_what_the_format_demands_and_nothing_that_it_does_not_know(case: Case) -> None:
    """By the published schema of CTRF 1: required keys, allowed keys, kinds of values."""
    document = json.loads(ctrf(*case))
    assert document["reportFormat"] == "CTRF"
    assert re.fullmatch(r"1\.\d+\.\d+", document["specVersion"])
    assert set(document) <= {"reportFormat", "specVersion", "reportId", "timestamp", "generatedBy", "extra", "results"}
    results = document["results"]
    assert set(results) == {"tool", "summary", "tests", "environment"}
    summary = results["summary"]
    assert {"tests", "passed", "failed", "skipped", "pending", "other", "start", "stop"} <= set(summary)
    assert all(type(value) is int for value in summary.values())
    assert (
        summary["tests"]
        == len(results["tests"])
        == sum(summary[status] for status in ("passed", "failed", "skipped", "pending", "other"))
    )
    known = {
        "id", "name", "status", "rawStatus", "duration", "start", "stop", "suite", "message", "labels", "flaky",
        "filePath", "steps",
    }  # fmt: skip
    for test in results["tests"]:
        assert {"name", "status", "duration"} <= set(test) <= known
        assert type(test["duration"]) is int
        assert test["status"] in ("passed", "failed", "skipped", "pending", "other")
        assert all(isinstance(value, str | bool) for value in test["labels"].values())
        assert all(set(step) == {"name", "status"} for step in test["steps"])
    assert len({test["id"] for test in results["tests"]}) == summary["tests"]
    assert document["extra"]["gate"]["word"] == "hold"


def test_no_line_of_a_log_is_an_order_that_a_guest_wrote(case: Case) -> None:
    """GitHub obeys lines that begin with ::, Azure DevOps ##vso[ wherever it stands: only ours may be there."""
    cells, decision = case
    lines = [*plain.lines(decision), *github.workflow_commands(cells, decision), *azure.commands(decision, None)]
    for line in lines:
        assert len(line.splitlines()) == 1
        ours = line.startswith(("::error ", "::warning ", "::notice ", "##vso[task."))
        assert ours or not line.startswith("::")
        assert line.count("##vso[") + line.count("##[") == line.startswith("##vso[")
        assert all(char.isprintable() for char in line)
    assert sum("task.complete" in line and line.startswith("##vso[task.complete") for line in lines) == 1
    assert "##vso[task.complete result=Failed;]" in "\n".join(lines)


def test_markdown_shows_a_guests_words_as_words(case: Case) -> None:
    """No tag, no link, no cell of a table, nobody called and no ticket named by what a guest printed."""
    text = markdown(*case)
    assert "<script" not in text
    assert "http://" not in text
    assert "www." not in text
    assert "@everyone" not in text
    assert "\\[x\\](" in text
    assert "not Windows evidence" in text
    rows = [line for line in text.splitlines() if line.startswith("| ⛔")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}


def test_markdown_keeps_to_its_size_in_bytes_and_says_what_is_left_out() -> None:
    """GitHub refuses a summary that is too long as a whole; what decides comes first."""
    planned = [cell(scenario=f"scenario-{number}") for number in range(3_000)]
    results = tuple(
        result(one, "failed", reason=f"ä{number}" * 100, fingerprint="") for number, one in enumerate(planned)
    )
    decision = decide(Evidence(plan=plan(*planned), results=results, run="r"), Policy(), now=NOW)
    text = markdown(cells_of(plan(*planned), results), decision, most=50_000)
    assert len(text.encode()) <= 50_000
    assert "lines more would not fit here" in text
    assert "Hold" in text.splitlines()[0]


def test_github_gets_at_most_ten_annotations_of_a_kind_and_its_files(case: Case, tmp_path: Path) -> None:
    """What GitHub would drop is counted in the last one; summary and outputs are appended where the job says."""
    results = tuple(
        result(cell(scenario=f"scenario-{name}"), "failed", reason=name * 9, fingerprint=name)
        for name in "abcdefghijklmno"
    )
    run = plan(*(cell(scenario=one.scenario) for one in results))
    many = decide(Evidence(plan=run, results=results, run="r"), Policy(), now=NOW)
    commands = list(github.workflow_commands(cells_of(run, results), many))
    assert len(commands) == 10
    assert "7 reasons more" in commands[-1]
    files = {name: str(tmp_path / name) for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
    github.announce(*case, files)
    assert (tmp_path / "GITHUB_OUTPUT").read_text().startswith("decision=hold\nsentence=Hold: ")
    assert len((tmp_path / "GITHUB_OUTPUT").read_text().splitlines()) == 2
    assert "Hold" in (tmp_path / "GITHUB_STEP_SUMMARY").read_text()


def test_gitlab_gets_findings_with_stable_fingerprints_beside_the_matrix(case: Case) -> None:
    """Code quality wants each finding with a path, a line, a severity of its five and a fingerprint of its own."""
    found = json.loads(code_quality(*case))
    assert found == json.loads(code_quality(*case))
    assert len({one["fingerprint"] for one in found}) == len(found)
    for one in found:
        assert set(one) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert one["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert one["location"]["lines"]["begin"] == 1
    assert {one["location"]["path"] for one in found} == {"matrices/release.toml", "gate.toml"}
