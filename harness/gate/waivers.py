"""Waivers: a person signs that a reason to hold is accepted for a while, in a file that is reviewed like any other."""

from __future__ import annotations

from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from harness import authoring
from harness.authoring import Authored, Text, refusal

NamedRule = Literal[
    "not-run", "required", "lab-evidence", "origin", "product-hash", "stale", "coverage", "journal", "unplanned",
    "evidence-files", "regressions-unknown",
]  # fmt: skip
"""Rules about what is not known: a waiver covers them only where it names them."""

NAMED_RULES = frozenset(get_args(NamedRule))
OF_CELLS = frozenset({"not-run"})  # of these, a waiver must say which cells it means


class Waiver(Authored):
    """One reason to hold that a person answers for.

    ``cells`` are patterns of cell ids, ``fingerprints`` those of failures: what was seen of them is covered. What was
    not seen, and what is about the run as a whole, is covered where ``rules`` names it. ``signed_off`` is the day on
    which ``person`` signed; ``expires`` is the last day on which the waiver counts.
    """

    id: Text
    reason: Text
    person: Text
    expires: date
    signed_off: date | None = None
    cells: tuple[Annotated[Text, Field(max_length=500)], ...] = ()
    fingerprints: tuple[Text, ...] = ()
    rules: tuple[NamedRule, ...] = ()

    @model_validator(mode="after")
    def _says_what(self) -> Waiver:
        if not (self.cells or self.fingerprints or self.rules):
            raise ValueError("covers nothing: name cells, fingerprints or rules")
        if not self.cells and OF_CELLS & set(self.rules):
            raise ValueError("a waiver of 'not-run' names its cells")
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
        of_cell = bool(cell) and any(cell == one or fnmatchcase(cell, one) for one in self.cells)
        if rule in NAMED_RULES:
            return rule in self.rules and (of_cell or not (self.cells or self.fingerprints))
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
