"""What an installation touched: properties, restarts, files in use, removed products, rollback. All bounded."""

from __future__ import annotations

from typing import Literal

from harness.installer_logs.patterns import GUID
from harness.installer_logs.reading import Reboot, Removed, Rollback
from harness.installer_logs.vocabulary import OF_INTEREST

_MOST_PROPERTIES, _LONGEST_VALUE, _MOST, _LONGEST = 4_000, 1_000, 100, 300


class Touched:
    """Collects each thing once, with the line that told it first."""

    def __init__(self) -> None:
        self.properties: dict[str, str] = {}
        self.script_product = ""
        self.no_rollback = False
        self._rollback: Rollback = "none"
        self._reboots: dict[tuple[str, str], Reboot] = {}
        self._in_use: dict[str, None] = {}
        self._removed: dict[str, Removed] = {}

    def has(self, name: str, value: str, line: int) -> None:
        """Take a property; some say that a restart is wanted or rollback is off."""
        if name in self.properties or len(self.properties) < _MOST_PROPERTIES:
            self.properties[name] = value[:_LONGEST_VALUE]
        if name == "ReplacedInUseFiles":
            self.wants_reboot("files in use were replaced", line)
        elif name == "MsiSystemRebootPending" and value == "1":
            self.wants_reboot("a restart was pending before it began", line, how="pending before")
        elif name in ("RollbackDisabled", "DISABLEROLLBACK") and value:
            self.no_rollback = True

    def wants_reboot(
        self, why: str, line: int, *, how: Literal["wanted", "begun", "pending before"] = "wanted"
    ) -> None:
        """Take a wish for a restart."""
        why = why.strip()[:_LONGEST]
        if len(self._reboots) < _MOST:
            self._reboots.setdefault((how, why), Reboot(how=how, words=why, line=line))

    def uses(self, what: str) -> None:
        """Take a file that is in use, or a process that holds one."""
        if what.strip() and len(self._in_use) < _MOST:
            self._in_use.setdefault(what.strip()[:_LONGEST])

    def removes(self, product: str, line: int) -> None:
        """Take a product that was removed."""
        if product and len(self._removed) < _MOST:
            self._removed.setdefault(product, Removed(name=product, line=line))

    def rolls_back(self, *, incomplete: bool = False) -> None:
        """Note that changes are undone, or that some could not be."""
        if incomplete:
            self._rollback = "incomplete"
        elif self._rollback == "none":
            self._rollback = "done"

    @property
    def rollback(self) -> Rollback:
        """What became of the changes."""
        return "disabled" if self._rollback == "none" and self.no_rollback else self._rollback

    @property
    def reboots(self) -> tuple[Reboot, ...]:
        """The wishes for a restart."""
        return tuple(self._reboots.values())

    @property
    def in_use(self) -> tuple[str, ...]:
        """Files in use and processes that hold them."""
        return tuple(self._in_use)

    @property
    def removed(self) -> tuple[Removed, ...]:
        """The products that were removed."""
        return tuple(self._removed.values())

    @property
    def telling(self) -> dict[str, str]:
        """The properties that explain results: those of a list, and public ones that hold nothing but a GUID."""
        return {
            name: value
            for name, value in sorted(self.properties.items())
            if name in OF_INTEREST or (name.isupper() and GUID.fullmatch(value))
        }
