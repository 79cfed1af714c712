"""What a release must prove, as a person writes it down: ``gate.toml``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from harness import authoring
from harness.authoring import Authored, BuildName, Flag, LocalPath, Seconds, Text
from harness.known_issues import Scope
from harness.products.packages import Sha256

Act = Literal["block", "warn"]
Edition = Literal["home", "enterprise", "ltsc", "iot_ltsc", "esu"]
Number = Annotated[int, Field(strict=True, ge=0, le=10_000_000)]
Share = Annotated[float, Field(strict=True, gt=0, le=1, allow_inf_nan=False)]
Hours = Annotated[float, Field(strict=True, gt=0, le=100_000, allow_inf_nan=False)]


class Tiers(Authored):
    """Which builds block a release and which only warn: by the catalog's dates, or by name.

    ``edition`` says whose end of service counts; without it, it is the guest's own, and for a cell that never met a
    guest the one that is served longest.
    """

    edition: Edition | None = None
    supported: Act = "block"
    unsupported: Act = "warn"
    unknown: Act = "block"  # builds that the catalog does not have
    block: tuple[BuildName, ...] = ()
    warn: tuple[BuildName, ...] = ()


class Required(Scope):
    """Cells that must have passed, on whatever build: each combination of what is listed, and none may be missing."""


class Budget(Scope):
    """The most seconds that a step of the cells in scope may take; without a ``step``, the cell as a whole.

    ``step`` may hold ``*`` and ``?``.
    """

    step: Text | None = None
    seconds: Seconds


class Coverage(Authored):
    """How much must have passed, counted over the builds that block a release."""

    share: Share | None = None  # of the planned cells, without those that the matrix skips
    cells: Number = 0
    builds: Number = 0
    supported: Flag = False  # at least one cell passed on each build that the catalog calls supported


class Regressions(Authored):
    """What to do about steps that became slower; with ``required``, no history to compare with is a reason to hold."""

    act: Literal["block", "warn", "ignore"] = "block"
    required: Flag = False


class Policy(Authored):
    """The rule that turns a run into ship or hold; what is left out is as strict as it can be without knowing you."""

    name: Text = "gate"
    allow_lab: Flag = False
    allow_known_issues: Flag = True
    allow_narrowed: Flag = False  # take a run that was asked for a part of its matrix alone
    max_age_hours: Hours | None = None
    flaky: Number = 0  # so many cells may be flaky
    blocked: Number = 0  # so many cells may be blocked
    evidence_files: Flag = False  # every file that the journal names must be there
    artifacts: tuple[LocalPath, ...] = ()  # what is being released
    sha256: tuple[Sha256, ...] = ()  # the same by its hash
    artifact_required: Flag = False  # hold when nobody says what is being released
    waivers: LocalPath | None = None
    approvers: tuple[Text, ...] = ()  # who may sign off a waiver; nobody named: anybody
    tiers: Tiers = Tiers()
    coverage: Coverage = Coverage()
    regressions: Regressions = Regressions()
    required: tuple[Required, ...] = ()
    budgets: tuple[Budget, ...] = ()


def read_policy(path: Path) -> Policy:
    """Read a policy; raises AuthoringError with every mistake, a line each."""
    return authoring.read(path, Policy)
