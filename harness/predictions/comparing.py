"""A cell's result beside what was predicted of its package: as predicted, contradicted, or not decided."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict

from harness.builds import Build
from harness.predictions.inspected import Inspected, Predicted, Said
from harness.results.cause import Cause
from harness.results.result import Ending, Fault, Finding, Result, Verdict

CODE = "pre-flight-contradicted"


class Standing(StrEnum):
    """How a prediction stands after the cell was run."""

    AGREED = "as predicted"
    CONTRADICTED = "contradicted"
    DID_NOT_HAPPEN = "did not happen"  # of what was only said to be possible
    UNDECIDED = "not decided"  # the cell did not come to where it would have shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One prediction beside what was seen, with the finding about the package that made it."""

    said: Said
    predicted: Predicted
    standing: Standing
    seen: str

    def __str__(self) -> str:
        surely = "" if self.predicted.surely else "possibly "
        return f"{self.said.code}: predicted {surely}{self.predicted.outcome}, {self.standing}: {self.seen}"


class _Sign(BaseModel):
    """By what an outcome shows; a row of the table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: tuple[str, ...] = ()
    finding: tuple[str, ...] = ()
    verdict: tuple[str, ...] = ()
    cause: tuple[str, ...] = ()
    exit_cause: tuple[str, ...] = ()
    reboot: bool = False
    hidden: bool = False
    after: Literal["", "install", "uninstall"]

    def shows(self, result: Result) -> bool:
        """Whether a result shows it."""
        last = result.endings[-1] if result.endings else Ending(what="")
        return (
            result.code in self.code
            or result.verdict in self.verdict
            or str(result.cause or "") in self.cause
            or (not last.success and last.cause in self.exit_cause)
            or (self.reboot and any(one.reboot and one.success for one in result.endings))
            or any(one.code in self.finding for one in result.findings)
        )


def compare(result: Result, inspected: Inspected) -> tuple[Comparison, ...]:
    """Hold a cell's result against every prediction for its scenario and build.

    A prediction that is sure is contradicted by a cell that came to where it would have shown, and did not show it.
    """
    build = Build.parse(result.build).number
    return tuple(
        _compared(result, said, one)
        for said in inspected.findings
        for one in said.predicts
        if one.is_of(result.scenario, build)
    )


def contradictions(result: Result, inspected: Inspected) -> tuple[Finding, ...]:
    """Make a finding of each sure prediction that the cell contradicts: the reading of the package is wrong there.

    It is a finding about the harness, for it says nothing against the product, and changes no verdict.
    """
    return tuple(
        Finding(
            code=CODE,
            cause=Cause.HARNESS.value,
            sentence=f"{inspected.file or inspected.product}: {one.said.code} predicted that {result.scenario} "
            f"{one.predicted.outcome}, and {one.seen}",
            subject=one.said.code,
        )
        for one in compare(result, inspected)
        if one.standing is Standing.CONTRADICTED
    )


def _compared(result: Result, said: Said, one: Predicted) -> Comparison:
    standing, seen = _stands(result, one)
    return Comparison(said=said, predicted=one, standing=standing, seen=seen)


def _stands(result: Result, one: Predicted) -> tuple[Standing, str]:
    if result.fault is not Fault.PRODUCT and result.verdict is not Verdict.PASSED:
        return Standing.UNDECIDED, f"the cell was {result.verdict}"
    sign = signs().get(one.outcome)
    if sign is None or sign.hidden:
        return Standing.UNDECIDED, "no step of the scenario would show it"
    if one.outcome == "not-refused" and result.scenario != "denied":
        return _went_back(result, one) if result.scenario == "downgrade" else _was_not_refused(result, one)
    if sign.shows(result):
        return Standing.AGREED, result.reason or "a command asked for a restart"
    if not _came_to(sign.after, result):
        return Standing.UNDECIDED, f"the cell ended before: {result.reason}"
    seen = result.reason or "the cell passed"
    return (Standing.CONTRADICTED if one.surely else Standing.DID_NOT_HAPPEN), seen


def _was_not_refused(result: Result, one: Predicted) -> tuple[Standing, str]:
    """Judge a package that should refuse this Windows by its own words, and is said not to."""
    if result.code not in ("not-installed", "not-upgraded"):
        return Standing.AGREED, "it was installed"
    return (Standing.CONTRADICTED if one.surely else Standing.DID_NOT_HAPPEN), result.reason


def _went_back(result: Result, one: Predicted) -> tuple[Standing, str]:
    """Judge a package that is said to replace newer versions by how it ended when it was tried."""
    tried = next((ended for ended in result.endings if ended.what.startswith("downgrade-")), None)
    if tried is None:
        return Standing.UNDECIDED, f"the cell ended before: {result.reason}"
    if tried.success:
        return Standing.AGREED, "the older version was installed"
    return (Standing.CONTRADICTED if one.surely else Standing.DID_NOT_HAPPEN), "the older version was refused"


def _came_to(after: str, result: Result) -> bool:
    """Whether what must come first went well."""
    installed = not (result.verdict is Verdict.HUNG or result.code in ("not-installed", "not-upgraded", ""))
    well = result.verdict is Verdict.PASSED
    if after == "uninstall":
        return well or result.code == "broke-rules"
    return well or after == "" or installed


@cache
def signs() -> Mapping[str, _Sign]:
    """Read the table: by what each outcome shows."""
    text = resources.files("harness.predictions").joinpath("signs.toml").read_text("utf-8")
    return {outcome: _Sign.model_validate(sign) for outcome, sign in tomllib.loads(text).items()}
