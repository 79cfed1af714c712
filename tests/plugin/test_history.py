"""A run with a history: its report says at once what changed since the runs there, and it adds itself if told so."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest

from harness.results.history.adding import NotReachedError, asked
from harness.results.history.store import History

from .project import Project


def _words(project: Project) -> str:
    """Read the page, and let go of the run, as a CI machine is thrown away."""
    page = (project.folder / "report.html").read_text("utf-8")
    shutil.rmtree(project.pytester.path / "build/runs")
    return page


def _said(result: pytest.RunResult, word: str) -> list[str]:
    return [line for line in result.outlines if word in line]


def test_a_run_is_compared_with_the_history_and_adds_itself(project: Project) -> None:
    """By the ini file alone, which names a folder from the project's root: no command has to be typed after the run."""
    project.pytester.makeini("[pytest]\nwincompat_history = kept\nwincompat_add_to_history = true\n")
    project.matrix("passes", "fails", builds="19044")
    first = project.run_here("matrices/demo.toml")
    kept = project.pytester.path / "kept"
    assert f"compared with no earlier run: {kept} and the folder have none of this matrix" in first.outlines
    assert f"added to the history {kept}" in first.outlines
    assert "What changed" not in _words(project)
    project.matrix("passes", builds="19044")
    second = project.run_here("matrices/demo.toml")
    assert _said(second, "compared with 1 earlier run")
    page = _words(project)
    assert "What changed" in page
    assert "gone from the plan" in page
    assert len(History(str(kept)).runs()) == 2


@pytest.mark.parametrize("by", ["option", "environment"])
def test_a_history_is_only_read_unless_it_is_told(project: Project, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    """A person at a desk looks at what CI keeps, and adds nothing to it."""
    project.matrix("passes", builds="19044")
    project.run_here("matrices/demo.toml", "--history", "kept", "--add-to-history")
    _words(project)
    if by == "environment":
        monkeypatch.setenv("WINCOMPAT_HISTORY", str(project.pytester.path / "kept"))
    read = project.run_here("matrices/demo.toml", *(["--history", "kept"] if by == "option" else []))
    assert _said(read, "compared with 1 earlier run")
    assert not _said(read, "added")
    assert len(History(str(project.pytester.path / "kept")).runs()) == 1


@pytest.mark.parametrize(("url", "why"), [("nosuch://bucket/x", "nosuch"), ("kept.txt", "is a file, and no history")])
def test_a_history_that_cannot_be_reached_costs_one_line_for_each_thing_asked(
    project: Project, url: str, why: str
) -> None:
    """The run, its report and its exit status are as without it, and the line says how to add the run later."""
    (project.pytester.path / "kept.txt").write_text("no history")
    project.matrix("passes", builds="19044")
    result = project.run_here("matrices/demo.toml", "--history", url, "--add-to-history")
    assert result.ret == pytest.ExitCode.OK
    (read,) = _said(result, "the history was not read")
    (add,) = _said(result, "not added to the history")
    assert why in read
    assert f"wincompat history add {project.folder}" in add
    assert (project.folder / "report.html").exists()
    assert set(project.verdicts().values()) == {"passed"}


def test_what_is_to_be_added_needs_a_place(project: Project) -> None:
    """One line before anything runs."""
    project.matrix("passes", builds="19044")
    result = project.run_here("matrices/demo.toml", "--add-to-history")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--add-to-history needs a history*"])


def test_a_password_in_its_url_is_refused_before_it_is_written_down(project: Project) -> None:
    """The command of a run stands in its plan."""
    project.matrix("passes", builds="19044")
    result = project.run_here("matrices/demo.toml", "--history", "s3://me:secret@bucket/x")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*a URL should hold no password*"])
    assert "secret" not in result.stderr.str()


def test_nobody_waits_for_a_history_that_does_not_answer() -> None:
    """A bucket whose client tries again for ever is given up, and said."""
    never = threading.Event()
    began = time.monotonic()
    with pytest.raises(NotReachedError, match=r"did not answer within 0\.2 s"):
        asked(lambda: never.wait(600), within=0.2)
    never.set()
    assert time.monotonic() - began < 300


def test_an_answer_and_a_trouble_come_as_they_are(tmp_path: Path) -> None:
    """What was asked comes back, and whatever goes wrong is one line, also an end of the process."""
    assert asked(lambda: None) is None
    for trouble in (OSError("first line\nsecond"), SystemExit("first line"), ValueError("first line")):

        def fails(trouble: BaseException = trouble) -> None:
            raise trouble

        with pytest.raises(NotReachedError, match=r"^first line$"):
            asked(fails)
