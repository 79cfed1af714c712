"""A page about a part of a matrix never reads as if it were about the whole, nor beside whole runs as one of them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.report.page import write_report
from harness.results.result import Step
from harness.results.run import RunFolder
from tests.report.test_life import _words
from tests.results.made_runs import DAY, failed, result, run

BUILDS = (19044, 19045, 22000, 22621, 22631)
WHOLE: dict[str, Any] = {"whole": len(BUILDS)}
PART: dict[str, Any] = {"whole": len(BUILDS), "command": "pytest matrices/release.toml --lf"}


def _day(parent: Path, day: int, *builds: int, broken: tuple[int, ...] = (), **plan: Any) -> RunFolder:
    at = DAY + timedelta(days=day)
    ends = [(failed if build in broken else result)(build, started=at) for build in builds]
    return run(parent, *ends, started=at, **plan)


def _page(folder: RunFolder) -> str:
    return _words(write_report(folder.path).read_text("utf-8"))


def test_a_part_is_no_loss_of_coverage(tmp_path: Path) -> None:
    """The page says what it was asked for, counts the rest, and calls no cell gone that nobody asked for."""
    _day(tmp_path, 0, *BUILDS, **WHOLE)
    page = _page(_day(tmp_path, 1, 22621, 22631, **PART))
    assert "This run was narrowed to 2 of the 5 cells of its matrix (--lf)." in page
    assert "nothing is said of the other 3" in page
    assert "3 cells were not asked for this time, and nothing is said of them." in page
    assert "gone from the plan" not in page
    assert "AS EXPECTED" in page
    assert "SHIP" not in page


def test_a_part_stands_among_its_own_cells(tmp_path: Path) -> None:
    """One cell of five fails in every run: a part of just that cell has 0 % then as now, not a rate that fell."""
    for day in range(3):
        _day(tmp_path, day, *BUILDS, broken=(22631,), **WHOLE)
    page = _page(_day(tmp_path, 3, 22631, broken=(22631,), **PART))
    assert "Pass rate 0.0 % 0.0 % before" in page
    assert "Of the 1 cell of this run alone" in page


def test_a_whole_run_is_compared_with_the_last_whole_one(tmp_path: Path) -> None:
    """What was run in parts meanwhile is neither what it is compared with, nor a dip in its trend; that is said."""
    _day(tmp_path, 0, *BUILDS, **WHOLE)
    _day(tmp_path, 1, *BUILDS, broken=(19044,), **WHOLE)
    _day(tmp_path, 2, 19044, broken=(19044,), **PART)
    page = _page(_day(tmp_path, 3, *BUILDS, **WHOLE))
    assert "Since the last whole run (2026-11-02" in page
    assert "1 fixed" in page
    assert "new in the plan" not in page
    assert "1 run that was narrowed is left out" in page
    assert "Pass rate 100.0 % 80.0 % before" in page


def test_a_part_is_told_of_no_step_that_it_did_not_take(tmp_path: Path) -> None:
    """What became slower elsewhere is not news of a run that was not asked for it."""
    for day in range(15):
        at, slow = DAY + timedelta(days=day), 12.0 if day > 7 else 9.0
        steps = (Step(name="install 1.2.0", started=1.0, seconds=slow + 0.013 * (day * 7 % 5)),)
        run(tmp_path, result(19044, started=at), result(22631, started=at, steps=steps), started=at, whole=2)
    at = DAY + timedelta(days=15)
    whole = run(tmp_path, result(19044, started=at), result(22631, started=at, steps=steps), started=at, whole=2)
    assert "slower by" in _page(whole)
    assert "slower by" not in _page(run(tmp_path, result(19044, started=at), started=at, whole=2))


def test_with_parts_alone_before_it_only_their_cells_are_compared(tmp_path: Path) -> None:
    """There is no trend then, and no cell is new because the part before was not asked for it."""
    _day(tmp_path, 0, 19044, broken=(19044,), **PART)
    page = _page(_day(tmp_path, 1, *BUILDS, **WHOLE))
    assert "That run was narrowed to 1 of the 5 cells of its matrix (--lf)." in page
    assert "4 cells were not asked for then, and nothing is said of them." in page
    assert "new in the plan" not in page
    assert "Pass rate" not in page


def test_two_whole_runs_say_what_is_gone_and_new(tmp_path: Path) -> None:
    """A matrix that lost a build and won another one is told as before."""
    _day(tmp_path, 0, 19044, 22631, whole=2)
    page = _page(_day(tmp_path, 1, 22631, 22621, whole=2))
    assert "1 gone from the plan" in page
    assert "1 new in the plan" in page
    assert "was narrowed" not in page
