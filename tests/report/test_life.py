"""The page of a run that has a past: what changed, what moved, what was predicted, and one finding for one failure."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from harness.gate.decision import FILE, Decision, Reason
from harness.predictions import Preflight
from harness.report.charts.boxes import boxes_view
from harness.report.charts.trend import moves, trend_view
from harness.report.compose import page_view
from harness.report.earlier import runs_before
from harness.report.findings import finding_views
from harness.report.foretold import Foretold, predictions_view
from harness.report.page import write_report
from harness.report.view import PageView
from harness.results import journal
from harness.results.frames import cells_frame, steps_frame
from harness.results.plan import Plan
from harness.results.result import Result, Verdict
from harness.results.run import RunFolder
from harness.results.tally import decide

from .life import COSTS, RELEASED, RUNS, SLOWER_SINCE, life
from .sample import BEGAN, sample_run

SAMPLE = Path(__file__).parents[2] / "reports" / "sample.html"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Write a run with all that came before it."""
    return life(tmp_path_factory.mktemp("life"))


@pytest.fixture(scope="module")
def view(folder: RunFolder) -> PageView:
    """Lay out its page."""
    return page_view(folder, folder.report_file)[0]


def _read(folder: RunFolder) -> tuple[Plan, tuple[Result, ...]]:
    plan, _ = folder.read_plan()
    assert plan is not None
    return plan, tuple(journal.read(folder.journal_file).results)


