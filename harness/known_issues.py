"""Known issues: a reason with a ticket, a scope and an expiry date, laid over a verdict and never changing it."""

from __future__ import annotations

import re
from datetime import date
from fnmatch import fnmatchcase
from typing import Annotated, Literal, Protocol

from pydantic import AfterValidator

from harness.authoring import Authored, BuildName, Flag, Text
from harness.builds import Build


class Planned(Protocol):
    """What a scope looks at: a planned cell."""

    @property
    def build(self) -> Build: ...  # noqa: D102 - the class says it
    @property
    def product(self) -> str: ...  # noqa: D102
    @property
    def scenario(self) -> str: ...  # noqa: D102
    @property
    def version(self) -> str: ...  # noqa: D102


class Scope(Authored):
    """Which cells are meant; what is left out means all. Build 22631 means its every revision."""

    builds: tuple[BuildName, ...] = ()
    products: tuple[Text, ...] = ()
    scenarios: tuple[Text, ...] = ()

    def holds(self, cell: Planned) -> bool:
        """Tell whether a cell is in the scope."""
        wanted = [Build.parse(one) for one in self.builds]
        return (
            (not wanted or any(one in (cell.build, Build(cell.build.number)) for one in wanted))
            and (not self.products or cell.product in self.products)
            and (not self.scenarios or cell.scenario in self.scenarios)
        )


class Skip(Scope):
    """Cells that are not run, and why; they stay in the plan and in the report."""

    reason: Text


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    return text


def _fingerprint(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{10}", text):
        raise ValueError("should be a fingerprint: ten hexadecimal digits, as a run prints them")
    return text


FingerprintText = Annotated[Text, AfterValidator(_fingerprint)]


class KnownIssue(Scope):
    """An issue that somebody has looked at.

    It is known by ``matches``, a regular expression that is searched in a cell's reason, or by ``fingerprint``, as a
    run prints it; with both, either will do. ``versions`` narrows it to versions of the product (``1.13.*``), ``where``
    to the lab or to sites; ``strict`` makes a covered cell that does not show the issue a reason to hold ("did not
    occur; close it"). It counts up to and with the day ``expires``.
    """

    id: Text
    ticket: Text
    reason: Text
    expires: date
    owner: Text = ""
    versions: tuple[Text, ...] = ()
    matches: Annotated[Text, AfterValidator(_pattern)] = ""
    fingerprint: FingerprintText = ""
    where: Literal["lab", "site"] | None = None
    strict: Flag = False

    def applies(self, cell: Planned, *, on_lab: bool, today: date) -> bool:
        """Tell whether the issue is to be expected in this cell here and today, whatever the cell's reason will be."""
        here = self.where is None or on_lab == (self.where == "lab")
        return here and today <= self.expires and self.holds(cell)

    def holds(self, cell: Planned) -> bool:
        """Tell whether a cell is in the scope."""
        return super().holds(cell) and (
            not self.versions or any(fnmatchcase(cell.version, one) for one in self.versions)
        )

    def explains(self, reason: str, fingerprint: str) -> bool:
        """Tell whether a failure is this issue, wherever it was seen."""
        if self.fingerprint and self.fingerprint == fingerprint:
            return True
        # without a pattern, and without a fingerprint either, whatever happens in the scope is the issue
        by_words = bool(self.matches) or not self.fingerprint
        return by_words and re.search(self.matches, reason) is not None

    def covers(self, cell: Planned, reason: str, *, on_lab: bool, today: date, fingerprint: str = "") -> bool:
        """Tell whether the issue explains why this cell did not pass."""
        return self.applies(cell, on_lab=on_lab, today=today) and self.explains(reason, fingerprint)
