"""A page made from a run alone and a shared history says what it would say with the runs beside it."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from harness.cli import wincompat
from harness.results.history.rows import Source, rows
from harness.results.history.schema import TABLES
from harness.results.history.store import History
from harness.results.result import Step
from harness.results.run import RunFolder
from tests.report.test_life import _words
from tests.results.made_runs import DAY, failed, result, run

BUILDS = (19044, 22621, 22631)


def _report(*words: str | Path) -> Result:
    return CliRunner().invoke(wincompat, ["report", *map(str, words)])


def _day(parent: Path, day: int, *, broken: tuple[int, ...] = (), seconds: float = 9.0, **plan: Any) -> RunFolder:
    at = DAY + timedelta(days=day)
    steps = (Step(name="install 1.2.0", started=1.0, seconds=seconds + 0.01 * (day % 3)),)
    ends = [(failed if build in broken else result)(build, started=at, steps=steps) for build in BUILDS]
    return run(parent, *ends, started=at, **plan)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make fifteen runs, of which the first fourteen are in a history, too."""
    folder = tmp_path_factory.mktemp("made")
    history = History(str(folder / "history"))
    for day in range(14):
        before = _day(folder / "runs", day, broken=(22631,) if day == 13 else (), seconds=12.0 if day > 7 else 9.0)
        history.put(rows(Source.of(before)))
    _day(folder / "runs", 14, broken=(19044,), seconds=12.0)
    return folder


@pytest.fixture
def kept(made: Path, tmp_path: Path) -> SimpleNamespace:
    """Give the history, and the last run both among the others and alone, as a CI machine has it."""
    shutil.copytree(made / "history", tmp_path / "history")
    last = RunFolder.find("latest", parent=made / "runs")
    alone = tmp_path / "ci" / last.run
    shutil.copytree(last.path, alone)
    url = str(tmp_path / "history")
    return SimpleNamespace(last=last, alone=alone, history=History(url), url=url)


def _told(page: Path) -> str:
    """Give what the page says of other runs than its own."""
    words = _words(page.read_text("utf-8"))
    return (
        words[words.index("What changed") : words.index("Windows builds")]
        + words[words.index("Trend") : words.index("Products and scenarios")]
    )


def test_a_history_takes_the_place_of_the_runs_beside_it(kept: SimpleNamespace, tmp_path: Path) -> None:
    """Changes, trend and what became slower are the same words, wherever the runs before come from."""
    assert _report(kept.last.path, "--output", tmp_path / "beside.html").exit_code == 0
    beside = _told(tmp_path / "beside.html")
    said = _report(kept.alone, "--history", kept.url)
    assert said.exit_code == 0, said.output
    assert "compared with 14 earlier runs of its matrix" in said.output
    shared = _told(kept.alone / "report.html")
    assert shared == beside
    assert "1 newly failing" in shared
    assert "1 fixed" in shared
    assert "slower by" in shared
    again = _report(kept.last.path, "--history", kept.url, "--output", tmp_path / "both.html")
    assert again.exit_code == 0
    assert _told(tmp_path / "both.html") == beside, "a run that is in both places counts once"


