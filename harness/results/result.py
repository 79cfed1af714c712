"""A cell's result: verdict, whose fault, why, steps and evidence; plain values that cross processes as JSON."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Verdict(StrEnum):
    """What became of a cell."""

    PASSED = "passed"
    FAILED = "failed"
    HUNG = "hung"
    BLOCKED = "blocked"
    SKIPPED = "skipped"
    NOT_RUN = "not run"


class Fault(StrEnum):
    """Whose fault it is that a cell did not pass."""

    NOBODY = "nobody"
    PRODUCT = "product"
    SITE = "site"
    HARNESS = "harness"


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
    kept: Kept | None = None
    started: datetime | None = None
    seconds: float = 0.0
    worker: str = ""
