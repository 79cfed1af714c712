"""Runs that are kept: what was put in comes out, whoever wrote it and wherever it lies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from harness.cli import wincompat
from harness.errors import AuthoringError
from harness.results.frames import cells_frame, steps_frame
from harness.results.history import schema as schemas
from harness.results.history import store
from harness.results.history.query import query
from harness.results.history.retention import outdated
from harness.results.history.rows import Source, rows, sources
from harness.results.history.store import History
from harness.results.journal import Journal, read
from harness.results.run import RunFolder
from harness.results.timings import TIMINGS, timings
from tests.results.made_runs import DAY, failed, result, run


@pytest.fixture(params=["folder", "url"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[History]:
    """Make a history on this disk, and one behind a URL that is no disk."""
    if request.param == "folder":
        yield History(str(tmp_path / "history"))
        return
    import fsspec  # type: ignore[import-untyped]  # it brings no types

    url = f"memory://{tmp_path.name}/history"
    yield History(url)
    if (memory := fsspec.filesystem("memory")).exists(f"/{tmp_path.name}"):
        memory.rm(f"/{tmp_path.name}", recursive=True)


def _add(history: History, folder: RunFolder) -> bool:
    return history.put(rows(Source.of(folder)))


def test_a_run_comes_out_as_it_went_in(history: History, tmp_path: Path) -> None:
    """Cells, steps and timings have the columns, dtypes and values of the run's own frames."""
    folder = run(tmp_path / "runs", result(), failed(19045, steps=()))
    assert _add(history, folder)
    plan, found = folder.read_plan()[0], read(folder.journal_file).results
    for name, frame in (
        ("cells", cells_frame(plan, found)),
        ("steps", steps_frame(found)),
        ("timings", timings([folder])),
    ):
        kept = history.table(name)
        pd.testing.assert_frame_equal(kept[list(frame.columns)], frame)
    assert list(history.table("timings").columns) == list(TIMINGS)
    (facts,) = history.runs().to_dict("records")
    assert (facts["run"], facts["matrix"], facts["planned"], facts["results"]) == (folder.run, "release", 2, 2)


def test_an_empty_history_has_all_its_columns(history: History) -> None:
    """Before the first run every table is there, empty, so that no question fails for want of a column."""
    for name, columns in schemas.TABLES.items():
        frame = history.table(name)
        assert (list(frame.columns), len(frame)) == (list(columns), 0)
    assert len(query(history, "select count(*) as runs from runs")) == 1


def test_a_run_is_kept_once_and_again_when_it_has_grown(history: History, tmp_path: Path) -> None:
    """Adding twice changes nothing; a run that went on since is replaced as a whole."""
    folder = run(tmp_path / "runs", result())
    assert _add(history, folder)
    assert not _add(history, folder)
    Journal(folder.journal_file).append(failed(19045))
    assert _add(history, folder)
    assert (len(history.runs()), len(history.table("cells"))) == (1, 2)