def test_the_environment_names_the_history_once(kept: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for ``wincompat history``."""
    monkeypatch.setenv("WINCOMPAT_HISTORY", kept.url)
    assert "compared with 14 earlier runs" in _report(kept.alone).output


def test_a_run_is_named_also_where_only_the_history_has_it(kept: SimpleNamespace) -> None:
    """Before and release may be runs that lie nowhere else; what is nowhere at all is said in one line."""
    names = kept.history.runs()["run"].tolist()
    said = _report(kept.alone, "--history", kept.url, "--before", names[3], "--release", names[1])
    assert said.exit_code == 0, said.output
    page = _words((kept.alone / "report.html").read_text("utf-8"))
    assert "Since the last release (2026-11-02" in page
    assert "Since the last run (2026-11-04" in page
    gone = _report(kept.alone, "--history", kept.url, "--before", "nowhere")
    assert gone.exit_code == 4
    assert "nowhere: no such run" in gone.output
    assert f"nor is it kept in {kept.url}" in gone.output


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nosuch://bucket/x", "nosuch"),
        ("s3://me:secret@bucket/x", "a URL should hold no password"),
    ],
)
def test_a_history_that_cannot_be_read_is_one_line(kept: SimpleNamespace, url: str, said: str) -> None:
    """And the older report stays."""
    assert _report(kept.alone).exit_code == 0
    before = (kept.alone / "report.html").read_bytes()
    found = _report(kept.alone, "--history", url)
    assert found.exit_code == 4
    assert said in found.output
    assert "secret" not in found.output
    assert found.output.count("\n") == 1
    assert (kept.alone / "report.html").read_bytes() == before


def test_a_damaged_history_is_one_line(kept: SimpleNamespace) -> None:
    """A file that is no Parquet any more is named."""
    file = max(Path(kept.url).glob("cells/**/*.parquet"))
    file.write_bytes(b"PAR1 torn")
    found = _report(kept.alone, "--history", kept.url)
    assert (found.exit_code, found.output.count("\n")) == (4, 1)
    assert "is no Parquet file any more" in found.output


def test_a_run_whose_rows_are_lost_is_no_run_of_nothing(kept: SimpleNamespace) -> None:
    """Somebody tidied up by hand: the run before it is compared with, and no cell is new."""
    max(Path(kept.url).glob("cells/**/*.parquet")).unlink()
    said = _report(kept.alone, "--history", kept.url)
    assert "compared with 13 earlier runs" in said.output, said.output
    page = _words((kept.alone / "report.html").read_text("utf-8"))
    assert "new in the plan" not in page
    assert "Since the last run (2026-11-13" in page


def test_a_file_is_no_history(kept: SimpleNamespace, tmp_path: Path) -> None:
    """Nor one without runs: whoever mistypes a URL wants to know."""
    (tmp_path / "costs.toml").write_text("")
    found = _report(kept.alone, "--history", tmp_path / "costs.toml")
    assert (found.exit_code, "is a file, and no history" in found.output) == (4, True)


def test_an_empty_history_and_one_of_other_matrices_compare_with_nothing(kept: SimpleNamespace, tmp_path: Path) -> None:
    """Runs of another matrix, of a lab, and later ones are no runs before this one."""
    other = History(str(tmp_path / "other"))
    others: tuple[tuple[int, dict[str, Any]], ...] = ((1, {"matrix": "else"}), (2, {"is_lab": True}), (20, {}))
    for day, more in others:
        other.put(rows(Source.of(_day(tmp_path / "else", day, **more))))
    for url in (tmp_path / "nothing", tmp_path / "other"):
        said = _report(kept.alone, "--history", url)
        assert (said.exit_code, "compared with 0 earlier runs" in said.output) == (0, True), said.output
        assert "What changed" not in _words((kept.alone / "report.html").read_text("utf-8"))


def test_a_history_of_before_a_column_was_there_is_read(kept: SimpleNamespace) -> None:
    """What an older version wrote did not count a matrix's cells: its runs are whole ones."""
    import pyarrow.parquet as pq

    for file in Path(kept.url).glob("runs/**/*.parquet"):
        pq.write_table(pq.read_table(file).drop_columns(["whole"]), file)
    assert "whole" in TABLES["runs"]
    said = _report(kept.alone, "--history", kept.url)
    assert "compared with 14 earlier runs" in said.output, said.output
    assert "narrowed is left out" not in _words((kept.alone / "report.html").read_text("utf-8"))


def test_parts_in_a_history_are_parts_on_the_page(kept: SimpleNamespace, tmp_path: Path) -> None:
    """A run that was narrowed is known as one after years, too."""
    part = _day(tmp_path / "parts", 13, broken=BUILDS, whole=55, command="pytest m.toml --lf")
    kept.history.put(rows(Source.of(part)))
    assert _report(kept.alone, "--history", kept.url).exit_code == 0
    page = _words((kept.alone / "report.html").read_text("utf-8"))
    assert "1 run that was narrowed is left out" in page
    assert "Pass rate 66.7 % 66.7 % before" in page
