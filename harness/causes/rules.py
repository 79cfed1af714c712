"""The rules that decide a cause, read from their table, and what each asks of a result."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict

from harness.results.cause import Cause
from harness.results.result import Ending, Fault, Result, Verdict

Thing = Literal["subject", "finding", "log", "crash", "command", "error"]


class Rule(BaseModel):
    """One row of the table: a cause, and the conditions that must all hold for it; what is left out is not asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    cause: Cause
    thing: Thing = "subject"
    verdict: tuple[Verdict, ...] = ()
    fault: tuple[Fault, ...] = ()
    error: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    scenario: tuple[str, ...] = ()
    finding: tuple[str, ...] = ()
    finding_cause: tuple[str, ...] = ()
    exit: tuple[str, ...] = ()
    exit_cause: tuple[str, ...] = ()
    log_cause: tuple[str, ...] = ()
    rolled_back: tuple[str, ...] = ()
    refused: bool | None = None
    crashed: bool | None = None
    action: re.Pattern[str] | None = None
    words: str = ""

    def holds(self, result: Result) -> bool:
        """Whether every condition holds for a result."""
        ended = failed_command(result) or Ending(what="")
        return (
            _one_of(self.verdict, result.verdict)
            and _one_of(self.fault, result.fault)
            and _one_of(self.error, result.error)
            and _one_of(self.code, result.code)
            and _one_of(self.scenario, result.scenario)
            and _one_of(self.exit, ended.exit_code)
            and _one_of(self.exit_cause, ended.cause)
            and _one_of(self.log_cause, ended.error_cause)
            and _one_of(self.rolled_back, ended.rollback)
            and (not self.finding or any(one.code in self.finding for one in result.findings))
            and (not self.finding_cause or any(one.cause in self.finding_cause for one in result.findings))
            and self.refused in (None, ended.refused)
            and self.crashed in (None, bool(ended.crashed))
            and (self.action is None or self.action.search(ended.action) is not None)
            and (not self.words or re.search(self.words, result.reason, re.IGNORECASE) is not None)
        )


def _one_of(wanted: Sequence[str], found: str) -> bool:
    return not wanted or found in wanted


def failed_command(result: Result) -> Ending | None:
    """Give the command that a failure is about: the last one, when it did not end well."""
    last = result.endings[-1] if result.endings else None
    return None if last is None or last.success else last


@cache
def rules() -> tuple[Rule, ...]:
    """Read the table, in the order in which it is tried."""
    text = resources.files("harness.causes").joinpath("rules.toml").read_text("utf-8")
    return tuple(Rule.model_validate(one) for one in tomllib.loads(text)["rules"])
