"""What is kept of compiled templates saves time, and changes no page."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import jinja2
import pytest

from harness.report.page import write_report
from harness.results.run import RunFolder
from tests.report.sample import sample_run


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Take a folder of the test's own for what is kept between reports."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Make a run."""
    return sample_run(tmp_path / "runs")


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count the templates that are compiled."""
    names: list[str] = []
    real = jinja2.Environment.compile

    def counted(self: jinja2.Environment, source: Any, name: Any = None, *others: Any, **more: Any) -> Any:
        names.append(str(name))
        return real(self, source, name, *others, **more)

    monkeypatch.setattr(jinja2.Environment, "compile", counted)
    return names


def test_templates_are_compiled_once(place: Path, run: RunFolder, compiled: list[str]) -> None:
    """A second report compiles none, and is the same page."""
    first = write_report(run.path).read_bytes()
    assert "page.html" in compiled
    compiled.clear()
    assert write_report(run.path).read_bytes() == first
    assert compiled == []


def test_a_template_that_was_changed_is_compiled_anew(place: Path, run: RunFolder, compiled: list[str]) -> None:
    """A team that works on its look sees what it wrote last."""
    theme = place / "reports"
    theme.mkdir()
    for words in ("the first look", "the second look"):
        (theme / "verdict.html").write_text(f"<p>{words}</p>", "utf-8")
        assert words in write_report(run.path, overrides=theme).read_text("utf-8")
    assert compiled.count("verdict.html") == 2


@pytest.mark.parametrize("spoil", [b"", b"j2", b"\0" * 4_000])
def test_what_is_kept_may_be_spoiled(place: Path, run: RunFolder, spoil: bytes) -> None:
    """Half a file, or another one, costs time and nothing else."""
    first = write_report(run.path).read_bytes()
    kept = list(place.glob("*/wincompat-*"))
    assert kept
    for file in kept:
        half = file.read_bytes()[:300]
        file.write_bytes(spoil or half)
    assert write_report(run.path).read_bytes() == first


def test_a_report_needs_no_place_for_it(place: Path, run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a folder that is not this user's alone nor a full disk is a reason to have no report."""
    first = write_report(run.path).read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    for file in place.glob("*/wincompat-*"):
        file.unlink()
    with monkeypatch.context() as patched:
        patched.setattr(jinja2.FileSystemBytecodeCache, "dump_bytecode", full)
        assert write_report(run.path).read_bytes() == first
    with monkeypatch.context() as patched:
        patched.setattr(jinja2.FileSystemBytecodeCache, "__init__", full)
        assert write_report(run.path).read_bytes() == first
