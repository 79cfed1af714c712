"""Shards of one run become one run: nothing is lost, nothing counts twice, and what is missing is seen."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.cli import wincompat
from harness.errors import AuthoringError
from harness.matrix import read_matrix
from harness.results.journal import Journal, read
from harness.results.merge import merge
from harness.results.plan import PlannedPackage
from harness.results.result import Fault, Result, Verdict
from harness.results.run import RunFolder
from harness.scenarios import SCENARIOS
from tests.plugin.project import Project
from tests.results.made_runs import DAY, failed, result, run

BUILDS = (19044, 19045, 22000, 22621, 22631, 26100)


def _verdicts(folder: RunFolder) -> dict[str, str]:
    return {one.build: str(one.verdict) for one in read(folder.journal_file).results}


def test_shards_become_one_run_with_their_evidence(tmp_path: Path) -> None:
    """Plan, results and evidence of all shards are in one folder, whose report can be made; it began with the first."""
    shards = [
        run(tmp_path / "a", result(19044), started=DAY + timedelta(minutes=5)),
        run(tmp_path / "b", failed(22631), is_lab=True, command="pytest b"),
    ]
    kept = shards[1].keep("win11-23h2::tool::install", "install.log", "Return value 3", kind="log")
    Journal(shards[1].journal_file).append(failed(22631, evidence=(kept,)))
    merged = merge(shards, into=tmp_path / "runs")
    plan, _ = merged.folder.read_plan()
    assert plan is not None
    assert (plan.run, plan.started, plan.is_lab, plan.matrix) == (merged.folder.run, DAY, True, "release")
    assert len(plan.cells) == 2
    assert _verdicts(merged.folder) == {"19044": "passed", "22631": "failed"}
    (evidence,) = (one for found in read(merged.folder.journal_file).results for one in found.evidence)
    file = merged.folder.evidence_file(evidence)
    assert file is not None
    assert file.read_text("utf-8") == "Return value 3"
    assert RunFolder.find("latest", parent=tmp_path / "runs").path == merged.folder.path


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    shards=st.lists(st.sets(st.sampled_from(BUILDS), min_size=1), min_size=1, max_size=4),
    order=st.randoms(use_true_random=False),
)
def test_the_order_of_shards_never_matters(
    tmp_path_factory: pytest.TempPathFactory, shards: list[set[int]], order: object
) -> None:
    """Every cell of every shard has one result, the one that was started last, in whatever order they are named."""
    folder = tmp_path_factory.mktemp("merge")
    made = [
        run(folder / "s", *(_at(build, number) for build in sorted(builds))) for number, builds in enumerate(shards)
    ]
    expected = {str(build): number for number, builds in enumerate(shards) for build in builds}
    shuffled = list(made)
    order.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own random
    found = read(merge(shuffled, into=folder / "m").folder.journal_file).results
    assert {one.build: int(one.machine) for one in found} == expected


def _at(build: int, number: int) -> Result:
    return result(build, started=DAY + timedelta(minutes=number), machine=str(number))


def test_a_result_counts_more_than_none(tmp_path: Path) -> None:
    """A shard that was stopped before a cell does not take away what another one found, however late it was."""
    late = DAY + timedelta(hours=1)
    shards = [
        run(tmp_path, failed(22631)),
        run(tmp_path, result(22631, verdict=Verdict.NOT_RUN, fault=Fault.HARNESS, started=late, steps=())),
    ]
    assert _verdicts(merge(shards, into=tmp_path / "m").folder) == {"22631": "failed"}


def test_a_cell_that_ran_twice_is_said_and_both_are_kept(tmp_path: Path) -> None:
    """The later result counts; the earlier one stays in the journal, for whoever looks for flaky cells."""
    shards = [run(tmp_path, result(22631, started=DAY + timedelta(hours=1))), run(tmp_path, failed(22631))]
    merged = merge(shards, into=tmp_path / "m")
    assert "win11-23h2::tool::install ran in more than one shard" in " ".join(merged.said)
    reading = read(merged.folder.journal_file)
    assert [str(one.verdict) for one in (*reading.earlier, *reading.results)] == ["failed", "passed"]


def test_a_job_that_never_started_is_seen(tmp_path: Path, pytester: pytest.Pytester) -> None:
    """With the matrix, the cells that no shard planned are planned, and so not run."""
    matrix = read_matrix(Project(pytester).matrix("install", name="release"), scenarios=list(SCENARIOS), files=False)
    shard = run(tmp_path, result(22631, cell="win11-23h2::demo::install", product="demo"))
    merged = merge([shard], into=tmp_path / "m", matrix=matrix)
    plan, _ = merged.folder.read_plan()
    assert plan is not None
    assert [one.cell for one in plan.cells] == ["win11-23h2::demo::install", "win10-21h2::demo::install"]
    assert merged.said == ("no shard planned 1 cell of the matrix: they count as not run",)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"matrix": "other"}, "different matrices: release and other"),
        (
            {"packages": (PlannedPackage(product="tool", version="1.2.0", sha256="b" * 64),)},
            r"different packages of tool 1\.2\.0: aaaaaaaaaaaa\.\.\. and bbbbbbbbbbbb",
        ),
    ],
)
def test_what_is_no_part_of_one_run_is_refused(tmp_path: Path, facts: dict[str, Any], words: str) -> None:
    """Another matrix or another package: their verdicts must not be added up."""
    package = PlannedPackage(product="tool", version="1.2.0", sha256="a" * 64)
    shards = [run(tmp_path, result(), packages=(package,)), run(tmp_path, failed(), **facts)]
    with pytest.raises(AuthoringError, match=words):
        merge(shards, into=tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_a_torn_shard_is_merged_and_said(tmp_path: Path) -> None:
    """A job that was killed in the middle of a line loses that line, and its plan still counts."""
    shard = run(tmp_path, result(22631), failed(19045))
    text = shard.journal_file.read_bytes()
    shard.journal_file.write_bytes(text[:-20])
    merged = merge([shard], into=tmp_path / "m")
    plan, _ = merged.folder.read_plan()
    assert plan is not None
    assert (len(plan.cells), _verdicts(merged.folder)) == (2, {"22631": "passed"})
    assert "cut off" in merged.said[0]


def test_the_command_takes_artifacts_as_ci_unpacks_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of jobs' folders is enough; the notes, the folder and the report are told."""
    monkeypatch.chdir(tmp_path)
    for job, build in (("job-1", 19044), ("job-2", 22631)):
        run(tmp_path / "artifacts" / job / "build/runs", result(build))
    done = CliRunner().invoke(wincompat, ["merge", "artifacts"])
    assert done.exit_code == 0, done.output
    assert "2 shards merged into" in done.output
    folder = RunFolder.find("latest", parent=tmp_path / "build/runs")
    assert folder.report_file.exists()
    assert json.loads(folder.plan_file.read_text("utf-8"))["matrix"] == "release"
    empty = CliRunner().invoke(wincompat, ["merge", "nowhere"])
    assert (empty.exit_code, "no such run" in empty.output) == (4, True)
