"""Waivers: a person signs that a reason to hold is accepted for a while, in a file that is reviewed like any other."""

from __future__ import annotations

from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from harness import authoring
from harness.authoring import Authored, Text, refusal

Rule = Literal[
    "failed", "hung", "flaky", "blocked", "budget", "regression", "known-issue", "missed-issue",
    "not-run", "required", "lab-evidence", "origin", "product-hash", "stale", "coverage", "journal", "unplanned",
    "evidence-files", "regressions-unknown", "narrowed",
]  # fmt: skip

SEEN = frozenset(get_args(Rule)[:8])
"""What was seen of a cell: covered by a waiver of that cell, unless it names other rules."""
OF_CELLS = SEEN | {"not-run"}
"""Rules that a waiver covers for cells or fingerprints only, never for the run as a whole."""


class Waiver(Authored):
    """One reason to hold that a person answers for.

    ``cells`` are patterns of cell ids, ``fingerprints`` those of failures: what was seen of them is covered, or only
    the ``rules`` that are named. What was not seen, and what is about the run as a whole, is covered only where
    ``rules`` names it. ``signed_off`` is the day on which ``person`` signed; ``expires`` is the last day on which the
    waiver counts.
    """

    id: Text
    reason: Text
    person: Text
    expires: date
    signed_off: date | None = None
    cells: tuple[Annotated[Text, Field(max_length=500)], ...] = ()
    fingerprints: tuple[Text, ...] = ()
    rules: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _says_what(self) -> Waiver:
        if not (self.cells or self.fingerprints or self.rules):
            raise ValueError("covers nothing: name cells, fingerprints or rules")
        if not (self.cells or self.fingerprints) and (wide := sorted(OF_CELLS & set(self.rules))):
            raise ValueError(f"a waiver of {wide[0]!r} names its cells or fingerprints")
        return self

    def flaw(self, today: date, approvers: tuple[str, ...]) -> str:
        """Say why this waiver does not count, or nothing when it does."""
        if self.signed_off is None:
            return "nobody has signed it off (signed_off)"
        if self.signed_off > today:
            return f"it is signed off on {self.signed_off}, which is yet to come"
        if approvers and self.person not in approvers:
            return f"{self.person} is not among the policy's approvers"
        if self.expires < today:
            return f"it expired on {self.expires}"
        return ""

    def covers(self, rule: str, cell: str, fingerprint: str) -> bool:
        """Tell whether a complaint is covered: by its rule, the id of its cell and the fingerprint of its failure."""
        if rule not in (self.rules or SEEN):
            return False
        if not (self.cells or self.fingerprints):
            return True  # of the run as a whole, by the rule that it names
        of_cell = bool(cell) and any(cell == one or fnmatchcase(cell, one) for one in self.cells)
        return of_cell or (bool(fingerprint) and fingerprint in self.fingerprints)


class WaiversFile(Authored):
    """A file of waivers."""

    waivers: tuple[Waiver, ...] = ()


def read_waivers(path: Path) -> tuple[Waiver, ...]:
    """Read a file of waivers; raises AuthoringError with every mistake, a line each."""
    waivers = authoring.read(path, WaiversFile).waivers
    ids = [waiver.id for waiver in waivers]
    twice = [f"waivers[{index}]: {one!r} is there twice" for index, one in enumerate(ids) if one in ids[:index]]
    if twice:
        raise refusal(path, twice)
    return waivers
