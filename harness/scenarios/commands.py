"""Running the product's own commands on a guest: each with its deadline, its log, and what its exit code means."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import Hung
from harness.exit_codes import ExitMeaning, shown
from harness.packages.installer_kind import installer_kind
from harness.packages.msi.tables import MsiPackage
from harness.packages.program import read_program
from harness.packages.unreadable import Unreadable
from harness.results.result import Fault
from harness.scenarios.endings import ending
from harness.scenarios.proving import own_words
from harness.scenarios.starting import what_is_missing
from harness.scenarios.telling import Keeper, Telling

if TYPE_CHECKING:
    from harness.guest.guest import Guest
    from harness.guest.outcome import Outcome
    from harness.products import Package, Product

_ABORTED = 2
_NOT_OPENED = 1619
_NO_ROOM = (1307, 1601, 1605)  # errors in a log, not exit codes: the disk of the guest is full


class Commands:
    """Runs commands of one product on one guest, and keeps what they tell as evidence."""

    def __init__(self, guest: Guest, product: Product, evidence: Keeper) -> None:
        self._guest = guest
        self._product = product
        self._evidence = evidence
        self._telling = Telling(guest, evidence)
        self._temp = ""

    def log(self, name: str) -> str:
        """Name the file in the guest to which a command of this name writes its log."""
        if not self._temp:
            self._temp = self._guest.facts().temp
        return rf"{self._temp}\wincompat-{name}.log"

    def ended(self, outcome: Outcome, meaning: ExitMeaning, reason: str) -> str:
        """Say how a command ended and why, as a part of a sentence."""
        who = {"msi": "msiexec", "exe": "the installer", "zip": "the copy"}[self._product.kind]
        return f"{who} ended with {shown(outcome.exit_code)} ({meaning.words})" + (f": {reason}" if reason else "")

    def run(self, command: str, log: str, package: Package | None = None) -> tuple[Outcome, ExitMeaning, str]:
        """Run a command of the product, and keep its log also when it hangs; a guest that is lost stays lost.

        Gives how it ended, what its exit code means, and the reason of a failure in its own words or those of Windows.
        """
        reading = None
        what = log.rpartition("\\")[2].removeprefix("wincompat-").removesuffix(".log")
        before = time.monotonic()
        try:
            outcome = self._guest.run(command, deadline=self._product.deadline or 120.0)
        except Hung as hung:
            reading = self._telling.log(log) if log in command else None
            if reading is not None and reading.running:
                self._evidence.note(f"{hung}; by its log it was at {reading.running[0]}")
            self._evidence.ended(ending(what, None, reading=reading))
            raise
        if log in command:
            reading = self._telling.log(log)
        log_kind = reading.kind if reading is not None else _maker(outcome, package)
        meaning = self._product.meaning(outcome.exit_code, log_kind=log_kind)
        if meaning.success:
            wanted = reading is not None and reading.reboot  # Inno Setup ends with 0 then, and says so in its log only
            meaning = replace(meaning, reboot=meaning.reboot or wanted)
            self._evidence.ended(ending(what, meaning))
            return outcome, meaning, ""
        if reading is not None and reading.cause is not None and reading.cause.number in _NO_ROOM:
            meaning = replace(meaning, fault=Fault.SITE, cause="environment")
        if outcome.exit_code == _NOT_OPENED and package is not None and not _is_package(package.file):
            meaning = replace(meaning, fault=Fault.PRODUCT, cause="packaging")  # it lay there, whole and as declared
        events = self._telling.records(what, time.monotonic() - before)
        self._evidence.ended(ending(what, meaning, reading=reading, events=events))
        reason = self._telling.reason(reading, package.file if package else None, events)
        reason = reason or what_is_missing(self._guest, outcome, file=package.file if package else None)
        return outcome, meaning, reason or own_words(outcome)


def _maker(outcome: Outcome, package: Package | None) -> str:
    """Name the tool that made a program whose exit code Windows and that tool read differently: NSIS's 2 is no file."""
    if package is None or outcome.exit_code != _ABORTED or package.file.suffix.lower() != ".exe":
        return ""
    try:
        kind = installer_kind(read_program(package.file))
    except Unreadable:
        return ""
    return "nsis" if kind is not None and kind.name == "NSIS" else ""


def _is_package(file: Path) -> bool:
    try:
        MsiPackage(file)
    except Unreadable:
        return False
    return True
