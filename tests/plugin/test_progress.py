"""What a person sees while cells run."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from harness.plugin.exchange import Exchange
from harness.plugin.progress import Progress, line_of
from harness.results.running import At

from .project import QUIET, Project


def test_the_line_names_each_worker_with_its_cell_and_step() -> None:
    """One line says how far the run is, where every worker is, and for how long."""
    where = [At("gw0", "a::b::install", "revert", 10.0), At("gw1", "a::c::denied", "prove", 7.6)]
    assert line_of(where, (3, 40), now=12.0) == (
        "[3 of 40 cells done] gw0: a::b::install: revert (2 s) | gw1: a::c::denied: prove (4 s)"
    )
    assert line_of([], (40, 40), now=12.0) == ""


def test_in_a_log_a_line_stands_below_what_was_said_before_it() -> None:
    """What waits in the buffer of a pipe is written before the first line that goes past it."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as log, os.fdopen(writing, "w") as stream:
        stream.write("test session starts\n")
        progress = Progress(stream, lambda: [At("", "a::b::install", "revert", 0.0)], lambda: (0, 1), every=0.01)
        progress.start()
        said = [log.readline() for _ in range(3)]
        progress.stop()
    assert said[0] == "test session starts\n"
    assert said[2].startswith("[0 of 1 cells done]")


def test_processes_meet_in_a_folder(tmp_path: Path) -> None:
    """A worker says where it is, the controller reads it, and a controller that is gone bothers nobody."""
    exchange = Exchange(tmp_path / "meeting")
    exchange.folder.mkdir()
    exchange.tell("gw0", "a::b::install", "revert")
    exchange.tell("gw1", "", "")
    assert [(at.worker, at.cell, at.step) for at in exchange.where()] == [("gw0", "a::b::install", "revert")]
    exchange.remove()
    exchange.tell("gw0", "a::b::install", "prove")
    assert list(exchange.where()) == []


def shown_on_a_terminal(project: Project, *options: str) -> str:
    """Run a cell on a terminal whose step lasts until it is shown there, and give everything that was shown."""
    project.write(
        "conftest.py",
        "import time\nfrom pathlib import Path\n"
        "def slow(step):\n    with step('wait for it'):\n"
        "        for _ in range(1200):\n            time.sleep(0.1)\n"
        "            if Path('shown').exists():\n                break\n"
        "def pytest_wincompat_scenarios(config):\n    return {'slow': slow}\n",
    )
    project.matrix("slow", builds="19044")
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "pytest", *QUIET, *options, "--site", "site.toml", "matrices/demo.toml"]
    with subprocess.Popen(
        words, cwd=project.pytester.path, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm"}
    ) as process:
        os.close(theirs)
        shown = _all_of(ours, project.pytester.path / "shown")
    assert process.returncode == 0
    return shown


def test_a_terminal_shows_the_step_and_is_left_clean(project: Project) -> None:
    """On a terminal the status line names cell and step while it runs; the summary comes out whole."""
    shown = shown_on_a_terminal(project)
    assert "[0 of 1 cells done] win10-21h2::demo::slow: wait for it (" in shown
    assert "1 of 1 cell passed" in shown


def test_live_shows_machines_and_the_run_leaves_no_note(project: Project) -> None:
    """With --live a terminal shows how far each machine is, and a run that has ended says so to other watchers."""
    pytest.importorskip("rich", reason="needs pip install pytest-wincompat[watch]")
    shown = shown_on_a_terminal(project, "--live")
    assert "running" in shown
    assert "wait for it (" in shown
    assert "1 of 1 cell passed" in shown
    assert list(project.pytester.path.rglob("running.json")) == []


def test_quiet_runs_and_logs_stay_as_they_are(project: Project) -> None:
    """Without a terminal a short run's output holds no status line and no control characters."""
    project.matrix("passes", builds="19044")
    output = project.run("-q", "matrices/demo.toml").stdout.str()
    assert "cells done" not in output
    assert "\x1b" not in output


def _all_of(descriptor: int, shown: Path) -> str:
    parts: list[bytes] = []
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:  # the other end is closed
            part = b""
        if not part:
            os.close(descriptor)
            return b"".join(parts).decode()
        parts.append(part)
        if b"wait for it (" in b"".join(parts):
            shown.touch()
