"""Why an installation failed, in one sentence, from its log, what the package would have said, and Windows' records."""

from __future__ import annotations

from pathlib import Path

from harness.installer_logs.events import Events
from harness.installer_logs.package_words import said_by_package
from harness.installer_logs.reading import FailedAction, LoggedError, LogReading, Thing

_LONGEST = 400
_CRASHES = ("Application Error", "Application Hang", ".NET Runtime", "Windows Error Reporting")


def reason(reading: LogReading, package: Path | None = None, events: Events | None = None) -> str:
    """Pick what tells why it failed, best first, or nothing.

    The product's own words; an error with its number and documented meaning; the text in the package that an engine
    does not log; the action that failed and the thing it was at; the action in whose middle the log ends; a crash or
    an error among Windows' records.
    """
    told = _told(reading, package) or _recorded(events)
    if not told:
        return ""
    return "; ".join([told[:_LONGEST], *_beside(reading, told, events)])


def _told(reading: LogReading, package: Path | None) -> str:
    if reading.unreadable:
        return ""
    failed = reading.failed
    if reading.told:
        return reading.told
    if reading.cause is not None:
        return _error(reading.cause, reading.at_fault, failed, reading.kind)
    if failed is not None:
        said = said_by_package(package, failed.name, reading.every_property) if package is not None else ""
        return said or _action(failed, reading.at_fault, reading.kind)
    if reading.truncated and reading.running:
        return f"its log ends in the middle of {reading.running[0]}"
    return ""


def _error(error: LoggedError, at: Thing | None, failed: FailedAction | None, kind: str) -> str:
    words = error.words or error.meaning
    if error.number:
        known = f", {error.meaning}" if error.meaning and error.words else ""
        words = f"error {error.number}{known}: {words}"
    if failed is not None and kind == "burn":
        return f"its package {failed.name} failed: {words}"
    if at is not None and at.kind != "action" and at.name.casefold() not in words.casefold():
        words = f"{words.rstrip('. ')} ({at})"
    return words


def _action(failed: FailedAction, at: Thing | None, kind: str) -> str:
    if kind == "burn":
        return f"its package {failed.name} failed"
    if kind in ("inno-setup", "nsis"):
        return f"it gave up at {at}" if at is not None else f"it gave up in {failed.name}"
    code = f" with {failed.exit_code}" if failed.exit_code is not None else ""
    if failed.custom:
        return f"its custom action {failed.name} failed{code}"
    where = f" at the {at.kind} {at.name}" if at is not None and at.kind not in ("action", "custom action") else ""
    return f"its action {failed.name} failed{code}{where}"


def _recorded(events: Events | None) -> str:
    """Take a crash first, for it is the reason of what Windows Installer records after it."""
    trouble = events.trouble if events is not None else ()
    crash = next((one for one in trouble if one.source in _CRASHES), None)
    numbered = next((one for one in trouble if one.error and one.error not in (1708, 1725, 1729)), None)
    found = crash or numbered or next(iter(trouble), None)
    return found.sentence if found is not None else ""


def _beside(reading: LogReading, told: str, events: Events | None) -> list[str]:
    """Say what belongs to the reason: who holds the files, a rollback that did not come to its end, a crash."""
    beside = []
    holders = [one for one in reading.in_use if one.casefold() not in told.casefold()]
    if holders:
        beside.append(f"in use: {', '.join(holders[:2])}")
    if reading.rollback == "incomplete":
        beside.append("and it could not be rolled back in full")
    elif reading.rollback == "disabled":
        beside.append("and rollback is switched off")
    crash = next((one for one in (events.trouble if events else ()) if one.source in _CRASHES), None)
    if crash is not None and crash.sentence not in told:
        beside.append(crash.sentence)
    return beside
