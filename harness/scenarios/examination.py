"""Looking at the guest around each phase, and holding what the installer did to it against the rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.errors import ProductFailed
from harness.expectations import Finding, Phase, findings
from harness.guest.state import Scope

if TYPE_CHECKING:
    from harness.expectations.phase import What
    from harness.guest.guest import Guest
    from harness.guest.state import State
    from harness.guest.state.baseline import Baseline
    from harness.products import Product
    from harness.scenarios.telling import Keeper

SHOWN = 3
"""Findings that a reason names; the others are counted."""

OWN_ROOTS = (
    r"%USERPROFILE%\*",
    r"%USERPROFILE%\Desktop",
    r"%USERPROFILE%\AppData\Local\*",
    r"%USERPROFILE%\AppData\Local\Programs",
    r"%USERPROFILE%\AppData\Roaming\*",
    r"%USERPROFILE%\AppData\Roaming\Microsoft\Windows\Start Menu",
)
"""Where an installer that is run by somebody leaves things of that person's own."""

Begins = Callable[["Guest", Scope], "Baseline"]


class Examination:
    """One guest under examination; ``begins`` gives what it is like without the product, from one that is clean."""

    def __init__(self, guest: Guest, product: Product, keeper: Keeper, begins: Begins, *, scope: Scope) -> None:
        self._guest = guest
        self._product = product
        self._keeper = keeper
        self._begins = begins
        self._scope = scope
        self.judges_registry = True
        self._clean: Baseline | None = None
        self._last: State | None = None
        self._found: list[Finding] = []

    def begin(self) -> None:
        """Learn what the guest is like now, before anything was done to it."""
        self._clean = self._begins(self._guest, self._scope)
        self._last = self._clean.state

    def look(self) -> None:
        """Take the guest's state, for what follows to be compared with."""
        self._last = self._guest.state(self._scope)

    def after(self, what: What, version: str, *, old: str = "") -> None:
        """Take the guest's state after a phase, keep what has changed as evidence, and what breaks a rule as findings.

        Nothing is raised: a scenario goes on to its end, and `conclude` says what was found.
        """
        assert self._clean is not None, "an examination begins with the clean guest"
        assert self._last is not None
        before, now = self._last, self._guest.state(self._scope)
        entry = self._product.proofs_of(version).uninstall_entry
        phase = Phase(
            what=what,
            version=version,
            old=old,
            clean=self._clean.state,
            before=before,
            after=now,
            learned=self._clean.learned,
            registers=entry.display_version if entry else None,
            allows=self._product.allows_leftover,
            judges_registry=self.judges_registry,
        )
        self._last = now
        name = f"changes-{what.replace(' ', '-')}-{version}.txt"
        self._keeper.keep(name, "".join(f"{change}\n" for change in phase.done) or "nothing\n")
        for finding in findings(phase):
            self._add(finding)
        if what == "uninstall" and (left := [f for f in self._found if f.code == "left-behind"]):
            self._keeper.keep("left-behind.txt", "".join(f"{finding.sentence}\n" for finding in left))

    def _add(self, finding: Finding) -> None:
        # the same thing is seen again in every later phase; it is told once
        if all((known.code, known.subject) != (finding.code, finding.subject) for known in self._found):
            self._found.append(finding)
            self._keeper.finding(finding)

    def conclude(self) -> None:
        """Raise ProductFailed with what was found, if anything was."""
        if self._found:
            more = len(self._found) - SHOWN
            words = "; ".join(finding.sentence for finding in self._found[:SHOWN])
            raise ProductFailed(words + (f"; and {more} more" if more > 0 else ""))
