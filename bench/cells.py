"""How many cells of the demo's matrix a controller runs, alone and with four guests at once."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from bench.figures import Figure
from harness.results.journal import read
from harness.results.result import Result


def figures() -> Iterator[Figure]:
    """Run cells through pytest as a user does, and read the figures from the journals."""
    alone = _run("--product", "ninja-msi", "--scenario", "install")
    seconds = [result.seconds for result in alone]
    yield Figure("one install cell, median", statistics.median(seconds), "s", at_most=2.0, spread=seconds)
    four = _run("-n", "4", "--product", "ninja-msi")
    begun = min(result.started for result in four if result.started)
    ended = max(result.started + timedelta(seconds=result.seconds) for result in four if result.started)
    rate = len(four) / (ended - begun).total_seconds()
    yield Figure(f"four guests at once, {len(four)} cells", rate, "cells/s", at_least=1.5)


def _run(*words: str) -> list[Result]:
    with tempfile.TemporaryDirectory() as runs:
        command = [sys.executable, "-m", "pytest", "-q", "-q", "matrices/demo.toml", "--runs", runs, *words]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        (journal,) = Path(runs).glob("*/journal.jsonl")
        return list(read(journal).results)
