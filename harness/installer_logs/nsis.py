"""Reads what an NSIS installer leaves: its install.log (LogSet on), or the details that a script saved or printed."""

from __future__ import annotations

import re

from harness.installer_logs.reading import FailedAction, LoggedError, LogReading, Reboot, Thing
from harness.installer_logs.things import path_in

# how a line begins, as its engine writes it (English) for LogSet, and for the list of details
LINE = re.compile(
    r"(?:settings logging to|logging set to) [01]|New install of \"|Section: \""
    r"|File: (?:overwriteflag|wrote|skipped|error)"
    r"|(?:Extract|Output folder|Created uninstaller|Can't write|Could not find symbol|Delete file|Remove folder): "
    r"|Extract: error writing to file|CreateDirectory: \"|WriteReg\w*: \"|RMDir: |created uninstaller: "
)
_SECTION = re.compile(r"Section: \"(.{0,200})\"")
_NEW = re.compile(r"New install of \"(.{0,200}?)\" to \"(.{0,300}?)\"")
_FILE_ERROR = re.compile(
    r"(?:File: error creating|Can't write:|Extract: error writing to file|Error creating:"
    r"|Error opening file for writing:)\s*\"?(.{0,400}?)\"?\s*$"
)
_REGISTRY_ERROR = re.compile(r"WriteReg\w*: error (?:writing into|creating key) \"(.{0,400}?)\"")
_PROGRAM_ERROR = re.compile(
    r"(?:Exec: failed createprocess|ExecShell: warning: error|Could not load:?|Error registering DLL:?).{0,400}"
)
_ABORT = re.compile(r"(?:Aborting: \"(.{0,400}?)\"?|Abort(?:ed)?: ?(.{0,400})|File: error, user abort)\s*$")
_CORRUPT = re.compile(
    r"Error decompressing data! Corrupted installer\?|Installer (?:integrity check has failed|corrupted).{0,200}"
)
_REBOOT = re.compile(
    r"(?:Delete: DeleteFile on Reboot|Delete on reboot|Rename on reboot|Rename: on reboot|Rebooting)[:( ].{0,300}",
    re.IGNORECASE,
)
_MOST = 200


class NsisLog:
    """Takes the lines of one log and gives the reading. NSIS writes no times, and nothing when it ends."""

    def __init__(self) -> None:
        self._section = self._product = ""
        self._errors: list[LoggedError] = []
        self._failed: FailedAction | None = None
        self._cause: LoggedError | None = None
        self._reboots: list[Reboot] = []

    def feed(self, line: str, number: int) -> None:
        """Take the next line."""
        words = line.strip()
        if section := _SECTION.match(words):
            self._section = section[1]
        elif new := _NEW.match(words):
            self._product = new[1]
        elif found := _FILE_ERROR.match(words):
            self._note("a file could not be written", number, Thing(kind="file", name=found[1]) if found[1] else None)
        elif found := _REGISTRY_ERROR.match(words):
            self._note("a registry key could not be written", number, Thing(kind="registry key", name=found[1]))
        elif _CORRUPT.match(words):
            self._note("the installer is damaged", number, None)
            self._fails(number)
        elif _PROGRAM_ERROR.match(words):
            named = path_in(words)
            self._note(words, number, Thing(kind="file", name=named) if named else None)
        elif abort := _ABORT.match(words):
            said = abort[1] or abort[2]
            if said:
                self._note(said, number, None)
            self._fails(number)
        elif _REBOOT.match(words) and len(self._reboots) < _MOST:
            self._reboots.append(Reboot(how="wanted", words=words[:300], line=number))

    def _note(self, words: str, number: int, thing: Thing | None) -> None:
        told = f"{words}: {thing.name}" if thing is not None and thing.name not in words else words
        error = LoggedError(words=told[:500], line=number, action=self._section, thing=thing)
        if len(self._errors) < _MOST:
            self._errors.append(error)
        if self._cause is None or self._failed is None:
            self._cause = error

    def _fails(self, number: int) -> None:
        if self._failed is None:
            self._failed = FailedAction(name=self._section or "the installer", line=number)

    def reading(self) -> LogReading:
        """Give what was read so far."""
        at = next((one.thing for one in reversed(self._errors) if one.thing is not None), None)
        if at is None and self._failed is not None and self._section:
            at = Thing(kind="section", name=self._section)
        return LogReading(
            kind="nsis",
            engine="NSIS",
            product=self._product,
            failed=self._failed,
            cause=self._cause,
            at_fault=at if self._errors or self._failed else None,
            errors=tuple(self._errors),
            reboots=tuple(self._reboots),
        )
