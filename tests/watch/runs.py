"""Runs to be watched: planned, with cells that end when a test says so."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from harness.results.plan import Plan, PlannedCell
from harness.results.result import Result, Verdict
from harness.results.run import RunFolder

START = datetime(2026, 11, 22, 4, tzinfo=UTC)
WORDS = {"build": "22631", "product": "demo", "kind": "msi", "scenario": "install"}


def planned(parent: Path, *cells: str) -> RunFolder:
    """Plan a run of some cells."""
    run = RunFolder.create(parent, now=START)
    all_of_them = tuple(PlannedCell(cell=cell, **WORDS) for cell in cells)
    run.write_plan(Plan(run=run.run, matrix="demo", started=START, is_lab=True, cells=all_of_them))
    return run


def result(cell: str, **more: object) -> Result:
    """Let a cell pass in ten seconds, or come out otherwise."""
    return Result.model_validate(
        {"cell": cell, **WORDS, "verdict": Verdict.PASSED, "started": START, "seconds": 10.0, **more}
    )


def at_work(exchange: Path, worker: str, **words: object) -> None:
    """Say what a worker does."""
    (exchange / f"at-{worker}").write_text(json.dumps(words))
