"""Reads what Inno Setup writes with /LOG=: the entry it was at, the boxes it answered itself, and how it ended."""

from __future__ import annotations

import re
from typing import Literal

from harness.installer_logs.clock import seconds_of
from harness.installer_logs.reading import FailedAction, LoggedError, LogReading, Reboot, Rollback, Thing
from harness.installer_logs.things import path_in
from harness.installer_logs.timing import Timing

# "2026-11-20 10:00:01.123   Dest filename: C:\..."; further lines of one message are indented under it
LINE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} ([0-9]{2}):([0-9]{2}):([0-9]{2})\.([0-9]{3})   (.*)$")
_ENGINE = re.compile(r"(?:Setup|Uninstall) version: (Inno Setup version .{1,60})")
_ENTRY = re.compile(r"-- (.{1,40}?) entry --")
_BOX = re.compile(r"(Defaulting to (.{1,30}) for suppressed m|M)essage box \((.{1,60})\):")
_IN_USE = re.compile(
    r"(?:The existing file appears to be in use|RestartManager found an application using one of our files: )(.*)"
)
_PROCESS = re.compile(r"Process exit code: (-?[0-9]{1,10})")
_EXIT = re.compile(r"(?:\*\*\* )?(?:Setup )?[Ee]xit code: (-?[0-9]{1,10})")
_EXCEPTION = re.compile(r"(?:Fatal exception|Exception|Got E\w+ exception|Failed to ).{0,400}")
_CODE = re.compile(r"(?:code|error) ([0-9]{1,6})|\(([0-9]{1,6})\)")
_REFUSED = re.compile(r"code 5\b|error 5\b|Access is denied|administrator", re.IGNORECASE)
_BAD_ANSWERS = frozenset(("Abort", "Cancel", "No"))
_MOST = 200


class InnoLog:
    """Takes the lines of one log and gives the reading."""

    def __init__(self) -> None:
        self._timing = Timing()
        self._engine = self._entry = self._at = self._program = ""
        self._errors: list[LoggedError] = []
        self._in_use: dict[str, None] = {}
        self._reboots: list[Reboot] = []
        self._failed: FailedAction | None = None
        self._cause: LoggedError | None = None
        self._rollback: Rollback = "none"
        self._succeeded = self._closed = self._stopped = False
        self._ended: int | None = None
        self._box: tuple[str, str] | None = None
        self._box_line = 0
        self._administrator = ""
        self._now = 0.0

    def feed(self, line: str, number: int) -> None:
        """Take the next line."""
        found = LINE.match(line)
        if found is None:
            if self._box is not None and line.strip():
                self._answered(line.strip())
            return
        self._box = None
        self._now = seconds_of(found[1], found[2], found[3]) + int(found[4]) / 1000.0
        self._says(found[5].strip(), number)

    def _says(self, words: str, number: int) -> None:
        if entry := _ENTRY.match(words):
            self._close_entry()
            self._entry, self._at = entry[1], ""
            self._timing.start(f"{entry[1]} entries", self._now)
        elif words.startswith("Dest filename: "):
            self._at = words[15:]
        elif words.startswith("Filename: "):
            self._program = words[10:]
        elif words.startswith("Key: "):
            self._at = words[5:]
        elif box := _BOX.match(words):
            self._box, self._box_line = (box[2] or "", box[3]), number
        elif used := _IN_USE.match(words):
            self._uses(self._at if words.startswith("The existing") else used[1])
        elif process := _PROCESS.match(words):
            if int(process[1]):
                self._note(f"{self._program or 'a program'} ended with {process[1]}", number, severity="warning")
        elif words.startswith(("Rolling back changes", "User canceled the installation")):
            self._fails(number)
            if words.startswith("Rolling"):
                self._rollback = "done"
        elif words.startswith(("Installation process succeeded", "Uninstallation process succeeded")):
            self._succeeded = self._rollback == "none"
        elif words.startswith("Need to restart Windows? Yes"):
            self._restarts("wanted", "Inno Setup needs to restart Windows", number)
        elif words.startswith("Restarting Windows"):
            self._restarts("begun", "Inno Setup restarts Windows", number)
        elif words.startswith("Log closed"):
            self._close_entry()
            self._closed = True
        elif engine := _ENGINE.match(words):
            self._engine = engine[1]
        elif words.startswith("User privileges: "):
            self._administrator = words[17:]
        elif exited := _EXIT.match(words):
            self._ended = int(exited[1])
        elif _EXCEPTION.match(words):
            self._note(words, number)
            self._fails(number)

    def _answered(self, text: str) -> None:
        """Take the text of a message box: one that was answered for the user with Abort is why it gave up."""
        answer, buttons = self._box or ("", "")
        bad = answer in _BAD_ANSWERS or (not answer and buttons == "OK") or (answer == "OK" and buttons == "OK")
        self._box = None
        self._note(text, self._box_line, severity="error" if bad else "info")

    def _note(self, words: str, number: int, *, severity: str = "error") -> None:
        kind = "registry key" if self._entry == "Registry" else "file"
        name = path_in(words) or self._at
        error = LoggedError(
            words=words[:500],
            line=number,
            severity="error" if severity == "error" else "warning" if severity == "warning" else "info",
            action=self._entry,
            thing=Thing(kind="registry key" if kind == "registry key" else "file", name=name[:400]) if name else None,
        )
        if len(self._errors) < _MOST:
            self._errors.append(error)
        if severity == "error":
            self._cause = error

    def _fails(self, number: int) -> None:
        if self._failed is None:
            self._failed = FailedAction(name=f"{self._entry} entry" if self._entry else "preparing", line=number)

    def _restarts(self, how: Literal["wanted", "begun"], words: str, number: int) -> None:
        if len(self._reboots) < _MOST:
            self._reboots.append(Reboot(how=how, words=words, line=number))

    def _uses(self, what: str) -> None:
        if what.strip() and len(self._in_use) < _MOST:
            self._in_use.setdefault(what.strip()[:300])

    def _close_entry(self) -> None:
        if self._entry:
            self._timing.end(f"{self._entry} entries", self._now)
            self._entry = ""

    def reading(self) -> LogReading:
        """Give what was read so far."""
        # one that could not even begin closes its log without a word of success
        bad = self._failed is not None or (self._closed and not self._succeeded)
        cause = self._cause if bad else None
        at = cause.thing if cause is not None else None
        if bad and at is None and self._at:
            at = Thing(kind="file", name=self._at[:400])
        return LogReading(
            kind="inno-setup",
            engine=self._engine or "Inno Setup",
            ended=self._ended,
            failed=self._failed,
            cause=cause,
            at_fault=at,
            errors=tuple(self._errors),
            rollback=self._rollback,
            refused=bool(cause and _REFUSED.search(cause.words)),
            reboots=tuple(self._reboots),
            in_use=tuple(self._in_use),
            actions=self._timing.taken(),
            running=() if self._closed else self._timing.running,
            properties={"User privileges": self._administrator} if self._administrator else {},
            truncated=not self._closed,
        )