def _words(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


def test_changes_are_told_since_the_last_run_and_since_the_last_that_was_let_ship(view: PageView) -> None:
    """Nobody has to name the release: the gate's own decision lies in its folder."""
    since_run, since_release = view.changes
    day = BEGAN - timedelta(days=RUNS - RELEASED)
    assert since_run.since.startswith("Since the last run (2026-11-19")
    assert since_release.since.startswith(f"Since the last run that was let ship ({day:%Y-%m-%d}")
    assert since_run.sentence.startswith("1 newly failing, 3 fixed")
    assert since_release.sentence.startswith("4 newly failing")


def test_a_run_that_was_let_ship_is_found_however_long_ago(tmp_path: Path) -> None:
    """It is found behind more runs than the trend shows, and is told once where it is the last one."""
    ship = Decision(word="ship", sentence="Ship.", decided=BEGAN)
    for number in range(44):
        run = sample_run(tmp_path, builds=(22631,), began=BEGAN - timedelta(days=50 - number))
        if number in (0, 43):
            ship.write(run.path / FILE)
    last = sample_run(tmp_path, builds=(22631,))
    assert [each.is_release for each in runs_before(last, _read(last)[0])].count(True) == 1
    assert len(page_view(last, last.report_file)[0].changes) == 1
    (RunFolder.find(run.path).path / FILE).unlink()
    before = runs_before(last, _read(last)[0])
    assert before[0].is_release
    assert len(before) == 41
    assert len(page_view(last, last.report_file)[0].changes) == 2


def test_a_line_is_marked_where_it_moved(view: PageView) -> None:
    """The pass rate fell once for good, and a step of one product became slower on one build: both are dated."""
    pytest.importorskip("ruptures", reason="needs pip install pytest-wincompat[regressions]")
    assert view.trend is not None
    assert view.pace is not None
    rate = view.trend.lines[0]
    assert len(rate.marks) == len(rate.moved) == 1
    assert "91.8 % before, 88.5 % from then on" in rate.moved[0]
    assert view.trend.lines[2].marks == ()
    slower = BEGAN - timedelta(days=RUNS - SLOWER_SINCE)
    assert re.match(r"ninja-msi, install 1\.13\.0: slower by \d+ % to \d+ % since", view.pace.sentences[0])
    assert "on Windows 11 23H2 only" in view.pace.sentences[0]
    (line,) = view.pace.lines
    assert f"{slower:%Y-%m-%d}" in line.moved[0]


def test_a_line_that_only_wavers_is_not_marked() -> None:
    """Noise is no move, a level that changes without any noise is one, and few runs say nothing."""
    pytest.importorskip("ruptures", reason="needs pip install pytest-wincompat[regressions]")
    noise = np.random.default_rng(1)
    for _ in range(20):
        assert moves(list(0.9 + noise.normal(0, 0.01, 30)), 0.01) == ()
    assert moves([0.95] * 10 + [0.85] * 8, 0.01) == (10,)
    assert moves([0.95] * 10 + [float("nan")] + [0.85] * 8, 0.01) == (11,)
    assert moves([0.95] * 6 + [0.85] * 6, 0.01) == ()


def test_without_a_past_the_page_says_so_or_nothing(tmp_path: Path) -> None:
    """A first run has no trend and no changes; a second one is told from when on moves are marked."""
    first = sample_run(tmp_path, builds=(22631,), began=BEGAN - timedelta(days=1))
    view, _ = page_view(first, first.report_file)
    assert (view.trend, view.pace, view.changes) == (None, None, ())
    assert view.boxes is not None
    assert view.boxes.runs == 0
    second = sample_run(tmp_path, builds=(22631,))
    again, _ = page_view(second, second.report_file)
    assert again.trend is not None
    assert "13 runs" in again.trend.note
    assert again.pace is None


def test_boxes_are_of_the_runs_before_and_this_run_is_marked_on_them(folder: RunFolder) -> None:
    """A step that became slower stands to the right of its box, with both medians in words."""
    plan, results = _read(folder)
    cells, steps = cells_frame(plan, results), steps_frame(results)
    before = runs_before(folder, plan)
    slow = steps["product"].eq("ninja-msi") & steps["build"].eq("22631") & steps["step"].eq("install 1.13.0")
    boxes = boxes_view(steps[slow], cells, before)
    assert boxes is not None
    assert boxes.runs == RUNS
    (row,) = boxes.groups[0].rows
    assert row.now > row.box.middle
    assert row.before
    assert row.before != row.median
    alone = boxes_view(steps[slow], cells)
    assert alone is not None
    assert alone.groups[0].rows[0].before == ""


def test_a_step_is_one_step_whatever_the_version(tmp_path: Path) -> None:
    """What was "install 1.12.0" in the runs before stands behind "install 1.13.0" of this one."""
    for number in range(3):
        run = sample_run(tmp_path, builds=(22631,), began=BEGAN - timedelta(days=3 - number))
        text = run.journal_file.read_text("utf-8")
        run.journal_file.write_text(text.replace("1.13.0", "1.12.0"), "utf-8")
    last = sample_run(tmp_path, builds=(22631,))
    view, _ = page_view(last, last.report_file)
    assert view.boxes is not None
    (group,) = [group for group in view.boxes.groups if group.step == "install 1.13.0"]
    assert group.rows[0].before


def test_predictions_stand_beside_what_was_seen(folder: RunFolder, view: PageView) -> None:
    """Of the run as a whole, what was contradicted first; and of each cell."""
    found = view.predictions
    assert found is not None
    assert found.sentence.startswith("4 packages read before the run, 17 predictions for cells: ")
    assert found.sentence.endswith("10 contradicted, 3 as predicted and 4 did not happen.")
    assert [(row.code, [(end.standing, end.number) for end in row.ends]) for row in found.rows] == [
        ("schedules-reboot", [("contradicted", "10 cells")]),
        ("exe-may-ask", [("as predicted", "1 cell"), ("did not happen", "4 cells")]),
        ("needs-windows-11", [("as predicted", "2 cells")]),
        ("unsigned", []),
    ]
    assert found.troubles == ("ninja-1.13.0.zip: it is no ZIP",)
    told = {cell.key: cell for _, cells in view.cells for cell in cells}
    (upgrade,) = told[found.rows[0].ends[0].key].foretold
    assert (upgrade.standing, upgrade.predicted, upgrade.seen) == ("contradicted", "exits-3010", "the cell passed")
    page = _words(write_report(folder.path).read_text("utf-8"))
    assert "contradicted schedules-reboot predicted: exits-3010; seen: the cell passed" in page


def test_a_contradicted_cell_of_a_large_run_is_told_though_it_passed(folder: RunFolder) -> None:
    """A prediction that did not come true is worth a look, also among thousands of cells that passed."""
    from harness.report.cells import _told

    plan, results = _read(folder)
    cells = cells_frame(plan, results)
    many = cells.loc[cells.index.repeat(10)].reset_index(drop=True)
    many["cell"] = many["cell"] + "#" + many.groupby("cell").cumcount().astype("string")
    foretold = Foretold.of(results, Preflight.read(folder.path))
    assert len(foretold.contradicted) == 10
    named = {f"{cell}#0" for cell in foretold.contradicted}
    assert named <= set(_told(many, named)["cell"])
    assert not named & set(_told(many, ())["cell"])
    assert predictions_view(Foretold.of(results, Preflight()), {}) is None


def test_one_failure_is_one_finding_whatever_the_verdict(folder: RunFolder) -> None:
    """A cell that passed when tried again has the failure of the cells that did not: they are counted together."""
    plan, results = _read(folder)
    flaky = next(result for result in results if result.verdict == "flaky")
    failed = flaky.model_copy(
        update={"verdict": Verdict.FAILED, "cell": "win11-22h2::ninja-zip::install", "build": "22621"}
    )
    changed = [failed if result.cell == failed.cell else result for result in results]
    cells = cells_frame(plan, changed)
    tallied = decide(cells, plan, is_lab=True, today=date(2026, 11, 20))
    keys = {cell: f"c{number}" for number, cell in enumerate(cells["cell"])}
    found = finding_views(tallied.findings, keys, cells, plan)
    (one,) = [finding for finding in found if finding.fingerprint == flaky.fingerprint]
    assert (one.verdict, one.number) == ("failed", "2 cells, 1 flaky")
    assert one.what == "ninja-zip: install on Windows 11 22H2 and 23H2"
    assert found[-1].so_far == 100
    holding = [finding.share for finding in found if " k" not in finding.style]
    assert holding == sorted(holding, reverse=True)


def test_the_page_shows_what_the_gate_accepted(folder: RunFolder) -> None:
    """A known issue and a flaky cell within the budget are on the page of a run that ships, not only in gate.json."""
    decision = Decision(
        word="ship",
        sentence="Ship: all is well.",
        run=folder.run,
        policy="release",
        decided=BEGAN,
        accepted=(Reason(rule="flaky", sentence="1 cell flaky, 1 allowed", cells=("x",)),),
    )
    decision.write(folder.path / FILE)
    try:
        page = _words(write_report(folder.path).read_text("utf-8"))
    finally:
        (folder.path / FILE).unlink()
    assert "1 cell flaky, 1 allowed" in page


def test_the_trend_tells_no_figure_where_nothing_was_run(tmp_path: Path) -> None:
    """A run of which nothing is known is unknown, not 0 %."""
    run = sample_run(tmp_path, builds=(22631,))
    plan, results = _read(run)
    cells = cells_frame(plan, results)
    nothing = cells_frame(plan, ())
    from harness.report.changes import Earlier

    trend = trend_view(cells, [Earlier(name="r0", cells=nothing)], "today")
    assert trend is not None
    assert trend.lines[0].values[0] == "unknown"


def test_the_sample_report_shows_what_the_page_shows_today(folder: RunFolder, tmp_path: Path) -> None:
    """Every part of a page is on the one that people look at first; remake it with the command in reports/README.md."""
    now = write_report(folder.path, output=tmp_path / "sample.html", single_file=True, costs=COSTS)

    def parts(file: Path) -> list[str]:
        return re.findall(r'<h[23](?: id="[^"]*")?>([^<]*)', file.read_text("utf-8"))

    assert parts(SAMPLE) == parts(now)
