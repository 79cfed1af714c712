"""Runs made by hand: a plan and a journal, as pytest leaves them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.builds import Build
from harness.results.journal import Journal
from harness.results.plan import Plan
from harness.results.result import Fault, Result, Step, Verdict
from harness.results.run import RunFolder

DAY = datetime(2026, 11, 1, 2, tzinfo=UTC)


def result(build: int = 22631, **more: Any) -> Result:
    """Make a result of one cell, which passed unless told otherwise."""
    words = {
        "cell": f"{Build(build).slug}::tool::install",
        "build": str(build),
        "product": "tool",
        "kind": "msi",
        "scenario": "install",
        "verdict": Verdict.PASSED,
        "machine": "vm-1",
        "provenance": "Windows 11 Enterprise",
        "steps": (Step(name="install 1.2.0", started=1.0, seconds=12.5),),
        "started": DAY,
        "seconds": 20.0,
    }
    return Result.model_validate({**words, **more})


def failed(build: int = 22631, **more: Any) -> Result:
    """Make a result of a cell that the product failed."""
    words = {"verdict": Verdict.FAILED, "fault": Fault.PRODUCT, "reason": "it does not start", "fingerprint": "a1b2"}
    return result(build, **{**words, **more})


def run(parent: Path, *results: Result, started: datetime = DAY, **plan: Any) -> RunFolder:
    """Make a run's folder: its plan has the results' cells, and more where ``cells`` says so."""
    folder = RunFolder.create(parent, now=started)
    columns = ("cell", "build", "product", "kind", "scenario", "leg")
    cells = [{name: getattr(one, name) for name in columns} for one in results]
    facts = {"run": folder.run, "matrix": "release", "site": "ours", "started": started, "cells": cells, **plan}
    folder.write_plan(Plan.model_validate(facts))
    Journal(folder.journal_file).extend(results)
    return folder
