"""Reads the log of a WiX bundle (Burn): its packages, the one that failed, and where their own logs are."""

from __future__ import annotations

import re

from harness.exit_codes import meaning, shown, signed
from harness.installer_logs.clock import seconds_of
from harness.installer_logs.reading import FailedAction, LoggedError, LogReading, Reboot, Removed, Rollback, Thing
from harness.installer_logs.timing import Timing

# "[1A2C:0B14][2026-11-20T10:00:01]i301: Applying execute package: Runtime, action: Install, ..."
LINE = re.compile(
    r"\[[0-9A-Fa-f]{1,8}:[0-9A-Fa-f]{1,8}\]\[[0-9]{4}-[0-9]{2}-[0-9]{2}T([0-9]{2}):([0-9]{2}):([0-9]{2})[^\]]{0,12}\]"
    r"([iwed])([0-9]{3}): ?(.*)$"
)
_VERSION = re.compile(r"(Burn (?:x\w{2} )?v[0-9][0-9A-Za-z.+-]{0,60})")
_APPLYING = re.compile(r"Applying (execute|rollback) package: (.{1,200}?), action: (\w{1,40})")
_APPLIED = re.compile(
    r"Applied (?:(execute|rollback) )?package: (.{1,200}?), result: (0x[0-9A-Fa-f]{1,8}), restart: (\w{1,20})"
)
_ERROR = re.compile(r"Error (0x[0-9A-Fa-f]{1,8}): (.*)$")
_EXIT = re.compile(r"(?:Exit code|Shutting down, exit code): (0x[0-9A-Fa-f]{1,8})")
_VARIABLE = re.compile(
    r"(?:Setting (?:string|formatted) variable|Variable:) '?(WixBundle\w{1,200})'?(?: to value|\s*=) '?([^']{0,500})"
)
_COMPLETE = re.compile(r"Apply complete, result: (0x[0-9A-Fa-f]{1,8}), restart: (\w{1,20})")
_REMOVED = re.compile(r"Applying execute package: (.{1,200}?), action: Uninstall")
_MOST = 200
_OF_INTEREST = {
    "WixBundleName": "product",
    "WixBundleVersion": "version",
}


class BurnLog:
    """Takes the lines of one bundle's log and gives the reading."""

    def __init__(self) -> None:
        self._timing = Timing()
        self._engine = ""
        self._told: dict[str, str] = {}
        self._errors: list[LoggedError] = []
        self._failed: FailedAction | None = None
        self._cause: LoggedError | None = None
        self._ended: int | None = None
        self._closed = False
        self._rollback: Rollback = "none"
        self._reboots: list[Reboot] = []
        self._removed: list[Removed] = []
        self._logs: dict[str, None] = {}

    def feed(self, line: str, number: int) -> None:
        """Take the next line."""
        found = LINE.match(line)
        if found is None:
            return
        at = seconds_of(found[1], found[2], found[3])
        level, words = found[4], found[6]
        if not self._engine and (engine := _VERSION.match(words)):
            self._engine = f"WiX {engine[1]}"
        if level == "e":
            self._note_error(words, number)
        elif level == "w" and len(self._errors) < _MOST:
            running = next(iter(self._timing.running), "")
            self._errors.append(LoggedError(words=words[:500], line=number, severity="warning", action=running))
        if words.startswith("Appl"):
            self._applies(words, at, number)
        elif exited := _EXIT.match(words):
            self._ended, self._closed = signed(int(exited[1], 16)), True
        elif "ariable" in words[:40] and (variable := _VARIABLE.match(words)):
            self._variable(variable[1], variable[2])

    def _applies(self, words: str, at: float, number: int) -> None:
        if begun := _APPLYING.match(words):
            self._timing.start(begun[2], at)
            if begun[1] == "rollback":
                self._rollback = "done"
            elif begun[3] == "Uninstall" and len(self._removed) < _MOST:
                self._removed.append(Removed(name=begun[2], line=number))
        elif ended := _APPLIED.match(words):
            self._timing.end(ended[2], at)
            self._restarts(ended[4], f"package {ended[2]}", number)
            if int(ended[3], 16) & 0x8000_0000:
                if ended[1] == "rollback":
                    self._rollback = "incomplete"
                elif self._failed is None:
                    self._fails(ended[2], ended[3], number)
        elif complete := _COMPLETE.match(words):
            self._restarts(complete[2], "the bundle", number)

    def _fails(self, package: str, code: str, number: int) -> None:
        self._failed = FailedAction(name=package, line=number, custom=False, exit_code=signed(int(code, 16)))
        recent = [error for error in self._errors if error.severity == "error" and error.action == package]
        self._cause = recent[0] if recent else None

    def _restarts(self, word: str, who: str, number: int) -> None:
        if word in ("Required", "Initiated") and len(self._reboots) < _MOST:
            how = "wanted" if word == "Required" else "begun"
            self._reboots.append(Reboot(how="begun" if how == "begun" else "wanted", words=who, line=number))

    def _note_error(self, words: str, number: int) -> None:
        found = _ERROR.match(words)
        code = signed(int(found[1], 16)) if found else 0
        said = f"{found[2].strip()} ({shown(code)})" if found else words.strip()
        known = meaning(code, "burn") if found else None
        error = LoggedError(
            words=said[:500],
            line=number,
            meaning=known.words if known else "",
            action=next(iter(self._timing.running), ""),
        )
        if len(self._errors) < _MOST:
            self._errors.append(error)

    def _variable(self, name: str, value: str) -> None:
        if name in _OF_INTEREST:
            self._told[_OF_INTEREST[name]] = value
        elif name.startswith("WixBundleLog_") and value and len(self._logs) < _MOST:
            self._logs.setdefault(value)

    def reading(self) -> LogReading:
        """Give what was read so far."""
        bad = self._ended is not None and not meaning(self._ended, "burn").success
        cause = self._cause or (next((one for one in self._errors if one.severity == "error"), None) if bad else None)
        failed = self._failed if bad or self._ended is None else None
        return LogReading(
            kind="burn",
            engine=self._engine or "WiX Burn",
            product=self._told.get("product", ""),
            version=self._told.get("version", ""),
            ended=self._ended,
            failed=failed,
            cause=cause,
            at_fault=Thing(kind="package", name=failed.name) if failed else None,
            errors=tuple(self._errors),
            rollback=self._rollback,
            refused=any(one.words.endswith("(0x80070005)") for one in self._errors if one is cause),
            reboots=tuple(self._reboots),
            removed=tuple(self._removed),
            actions=self._timing.taken(),
            running=() if self._closed else self._timing.running,
            logs=tuple(self._logs),
            truncated=not self._closed,
        )
