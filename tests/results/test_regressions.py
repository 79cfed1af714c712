"""A slower step is found, dated and sized; noise, slow machines and spikes are not taken for one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from harness.cli import wincompat
from harness.errors import AuthoringError
from harness.results import regressions
from harness.results.changes import Rules, shifts
from harness.results.costs import cost, read_costs
from harness.results.journal import Journal, read
from harness.results.plan import Plan
from harness.results.regressions import courses, in_words
from harness.results.result import Result, Step, Verdict
from harness.results.run import RunFolder
from harness.results.timings import TIMINGS, timings
from harness.results.trends import trend

from .histories import history

pytest.importorskip("ruptures", reason="needs pip install pytest-wincompat[regressions]")
pytest.importorskip("scipy", reason="needs pip install pytest-wincompat[regressions]")


def test_a_step_that_became_slower_is_told_with_size_version_and_build() -> None:
    """The sentence says how much, since which version, and that no other build is concerned."""
    found = courses(history(1, slower=1.2, builds=("22621", "22631")))
    assert {(it.build, it.role) for it in found if it.verdict == "slower"} == {
        ("22621", "install {version}"),
        ("22631", "install {version}"),
    }
    (words,) = in_words(found)
    assert words.startswith("ninja-msi, install 1.11.0: slower by ")
    assert words.endswith(" since 1.11.0 (run of 2026-10-11), on Windows 11 only")
    shift = next(it.moved.shift for it in found if it.moved is not None)
    assert 1.1 < shift.low < shift.ratio < shift.high < 1.3
    assert shift.delta > 0.9


def test_a_slowdown_everywhere_is_told_once_and_a_faster_step_is_no_slower_one() -> None:
    """The same change on every build is one sentence, and an improvement is called one."""
    builds = ("19044", "19045", "22621", "22631")
    (words,) = in_words(courses(history(2, slower=0.8, builds=builds, versions=((0, "1.10.0"),))))
    assert ": faster by " in words
    assert words.endswith(", on every build")
    assert "which was no new version (1.10.0)" in words


def test_few_runs_are_called_too_few_and_never_steady() -> None:
    """Twelve runs prove nothing, however far apart they are; silence would be taken for good news."""
    found = courses(history(3, runs=12, slower=3.0, coming=6))
    assert {it.verdict for it in found} == {"too few samples"}
    assert in_words(found) == ["too few samples to say for all steps: 12 runs at most, at least 13 are needed"]


def test_a_slower_machine_is_not_a_slower_product() -> None:
    """Where the machine itself became slower, the steps before the product show it, and it is taken out."""
    frame = history(4, versions=((0, "1.10.0"),))
    late = frame["run"] >= "run-030"
    frame.loc[late, "seconds"] *= 1.3
    frame.loc[late, "machine"] = frame.loc[late, "machine"] + "-new-host"
    assert [it for it in courses(frame) if it.verdict != "steady"] == []


def test_a_minimum_effect_and_mended_slowdowns_are_kept_apart() -> None:
    """What is proven but small is steady; what was slower for a time and no more is told as it is now."""
    frame = history(5, slower=1.2)
    assert {it.verdict for it in courses(frame, Rules(effect=0.5))} == {"steady"}
    level = np.concatenate([np.zeros(20), np.full(15, 0.3), np.zeros(15)])
    values = level + np.random.default_rng(0).normal(0, 0.03, 50)
    found = shifts(values, Rules())
    assert [(it.position, it.ratio > 1) for it in found] == [(20, True), (35, False)]


def test_spikes_and_constant_series_are_no_changes() -> None:
    """Two spikes side by side are no new level, and a clock that always says the same thing breaks nothing."""
    values = np.random.default_rng(1).normal(0, 0.04, 50)
    values[[24, 25, 48, 49]] += 0.5
    assert shifts(values, Rules()) == []
    assert shifts(np.zeros(50), Rules()) == []


def test_without_the_libraries_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an extra brings is asked for by name, never by a traceback."""
    monkeypatch.setattr(regressions, "find_spec", lambda name: None if name == "ruptures" else object())
    with pytest.raises(AuthoringError, match=r"pip install pytest-wincompat\[regressions\]"):
        courses(history(0, runs=3))


@pytest.mark.slow
def test_the_figures_hold() -> None:
    """Of 200 histories without a change two at most raise an alarm; a slowdown of 10 % is found and dated."""
    from bench.regressions import figures

    every = list(figures())
    assert [str(figure) for figure in every if not figure.met] == []


