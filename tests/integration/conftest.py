"""Fixtures of the tests that go the whole way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until


class Controller:
    """A pytest of its own in a folder of its own, on the lab that all tests share unless told otherwise."""

    def __init__(self, folder: Path, site_file: Path) -> None:
        self.folder = folder
        self.site_file = site_file
        self.process: subprocess.Popen[str] | None = None
        self._scratch = folder / "scratch"
        self._scratch.mkdir()

    def start(self, *words: str, site: str | None = None) -> subprocess.Popen[str]:
        """Start it and go on."""
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(self.folder)]
        self.process = subprocess.Popen(
            [*command, "--site", site or str(self.site_file), *words],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TMPDIR": str(self._scratch)},
        )
        return self.process

    def run(self, *words: str, site: str | None = None, within: float = 600) -> tuple[int, str]:
        """Run it to its end: exit status and everything it said."""
        process = self.start(*words, site=site)
        said, _ = process.communicate(timeout=within)
        return process.returncode, said

    def wait_for(self, step: str, within: float = 300.0) -> None:
        """Wait until a step has begun, and a moment more for its command to reach the guest."""

        def begun() -> bool:
            return any(step in told.read_text("utf-8") for told in self._scratch.rglob("at-*"))

        until(begun, within, else_say=f"{step!r} did not begin within {within:g} s")
        time.sleep(1.0)

    @property
    def run_folder(self) -> Path:
        """The folder of its only run."""
        (folder,) = (path for path in (self.folder / "build" / "runs").iterdir() if path.is_dir())
        return folder

    def results(self) -> Sequence[dict[str, Any]]:
        """Read what the journal holds by now."""
        lines = (self.run_folder / "journal.jsonl").read_text("utf-8").splitlines()
        return [found for found in map(json.loads, lines) if "verdict" in found]


@pytest.fixture
def controller(tmp_path: Path, lab_site_file: Path) -> Iterator[Controller]:
    """Run pytest as a user would, on the shared lab; it is ended with the test."""
    if shutil.which("makensis") is None:
        pytest.skip("makensis (Debian: nsis) is missing")
    controller = Controller(tmp_path, lab_site_file)
    yield controller
    if controller.process is not None:
        if controller.process.poll() is None:
            controller.process.kill()
        controller.process.wait()
        if controller.process.stdout is not None:
            controller.process.stdout.close()
