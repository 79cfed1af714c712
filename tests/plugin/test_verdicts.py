"""Whose fault an error is that nobody in the harness raised."""

from __future__ import annotations

import errno
import os

import pytest

from harness.causes import decided
from harness.plugin.verdicts import judge
from harness.results.cause import Cause
from harness.results.result import Fault, Result, Verdict


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("phase", ["setup", "call", "teardown"])
def test_a_full_disk_of_the_controller_is_named_with_the_next_move(number: int, phase: str) -> None:
    """Wherever it shows, the cell is blocked, the reason is a sentence for a person, the cause the environment."""
    full = OSError(number, os.strerror(number), "/runs/evidence/install.log")
    judged = judge(full, phase=phase, doubt=lambda: "")
    assert (judged.verdict, judged.fault) == (Verdict.BLOCKED, Fault.HARNESS)
    assert judged.reason == (
        "this controller's disk is full: no space for /runs/evidence/install.log; free some, and run the cell again"
    )
    told = {"verdict": judged.verdict, "fault": judged.fault, "reason": judged.reason, "error": judged.error}
    cell = {"cell": "c", "build": "22631", "product": "p", "kind": "exe", "scenario": "s"}
    assert decided(Result.model_validate({**cell, **told})).cause is Cause.ENVIRONMENT
