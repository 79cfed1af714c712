"""What is said of a package before it is run: findings, and what each predicts of a scenario."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any


class Severity(StrEnum):
    """How much a finding weighs: an ``error`` is a defect, a ``warning`` may become one, a ``note`` is to be known."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Outcome(StrEnum):
    """What a scenario is predicted to show; each but ``exits-3010`` makes the scenario fail."""

    FAILS = "fails"  # the installation ends with an error
    REFUSED = "refused"  # the package says no before it changes anything
    NOT_REFUSED = "not-refused"  # who should be refused is not
    HANGS = "hangs"  # it waits for a person
    RESTARTS = "restarts"  # the machine restarts unasked
    EXITS_3010 = "exits-3010"  # done, and a restart is asked for
    DOES_NOT_START = "does-not-start"  # the installer or the program cannot be started
    LEAVES_NEITHER = "leaves-neither"  # after a failed upgrade neither version is there
    LEAVES_BOTH = "leaves-both"  # after an upgrade both versions are registered
    LEAVES_REMAINS = "leaves-remains"  # something stays after the removal
    LOSES_FILES = "loses-files"  # files that belong to the new version are not there
    NOT_UNDONE = "not-undone"  # a failed installation leaves what it did
    NOT_REMOVABLE = "not-removable"  # it cannot be uninstalled
    NOT_APPLIED = "not-applied"  # what the package holds never reaches the machine
    WRONG_USER = "wrong-user"  # it reaches only the account that installs
    DAMAGES_PATH = "damages-path"  # PATH loses or joins entries
    OUTLIVED = "outlived"  # a process goes on after the installer has ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a scenario will show: on these builds (numbers; None for every build), and under which circumstances.

    A ``surely`` one is contradicted by a run that shows anything else; the others say what may happen, and ``when``.
    """

    scenario: str
    outcome: Outcome
    builds: tuple[int, ...] | None = None
    surely: bool = False
    when: str = ""

    def holds_for(self, build: int) -> bool:
        """Tell whether it speaks of a build."""
        return self.builds is None or build in self.builds

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {
            "scenario": self.scenario,
            "outcome": str(self.outcome),
            "builds": None if self.builds is None else list(self.builds),
            "surely": self.surely,
            "when": self.when,
        }


def predictions(
    outcome: Outcome, *scenarios: str, builds: tuple[int, ...] | None = None, surely: bool = True
) -> tuple[Prediction, ...]:
    """Predict the same of several scenarios, on these builds or on every one."""
    return tuple(Prediction(scenario=scenario, outcome=outcome, builds=builds, surely=surely) for scenario in scenarios)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing about a package: a code that never changes its meaning, one sentence, and what is at fault."""

    code: str
    severity: Severity
    sentence: str
    subject: str = ""
    advice: str = ""
    predicts: tuple[Prediction, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {
            "code": self.code,
            "severity": str(self.severity),
            "sentence": self.sentence,
            "subject": self.subject,
            "advice": self.advice,
            "predicts": [one.as_json() for one in self.predicts],
        }


def unreadable(file: Path, error: Exception) -> Finding:
    """Say of a file that it cannot be read, and why."""
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Finding(
        code="unreadable",
        severity=Severity.ERROR,
        sentence=f"{file.name} is unreadable, because {why}",
        subject=file.name,
        advice="fetch it again and compare its SHA-256",
    )
