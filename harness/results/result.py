"""A cell's result: verdict, whose fault, why, steps and evidence; plain values that cross processes as JSON."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from harness.errors import Fault as Fault  # a result tells it
from harness.results.cause import Cause


class Verdict(StrEnum):
    """What became of a cell."""

    PASSED = "passed"
    FLAKY = "flaky"  # passed, and only after an attempt that the product failed
    FAILED = "failed"
    HUNG = "hung"
    BLOCKED = "blocked"
    SKIPPED = "skipped"
    NOT_RUN = "not run"


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(_Plain):
    """A named, timed part of a scenario; ``started`` is seconds from the cell's start, on the controller's clock."""

    name: str
    started: float
    seconds: float
    error: str | None = None


class Evidence(_Plain):
    """One thing taken to prove the verdict: ``path`` is below the run's folder.

    ``kind`` says how to show it: log, text, screenshot or facts.
    """

    name: str
    kind: str
    path: str


class Finding(_Plain):
    """One thing that an installer did and should not have: a code that never changes its meaning, and a sentence."""

    code: str
    cause: str
    sentence: str
    subject: str = ""


class Ending(_Plain):
    """How one command of the product ended, in plain words and numbers: what a cause is decided from.

    ``what`` names the command (``install-1.10.2``), ``exit_code`` is as people look it up ("" for one that was ended at
    its deadline) with its meaning's ``words`` and ``cause``. The rest is what its log says: the ``action`` that failed,
    the ``error`` number (0: none) with the class of its cause, the ``thing`` at fault, what was ``running`` where the
    log breaks off. ``crashed`` is what Windows recorded of a crash.
    """

    what: str
    exit_code: str = ""
    words: str = ""
    success: bool = False
    reboot: bool = False
    refused: bool = False
    cause: str = ""
    action: str = ""
    error: int = 0
    error_cause: str = ""
    thing: str = ""
    rollback: str = ""
    running: str = ""
    in_use: tuple[str, ...] = ()
    crashed: str = ""


class Attempt(_Plain):
    """One try at a cell that was tried more than once; the last one's steps are the result's own."""

    verdict: Verdict
    fault: Fault = Fault.NOBODY
    cause: Cause | None = None
    reason: str = ""
    fingerprint: str = ""
    machine: str = ""
    started: datetime | None = None
    seconds: float = 0.0


class Kept(_Plain):
    """A machine that was left as a cell left it: until when it is leased, and the commands for a person to type."""

    machine: str
    until: datetime
    snapshot: str = ""  # none where it could not be taken
    attach: str
    release: str


class Result(_Plain):
    """A cell with its verdict and everything that a report says of it."""

    cell: str
    build: str
    product: str
    kind: str
    scenario: str
    leg: str = ""
    verdict: Verdict
    fault: Fault = Fault.NOBODY
    reason: str = ""
    error: str = ""  # the kind of what was raised: Hung, GuestLost, Drifted, ...
    code: str = ""  # what the product did not do, as a code that never changes its meaning: not-installed, not-refused
    at_fault: str = ""  # the thing that did it, as far as it is known
    cause: Cause | None = None  # None for a cell that passed or was skipped
    fingerprint: str = ""  # the same for the same failure, wherever and whenever it is seen; "" without a failure
    known_issue: str | None = None  # it explains why the cell did not pass
    missed_issue: str | None = None  # a strict one that should have shown here and did not: a reason to hold
    machine: str = ""
    supplied: str = ""  # how the clean machine came about
    provenance: str = ""
    guest: dict[str, str] = {}
    steps: tuple[Step, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    endings: tuple[Ending, ...] = ()
    attempts: tuple[Attempt, ...] = ()  # every try, the last one too, where there was more than one
    kept: Kept | None = None
    started: datetime | None = None
    seconds: float = 0.0
    worker: str = ""
