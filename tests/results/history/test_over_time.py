"""A history tells of its runs what their folders would tell."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pandas as pd
from click.testing import CliRunner

from harness.cli import wincompat
from harness.results.history.over_time import over_time
from harness.results.history.rows import Source, rows
from harness.results.history.store import History
from harness.results.result import Step, Verdict
from harness.results.run import RunFolder
from harness.results.timings import timings
from harness.results.trends import trend
from tests.results.made_runs import DAY, failed, result, run


def _kept(tmp_path: Path, days: int) -> tuple[History, list[RunFolder]]:
    history, folders = History(str(tmp_path / "history")), []
    for day in range(days):
        at = DAY + timedelta(days=day)
        steps = (
            Step(name="install 1.2.0", started=1.0, seconds=10.0 + day % 3),
            Step(name="x", started=2, seconds=1.5),
        )
        ends = [
            (failed if day % 2 else result)(22631, started=at, seconds=30.0, steps=steps),
            result(19045, started=at + timedelta(minutes=1), seconds=50.5, steps=steps),
            result(19044, verdict=Verdict.FLAKY if day == 2 else Verdict.PASSED, started=at, steps=steps),
        ]
        folder = run(tmp_path / "runs", *ends, started=at)
        history.put(rows(Source.of(folder)))
        folders.append(folder)
    return history, folders


def test_a_history_tells_what_the_folders_would(tmp_path: Path) -> None:
    """How runs went, which cells are unsteady, and the timings are the same, whichever they are taken from."""
    history, folders = _kept(tmp_path, 5)
    found, steps = over_time(history)
    assert found == trend(folders)
    assert [one.cell for one in found.unsteady] == ["win11-23h2::tool::install"]
    of_folders = timings(folders).sort_values(["at", "run"], kind="stable")
    pd.testing.assert_frame_equal(steps, of_folders.reset_index(drop=True))


def test_only_the_last_runs_are_told(tmp_path: Path) -> None:
    """``last`` counts runs, not months."""
    history, _ = _kept(tmp_path, 5)
    found, steps = over_time(history, last=2)
    assert [one.at.day for one in found.runs] == [4, 5]
    assert steps["run"].nunique() == 2
    empty, none = over_time(History(str(tmp_path / "empty")))
    assert (empty.runs, len(none)) == ((), 0)


def test_the_command_takes_a_history(tmp_path: Path) -> None:
    """``wincompat trend --history`` says the same as of folders, and refuses what a history does not know."""
    _kept(tmp_path, 4)
    said = [
        CliRunner().invoke(wincompat, ["trend", "--json", *words])
        for words in (["--history", str(tmp_path / "history")], [str(tmp_path / "runs")])
    ]
    assert [one.exit_code for one in said] == [0, 0], said[0].output
    assert json.loads(said[0].output) == json.loads(said[1].output)
    refused = CliRunner().invoke(wincompat, ["trend", "--history", "x", "--costs", "costs.toml"])
    assert (refused.exit_code, "knows no costs" in refused.output) == (2, True)
    nothing = CliRunner().invoke(wincompat, ["trend", "--history", str(tmp_path / "nothing")])
    assert (nothing.exit_code, "no run yet" in nothing.output) == (0, True)
