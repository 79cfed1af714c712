"""Reads what Windows Installer writes with /l*v, as Windows writes it and as Wine does."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable

from harness.installer_logs import patterns, vocabulary
from harness.installer_logs.clock import seconds_of, stamp_of
from harness.installer_logs.messages import message
from harness.installer_logs.operations import Script, thing_of_datum
from harness.installer_logs.reading import FailedAction, LoggedError, LogReading, Severity, Thing
from harness.installer_logs.sequence import Sequence
from harness.installer_logs.things import ROUTINE, path_in, thing_in
from harness.installer_logs.touched import Touched

_SUCCESSES = (0, 1641, 3010)
_MOST, _LONGEST = 100, 500
_OPERATION = "Executing op: "


class WindowsInstallerLog:
    """Takes the lines of one log and gives the reading; what it keeps is bounded, however long the log."""

    def __init__(self) -> None:
        self._line = 0
        self._engine = ""
        self._header = self._stopped = False
        self._ended: int | None = None
        self._stamp: float | None = None
        self._stamped = ""
        self._sequence = Sequence()
        self._touched = Touched()
        self._script = Script()
        self._starters: set[str] = set()
        self._note = 0
        self._exception_next = False
        self._first_errors: list[LoggedError] = []
        self._last_errors: deque[LoggedError] = deque(maxlen=_MOST)
        self._last_error: LoggedError | None = None
        self._last_told = ("", "")
        self._datum = ""
        # as they stood when the failure showed: what comes later is the rollback's
        self._cause: LoggedError | None = None
        self._told = self._datum_then = ""
        self._at_then: Thing | None = None

    # --- lines of the engine

    def feed(self, line: str, number: int) -> None:
        """Take the next line."""
        self._line = number
        if line.startswith("MSI ("):
            at = line.find("]: ", 0, 80)
            if at > 0:
                self._sequence.windows = True
                self._stamped = line[at - 13 : at + 1]
                text = line[at + 3 :]
                # by its first letters, the commonest way out first: a large log has millions of these lines
                act = self._ENGINE.get(text[:6])
                if act is not None:
                    act(self, text)
                elif " -- " in text and (found := patterns.PRODUCT.match(text)):
                    self._product_says(found[3])
                return
        if line:
            self._plain(line)

    def _now(self, whole: float | None = None) -> float:
        """Give the time of the engine's last line to the millisecond, unless that contradicts a whole second."""
        if self._stamped:
            self._stamp, self._stamped = stamp_of(self._stamped), ""
        if self._stamp is not None and (whole is None or 0.0 <= self._stamp - whole < 1.0):
            return self._stamp
        return whole or 0.0

    def _execute(self, text: str) -> None:
        if not text.startswith(_OPERATION):
            return
        operation = text[len(_OPERATION) :]
        self._script.follow(operation)
        if operation.startswith("ActionStart("):
            if found := patterns.STARTING.match(operation):
                self._sequence.timing.step(found[1], self._now())
        elif operation.startswith("ProductInfo("):
            if found := patterns.INFO.match(operation):
                self._touched.script_product = found[2] or found[1]
        elif operation.startswith("ProductUnregister("):
            self._touched.removes(self._touched.script_product, self._line)
        elif operation.startswith("RollbackInfo(") and self._sequence.failed is not None:
            self._touched.rolls_back()

    def _take_note(self, text: str) -> None:
        if (found := patterns.NOTE.match(text)) is None:
            return
        self._note = int(found[1])
        if self._note == 2329 and (found[2] or "").strip() in ("32", "33"):  # could not be deleted: sharing violation
            self._touched.uses(found[3] or "")

    def _do(self, text: str) -> None:
        if text.startswith(("Doing action: ScheduleReboot", "Doing action: ForceReboot")):
            self._touched.wants_reboot(f"the package's action {text[14:].strip()}", self._line)

    def _return(self, text: str) -> None:
        if found := patterns.RETURNING.match(text):
            self._ended = int(found[1])
            if self._ended in (1641, 3010, 3017):
                how = "begun" if self._ended == 1641 else "wanted"
                self._touched.wants_reboot(
                    f"it ended with {self._ended}", self._line, how="begun" if how == "begun" else "wanted"
                )

    def _change(self, text: str) -> None:
        if (found := patterns.CHANGE.match(text)) is None:
            return
        if found[1] == "Deleting":
            self._touched.properties.pop(found[2], None)
        elif value := patterns.CHANGED_TO.search(text, found.end()):
            self._touched.has(found[2], value[1], self._line)

    def _policy(self, text: str) -> None:
        if "'DisableRollback' is 1" in text:
            self._touched.no_rollback = True

    def _restart_manager(self, text: str) -> None:
        if found := patterns.HOLDER.search(text):
            self._touched.uses(f"{found[2]} (process {found[1]})")
        elif "a reboot will be necessary" in text or "Failed to shut down" in text:
            self._touched.wants_reboot(text.removeprefix("RESTART MANAGER: "), self._line)

    def _windows_says(self, text: str) -> None:
        if found := patterns.RESULT.match(text):
            if found[1] == "removed" and found[3] == "0":
                self._touched.removes(found[2], self._line)
        elif found := patterns.RESTART.search(text):
            why = patterns.RESTART_REASONS.get(found[2], f"reason {found[2]}")
            self._touched.wants_reboot(f"{why}, {patterns.RESTART_TYPES.get(found[1], 'some time')}", self._line)

    def _error_of_engine(self, text: str) -> None:
        if text.startswith("Error in rollback skipped"):
            self._touched.rolls_back(incomplete=True)

    _ENGINE: dict[str, Callable[[WindowsInstallerLog, str], None]] = {  # noqa: RUF012 - never written to
        "Execut": _execute,
        "Note: ": _take_note,
        "Doing ": _do,
        "MainEn": _return,
        "PROPER": _change,
        "Machin": _policy,
        "User p": _policy,
        "RESTAR": _restart_manager,
        "Window": _windows_says,
        "Error ": _error_of_engine,
    }

    # --- lines without its prefix

    def _plain(self, line: str) -> None:
        if line.startswith("Property("):
            if found := patterns.PROPERTY.match(line):
                self._touched.has(found[1], found[2], self._line)
        elif self._exception_next:
            self._exception_next = False
            self._note_error(line.strip(), 0, "error")
        elif line.startswith("CustomAction ") and (found := patterns.CUSTOM.match(line)):
            if "translated to success" not in found[3]:
                self._sequence.returned(found[1], int(found[2]))
        elif line.startswith("==="):
            self._frame(line)
        elif line.startswith("Exception thrown by custom action"):
            self._exception_next = True
        elif line.startswith("Rollback: "):
            self._touched.rolls_back()
        elif line.startswith("Message type: "):
            self._engine = self._engine or "Wine's Windows Installer"
        elif (found := patterns.ERROR.match(line)) and found[1] in vocabulary.SEVERITIES:
            self._numbered(found, debug=line.startswith("DEBUG"))
        elif found := patterns.ACTION.match(line):
            self._action(found)
        elif found := patterns.QUIET.match(line):
            self._note_error(f"{found[1]}: error {found[2]}: {found[3].strip()}", 0, "error")
        elif found := patterns.USED_BY.search(line):
            self._touched.uses(f"{found[1]} (process {found[2]})")
        elif " -- " in line and (found := patterns.PRODUCT.match(line)):
            self._product_says(found[3])
        else:
            self._datum = line

    def _frame(self, line: str) -> None:
        """Take the line that opens the log, or that closes it: the words differ between languages."""
        if found := patterns.BUILD.search(line):
            self._engine = f"Windows Installer {found[1]}"
        opens = "started" in line.lower() or not self._header
        self._header, self._stopped = True, not opens

    def _action(self, found: re.Match[str]) -> None:
        words, name, rest = found[1].strip(), found[6], found[7]
        at = self._now(seconds_of(found[2], found[3], found[4], found[5]))
        ended = None
        if words == "Action ended" or (words not in ("Action start", "Action") and words not in self._starters):
            ended = patterns.VALUE.match(rest)
        if ended is not None:
            if self._sequence.end(name, int(ended[1]), at, self._line):
                self._remember(name)
        elif not rest and words != "Action":
            self._starters.add(words)
            self._datum = ""
            again = (
                self._sequence.timing.running[:1] == (name,) and words != "Action start"
            )  # as other languages say it
            if not again and self._sequence.start(name, at):
                self._touched.rolls_back()
        elif name == "Rollback":
            self._touched.rolls_back()

    def _remember(self, name: str) -> None:
        """Keep what stands in the log when a failure shows: an error counts when it was logged in what is open now."""
        failed = self._sequence.failed
        now = ("", name, failed.name if failed else "", *self._sequence.timing.running)
        error = self._last_error
        self._cause = error if error is not None and error.action in now else None
        self._told = self._last_told[0] if self._last_told[1] in now else ""
        self._at_then, self._datum_then = self._script.thing, self._datum

    # --- words

    def _product_says(self, words: str) -> None:
        if (found := patterns.ERROR.match(words)) and found[1] in vocabulary.SEVERITIES:
            self._numbered(found)
        elif "estart required" in words:
            self._touched.wants_reboot("restart required", self._line)
        elif used := patterns.USED_BY.search(words):
            self._touched.uses(f"{used[1]} (process {used[2]})")
        elif self._note in patterns.OUTCOMES or patterns.OUTCOME_WORDS.match(words):
            if self._note == patterns.REMOVAL_DONE or words.startswith("Removal completed"):
                self._touched.removes(self._touched.script_product, self._line)
        else:
            self._last_told = (words.strip()[:_LONGEST], next(iter(self._sequence.timing.running), ""))
        self._note = 0

    def _numbered(self, found: re.Match[str], *, debug: bool = False) -> None:
        number, words = int(found[2]), found[3].strip()
        self._note_error(words, number, "debug" if debug else vocabulary.SEVERITIES[found[1]])
        if number in patterns.REBOOTING:
            known = message(number)
            path = path_in(words)
            self._touched.wants_reboot(f"{known.words}: {path}" if known and path else words, self._line)
        elif number in (1306, 1603):
            used = patterns.USED_BY.search(words)
            self._touched.uses(f"{used[1]} (process {used[2]})" if used else path_in(words) or words)
        elif number == 1712:
            self._touched.rolls_back(incomplete=True)

    def _note_error(self, words: str, number: int, severity: Severity) -> None:
        last = self._last_error
        if last is not None and number and last.number == number and last.words[:60] == words[:60]:
            return  # the engine repeats it behind the product's name
        known = message(number) if number else None
        error = LoggedError(
            words=words[:_LONGEST],
            line=self._line,
            number=number,
            severity=severity,
            meaning=known.words if known else "",
            action=next(iter(self._sequence.timing.running), ""),
            thing=thing_in(words, known.at if known else None),
        )
        if len(self._first_errors) < _MOST:
            self._first_errors.append(error)
        else:
            self._last_errors.append(error)
        if severity == "error":
            self._last_error = error

    # --- the reading

    def reading(self) -> LogReading:
        """Give what was read so far."""
        well = self._ended in _SUCCESSES or (self._ended is None and self._sequence.over and not self._sequence.failed)
        failed = None if well else self._sequence.failed
        cause = None if well else self._cause if failed is not None else self._last_error
        told = "" if well else self._told or (self._last_told[0] if failed is None else "")
        known = message(cause.number) if cause is not None and cause.number else None
        complete = self._stopped if self._header and self._sequence.windows else self._sequence.over
        properties = self._touched.properties
        return LogReading(
            kind="windows-installer",
            engine=self._engine or "Windows Installer",
            product=properties.get("ProductName", ""),
            version=properties.get("ProductVersion", ""),
            ended=self._ended,
            failed=failed,
            cause=cause,
            at_fault=self._at_fault(failed, cause),
            errors=(*self._first_errors, *self._last_errors),
            told=told,
            rollback=self._touched.rollback,
            refused=bool(cause and ((known and known.refused) or patterns.REFUSED.search(cause.words))),
            reboots=self._touched.reboots,
            in_use=self._touched.in_use,
            removed=self._touched.removed,
            actions=self._sequence.timing.taken(),
            running=() if complete else self._sequence.timing.running,
            properties=self._touched.telling,
            truncated=not complete,
            every_property=properties,
        )

    def _at_fault(self, failed: FailedAction | None, cause: LoggedError | None) -> Thing | None:
        if cause is not None and cause.thing is not None:
            return cause.thing
        if failed is None:
            return None
        if failed.custom:
            return Thing(kind="custom action", name=failed.name)
        if self._sequence.windows:
            at = self._at_then if failed.name in ROUTINE else None
        else:  # read only now: the folders' properties are listed at the end of the log
            at = thing_of_datum(self._datum_then, self._touched.properties)
        return at or Thing(kind="action", name=failed.name)