def test_a_run_that_was_cut_off_while_it_was_written_is_not_there(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row in runs is written last: without it no table shows anything of it, and adding it again mends it."""
    _add(history, run(tmp_path / "runs", result()))
    folder = run(tmp_path / "runs", failed(), started=DAY + timedelta(days=1))
    written = History._write

    def dies(self: History, path: str, table: object) -> None:
        if "/runs/" in path:
            raise KeyboardInterrupt
        written(self, path, table)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(History, "_write", dies)
        with pytest.raises(KeyboardInterrupt):
            _add(history, folder)
    assert set(history.table("cells")["verdict"]) == {"passed"}
    assert _add(history, folder)
    assert set(history.table("cells")["verdict"]) == {"passed", "failed"}


def test_a_run_that_was_cut_off_while_it_was_removed_is_not_there(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row in runs goes first: what is left of the other tables shows nowhere, and goes with the next removal."""
    folder = run(tmp_path / "runs", failed())
    _add(history, folder)
    remove = history._fs.rm_file

    def dies(path: str) -> None:
        remove(path)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(history._fs, "rm_file", dies)
        with pytest.raises(KeyboardInterrupt):
            history.remove(folder.run)
    assert (len(history.runs()), len(history.table("cells"))) == (0, 0)
    assert history.remove(folder.run)
    assert not history.remove(folder.run)


def test_a_run_that_turns_out_to_have_begun_in_another_month_is_there_once(history: History, tmp_path: Path) -> None:
    """A journal without a plan knows its beginning by its first cell, and more may be learned of it."""
    alone = tmp_path / "old.jsonl"
    for month in (11, 10):
        Journal(alone).append(result(19044 if month == 10 else 22631, started=datetime(2026, month, 30, tzinfo=UTC)))
        (source,) = sources([str(alone)], parent=tmp_path)
        assert history.put(rows(source))
    assert history.runs()["at"].tolist() == [pd.Timestamp("2026-10-30", tz="UTC")]
    assert len(history.table("cells")) == 2


def test_an_old_journal_alone_is_enough(history: History, tmp_path: Path) -> None:
    """A journal of a version that knew less, without a plan or a folder, becomes a run named like its file."""
    line = {"cell": "win11-23h2::tool::install", "build": "22631", "product": "tool", "kind": "msi"}
    line |= {"scenario": "install", "verdict": "failed", "fault": "product", "reason": "no", "started": DAY.isoformat()}
    old = tmp_path / "archive" / "2025-03-14.jsonl"
    old.parent.mkdir()
    old.write_text(
        json.dumps({"journal": "pytest-wincompat", "schema": 1}) + "\n" + json.dumps(line) + "\n{torn", "utf-8"
    )
    (source,) = sources([str(old)], parent=tmp_path)
    assert history.put(rows(source))
    (facts,) = history.runs().to_dict("records")
    assert (facts["run"], facts["planned"], facts["at"]) == ("2025-03-14", 0, pd.Timestamp(DAY))
    assert "cut off" in facts["left_out"]
    (cell,) = history.table("cells").to_dict("records")
    assert (cell["verdict"], cell["reason"], cell["build_name"]) == ("failed", "no", "Windows 11 23H2")


def test_sql_answers_about_the_tables_and_nothing_else(history: History, tmp_path: Path) -> None:
    """DuckDB sees runs, cells, steps and timings; a question about a file is refused in one line."""
    for day in range(3):
        end = failed if day == 1 else result
        _add(history, run(tmp_path / "runs", end(), result(19045), started=DAY + timedelta(days=day)))
    answer = query(
        history,
        "select build, count(*) filter (verdict = 'passed') as n, min(began) as first from cells group by 1 order by 1",
    )
    assert answer[["build", "n"]].to_numpy().tolist() == [["19045", 3], ["22631", 2]]
    joined = query(history, "select r.matrix, median(s.seconds) as s from steps s join runs r using (run) group by 1")
    assert joined.to_numpy().tolist() == [["release", 12.5]]
    assert answer["first"].tolist() == [pd.Timestamp(DAY)] * 2
    (tmp_path / "secret.csv").write_text("a\n1\n", "utf-8")
    for wrong in (f"from '{tmp_path}/secret.csv'", "select nothing from cells", "selec", "copy cells to 'x.csv'"):
        with pytest.raises(AuthoringError, match="query: ") as refused:
            query(history, wrong)
        assert "\n" not in str(refused.value)


def test_what_an_older_version_wrote_is_brought_up_to_date(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration changes rows on their way, columns that are added are missing, and migrate rewrites the files."""
    _add(history, run(tmp_path / "runs", failed()))
    for module in (schemas, store):
        monkeypatch.setattr(module, "SCHEMA", 2)

    def to_2(table: str, frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(reason=frame["reason"].str.upper()) if table == "cells" else frame

    newer = History(history.url, migrations={1: to_2})
    monkeypatch.setitem(schemas.TABLES["cells"], "weather", "string")
    before = newer.table("cells")
    assert before["reason"].tolist() == ["IT DOES NOT START"]
    assert before["weather"].isna().all()
    assert newer.migrate() == 4
    assert newer.migrate() == 0
    pd.testing.assert_frame_equal(History(history.url).table("cells"), before)
    monkeypatch.setattr(schemas, "SCHEMA", 1)
    with pytest.raises(AuthoringError, match=r"newer version \(schema 2, this one reads 1\)"):
        newer.table("cells")


def test_a_word_that_this_version_does_not_know_is_kept(history: History, tmp_path: Path) -> None:
    """A verdict or cause of another version is read as it was written, and ordered after the known ones."""
    frames = rows(Source.of(run(tmp_path / "runs", failed())))
    frames["cells"]["verdict"] = pd.Series(["vanished"], dtype="string")
    history.put(frames)
    assert history.table("cells")["verdict"].tolist() == ["vanished"]


def test_only_the_months_that_are_asked_for_are_read(history: History, tmp_path: Path) -> None:
    """A year of runs is no reason to read a year for last week's question."""
    for month in (9, 10, 11):
        _add(history, run(tmp_path / "runs", result(), started=datetime(2026, month, 3, tzinfo=UTC)))
    assert len(history.table("cells", since=datetime(2026, 10, 20, tzinfo=UTC))) == 2


def test_old_runs_go_and_the_newest_of_each_matrix_stays(tmp_path: Path) -> None:
    """What the next run is compared with is never removed, however old it is."""
    history = History(str(tmp_path / "history"))
    for matrix, days in (("release", (0, 1, 2, 3)), ("rare", (-300,))):
        for day in days:
            _add(history, run(tmp_path / "runs", result(), started=DAY + timedelta(days=day), matrix=matrix))
    now = DAY + timedelta(days=400)
    runs = history.runs()
    assert len(outdated(runs, now=now, days=100)) == 3
    gone = outdated(runs, now=now, at_most=2)
    assert runs.loc[runs["run"].isin(gone), "at"].dt.day.tolist() == [DAY.day, DAY.day + 1]
    for name in gone:
        assert history.remove(name)
    assert set(history.runs()["matrix"]) == {"release", "rare"}
    assert len(history.table("cells")) == 3
    assert not history.remove("nobody")


def test_the_newest_whole_run_outlasts_its_parts(tmp_path: Path) -> None:
    """What a whole run is compared with stays, however many parts of the matrix were run since."""
    history = History(str(tmp_path / "history"))
    whole = run(tmp_path / "runs", result(), result(19044), whole=2)
    _add(history, run(tmp_path / "runs", result(), result(19044), whole=2, started=DAY - timedelta(days=1)))
    _add(history, whole)
    for day in (1, 2, 3):
        _add(history, run(tmp_path / "runs", result(), whole=2, started=DAY + timedelta(days=day)))
    gone = outdated(history.runs(), now=DAY + timedelta(days=900), days=1, at_most=1)
    assert len(gone) == 3
    assert whole.run not in gone


def test_what_is_broken_is_named(tmp_path: Path) -> None:
    """A damaged file, a strange URL and a password in one are one line each, and the password is not in it."""
    history = History(str(tmp_path / "history"))
    _add(history, run(tmp_path / "runs", result()))
    (file,) = (tmp_path / "history").glob("cells/*/*/*.parquet")
    assert pq.read_schema(file).metadata[schemas.VERSION_KEY] == b"1"
    file.write_bytes(b"PAR1 no more")
    with pytest.raises(AuthoringError, match="is no Parquet file any more"):
        history.table("cells")
    with pytest.raises(AuthoringError, match="nosuch://"):
        History("nosuch://bucket/x")
    with pytest.raises(AuthoringError, match="should hold no password") as refused:
        History("s3://key:sesame@bucket/x")
    assert "sesame" not in str(refused.value)


def test_the_commands_go_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add, list, query and prune, on a folder of runs as pytest leaves it."""
    monkeypatch.chdir(tmp_path)
    for day in range(3):
        run(tmp_path / "build/runs", result(), failed(19045), started=DAY + timedelta(days=day))

    def says(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(wincompat, ["history", *words])
        assert done.exit_code == code, done.output
        return done.output

    assert says("add").endswith("3 added, 0 already there\n")
    assert says("add").endswith("0 added, 3 already there\n")
    assert "release  ours  2      1" in says("list")
    assert len(json.loads(says("list", "--json", "--last", "2"))) == 2
    assert says("query", "select count(*) as n from cells where verdict = 'failed'", "--csv") == "n\n3\n"
    assert json.loads(says("query", "from runs limit 1", "--json"))[0]["began"].startswith("2026-11-01T02:00:00")
    assert "1 would go" in says("prune", "--at-most", "2", "--dry-run")
    assert "1 gone" in says("prune", "--at-most", "2")
    assert says("migrate") == "0 files rewritten\n"
    assert "say what may go" in says("prune", code=2)
    assert "no such run" in says("add", "nobody", code=4)