def test_runs_become_a_frame_in_which_versions_move_on(tmp_path: Path) -> None:
    """A step is the same one in every run, whatever version it names, and what broke off is not timed."""
    _runs(tmp_path, versions=["1.9.0", "1.10.0"])
    frame = timings([RunFolder(path) for path in sorted(tmp_path.glob("2*"))])
    assert list(frame.columns) == list(TIMINGS)
    assert frame["role"].unique().tolist() == ["install {version}"]
    assert frame[["step", "version"]].to_numpy().tolist() == [["install 1.9.0", "1.9.0"], ["install 1.10.0", "1.10.0"]]


def test_a_trend_counts_what_was_judged_and_names_the_undecided(tmp_path: Path) -> None:
    """Blocked cells are in no pass rate, and a cell that fails and passes in turn is named."""
    passed, failed, blocked = Verdict.PASSED, Verdict.FAILED, Verdict.BLOCKED
    _runs(tmp_path, versions=["1.0.0"] * 4, verdicts=[passed, failed, passed, blocked])
    went = trend([RunFolder(path) for path in tmp_path.glob("2*")])
    assert [one.pass_rate for one in went.runs] == [1.0, 0.0, 1.0, None]
    assert [(one.cell, one.flips, one.runs) for one in went.unsteady] == [("a", 2, 3)]


def test_a_coarse_clock_hides_no_slowdown() -> None:
    """Times in whole tenths come again and again; a step that clearly takes longer is found all the same."""
    seconds = [9.0, 9.1, 9.2, 9.0, 9.1, 9.2, 9.0, 9.1, 12.2, 12.0, 12.1, 12.2, 12.0, 12.1, 12.2]
    (found,) = shifts(np.log(seconds), Rules())
    assert found.position == 8


def test_costs_come_from_the_sites_own_numbers(tmp_path: Path) -> None:
    """A cell that a person would have needed 40 minutes for is reckoned with 40 minutes, and wrong keys are named."""
    _runs(tmp_path, versions=["1.0.0"])
    (run,) = (RunFolder(path) for path in tmp_path.glob("2*"))
    file = tmp_path / "costs.toml"
    file.write_text("[manual]\nminutes_per_cell = 10\nper_hour = 60\n[manual.scenarios]\ninstall = 40\n")
    found = cost(read(run.journal_file).results, read_costs(file))
    assert (found.cells, found.hours_by_hand, found.by_hand) == (1, 40 / 60, 40.0)
    assert found.machine_hours == pytest.approx(1 / 360)
    assert [(one.name, one.cells, one.hours_by_hand) for one in found.scenarios] == [("install", 1, 40 / 60)]
    file.write_text("[manual]\nminutes_pro_cell = 10\n")
    with pytest.raises(AuthoringError, match="minutes_per_cell"):
        read_costs(file)
    assert read_costs(Path(__file__).parents[2] / "fixtures/costs.toml").currency == "EUR"


def test_the_command_prints_words_and_json(tmp_path: Path) -> None:
    """People read lines, programs read JSON, and both say the same."""
    _runs(tmp_path, versions=["1.0.0"] * 3)
    said = CliRunner().invoke(wincompat, ["trend", str(tmp_path)])
    assert said.exit_code == 0, said.output
    assert "too few samples to say for all steps: 3 runs at most, at least 13 are needed" in said.output
    told = json.loads(CliRunner().invoke(wincompat, ["trend", str(tmp_path), "--json"]).output)
    assert [run["pass_rate"] for run in told["runs"]] == [1.0, 1.0, 1.0]
    assert told["timings"]["steps"][0]["verdict"] == "too few samples"
    assert CliRunner().invoke(wincompat, ["trend", str(tmp_path / "none")]).exit_code == 4


def _runs(folder: Path, *, versions: list[str], verdicts: list[Verdict] | None = None) -> None:
    """Write a run for each version: one cell of ten seconds with one step, and one step that broke off."""
    for number, version in enumerate(versions):
        at = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=number)
        run = RunFolder.create(folder, now=at)
        run.write_plan(Plan(run=run.run, started=at))
        Journal(run.journal_file).append(
            Result(
                cell="a",
                build="22631",
                product="demo",
                kind="msi",
                scenario="install",
                verdict=(verdicts or [Verdict.PASSED] * len(versions))[number],
                machine="one",
                started=at,
                seconds=10.0,
                steps=(
                    Step(name=f"install {version}", started=0.0, seconds=8.0),
                    Step(name="prove", started=8.0, seconds=2.0, error="no"),
                ),
            )
        )
