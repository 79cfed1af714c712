"""What a log says, as values: what failed, why, what it touched, what it asks for, and what is wrong with the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["windows-installer", "nsis", "inno-setup", "burn", "unknown"]
Severity = Literal["error", "warning", "info", "debug"]
ThingKind = Literal["custom action", "action", "file", "registry key", "service", "process", "package", "section"]
Rollback = Literal["none", "done", "incomplete", "disabled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """The thing at fault, named as the log names it."""

    kind: ThingKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedError:
    """An error as it was logged: its ``words``, and for a number the documented ``meaning`` ("" where there is none).

    ``number`` is Windows Installer's (0: none), ``action`` what was running, ``line`` counts from 1.
    """

    words: str
    line: int
    number: int = 0
    severity: Severity = "error"
    meaning: str = ""
    action: str = ""
    thing: Thing | None = None

    def __str__(self) -> str:
        told = self.words or self.meaning
        return f"error {self.number}: {told}" if self.number else told


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedAction:
    """The action that failed first, with what ran it (``within``, innermost first); ``custom`` is the package's own.

    ``exit_code`` is what a custom action returned, where the log tells it.
    """

    name: str
    line: int
    custom: bool = False
    exit_code: int | None = None
    within: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionTime:
    """How long an action took in all its ``times``; ``deferred`` is one that the script ran, as the system."""

    name: str
    seconds: float
    times: int = 1
    deferred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A product that was removed on the way, by name or product code."""

    name: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reboot:
    """That a restart is wanted, pending or begun, and why as far as the log says."""

    how: Literal["wanted", "begun", "pending before"]
    words: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReading:
    """What one log says.

    ``unreadable`` is a sentence ("unreadable, because ...") when nothing could be read, and then all else is empty.
    ``truncated`` is a log whose writer did not come to its end, ``running`` the actions that were open then, innermost
    first. ``ended`` is the exit code by the log itself. Of what failed, ``told`` is the product's own words and
    ``cause`` the error behind it; ``refused`` says that a right is missing. ``in_use`` names files, or who holds them.
    ``properties`` are those that explain results, never all: others may hold secrets. ``logs`` are further logs that it
    names. Sizes are bytes, times seconds.
    """

    kind: Kind = "unknown"
    engine: str = ""
    encoding: str = ""
    size: int = 0
    lines: int = 0
    product: str = ""
    version: str = ""
    ended: int | None = None
    failed: FailedAction | None = None
    cause: LoggedError | None = None
    at_fault: Thing | None = None
    errors: tuple[LoggedError, ...] = ()
    told: str = ""
    rollback: Rollback = "none"
    refused: bool = False
    reboots: tuple[Reboot, ...] = ()
    in_use: tuple[str, ...] = ()
    removed: tuple[Removed, ...] = ()
    actions: tuple[ActionTime, ...] = ()
    running: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    logs: tuple[str, ...] = ()
    damage: tuple[str, ...] = ()
    truncated: bool = False
    unreadable: str = ""
    every_property: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What a launch condition may ask for; not for evidence."""

    @property
    def reboot(self) -> bool:
        """Whether the installer wants a restart or began one."""
        return any(one.how != "pending before" for one in self.reboots)

    def as_json(self) -> dict[str, Any]:
        """Give what is worth keeping as plain values: empty fields are left out."""
        plain = asdict(self)
        del plain["every_property"]
        return {name: value for name, value in plain.items() if value not in (None, "", "none", (), {}, False)}


def unreadable(why: str, *, encoding: str = "", size: int = 0) -> LogReading:
    """Say that nothing could be read, and why."""
    return LogReading(unreadable=f"unreadable, because {why}", encoding=encoding, size=size)
