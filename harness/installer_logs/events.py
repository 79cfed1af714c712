"""Windows' own records of an installation: of MsiInstaller, of crashes and hangs, of Windows Error Reporting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from xml.parsers import expat

from harness.exit_codes import meaning, shown, signed
from harness.installer_logs.messages import message

SOURCES = ("MsiInstaller", "Application Error", "Application Hang", "Windows Error Reporting", ".NET Runtime")
_MOST = 200
_LONGEST = 65_536
_OPEN, _CLOSE = "<Event", "</Event>"

_REBOOT_TYPES = {"1": "at once", "2": "later"}
_REBOOT_REASONS = {
    "1": "files were in use",
    "2": "the package's ScheduleReboot",
    "3": "the package's ForceReboot",
    "4": "a custom action asked for it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One record: ``values`` as the source gave them, ``names`` beside them ("" where it names none), time in UTC."""

    source: str
    id: int
    level: int
    time: str
    values: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def value(self, place: int, name: str = "") -> str:
        """Give a value by its name where the source names it, else by its place from 1."""
        if name and name in self.names:
            return self.values[self.names.index(name)]
        return self.values[place - 1] if place <= len(self.values) else ""

    @property
    def error(self) -> int:
        """Windows Installer's error number that the event is about, 0 where it is about none: 11722 is error 1722."""
        return self.id - 10_000 if self.source == "MsiInstaller" and 11_000 <= self.id < 14_000 else 0

    @property
    def sentence(self) -> str:
        """Say what it supports in one sentence, or nothing where it only repeats that something began or ended."""
        if self.source == "MsiInstaller":
            return _of_installer(self)
        if self.source == "Application Error":
            code = _code(self.value(7, "ExceptionCode"))
            return f"{self.value(1, 'AppName')} crashed in {self.value(4, 'ModuleName') or 'an unknown module'}{code}"
        if self.source == "Application Hang":
            return f"{self.value(1)} stopped answering and was closed"
        if self.source == ".NET Runtime":
            return f".NET ended a program: {self.value(1)[:300]}" if self.level == 2 else ""
        if self.source == "Windows Error Reporting" and self.value(3, "EventName"):
            return f"Windows reported {self.value(3, 'EventName')} of {self.value(6, 'P1') or 'a program'}"
        return ""

    @property
    def is_trouble(self) -> bool:
        """Whether it tells of a failure or a crash, not of a success or a restart that was asked for."""
        if self.source != "MsiInstaller":
            return bool(self.sentence)
        if self.id in (1033, 1034, 1035):
            return self.value(4) not in ("", "0", "1641", "3010")
        return self.id in (1008, 1007, 1018, 1023, 10005, 11708, 11725, 11729) or (
            self.error not in _SUCCESSES and self.level == 2 and bool(self.error)
        )


_SUCCESSES = (0, 1707, 1724, 1728)


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """The records of a time; ``damage`` says what of the answer could not be read."""

    records: tuple[Event, ...] = ()
    damage: tuple[str, ...] = ()

    @property
    def trouble(self) -> tuple[Event, ...]:
        """The records that tell of a failure."""
        return tuple(event for event in self.records if event.is_trouble)

    @property
    def reboots(self) -> tuple[str, ...]:
        """What is said of restarts that were begun or asked for."""
        return tuple(
            one.sentence for one in self.records if one.source == "MsiInstaller" and one.id in (1005, 1029, 1038)
        )

    def as_json(self) -> dict[str, Any]:
        """Give them as plain values."""
        records = [{**asdict(one), "sentence": one.sentence} for one in self.records]
        return {"records": records, "damage": list(self.damage)}


def query(seconds: float) -> str:
    """Make the command that asks a guest for the records of the last ``seconds`` by its own clock, oldest first."""
    named = " or ".join(f"@Name='{source}'" for source in SOURCES)
    since = max(1, round(seconds * 1000))
    where = f"*[System[Provider[{named}] and TimeCreated[timediff(@SystemTime) <= {since}]]]"
    return f'wevtutil qe Application "/q:{where}" /f:xml /c:{_MOST}'


def read_events(answer: str) -> Events:
    """Read what wevtutil printed: one ``<Event>`` after the other, without a root; a broken one costs only itself."""
    found: list[Event] = []
    broken = 0
    for piece in _pieces(answer):
        try:
            found.append(_event(piece))
        except (expat.ExpatError, ValueError):
            broken += 1
        if len(found) >= _MOST:
            break
    damage = [f"{broken} {'record' if broken == 1 else 'records'} cannot be read"] if broken else []
    if answer.rstrip()[-len(_CLOSE) :] != _CLOSE and _OPEN in answer:
        damage.append("the answer ends in the middle of a record")
    return Events(records=tuple(found), damage=tuple(damage))


def _pieces(answer: str) -> Iterator[str]:
    at = answer.find(_OPEN)
    while at >= 0:
        end = answer.find(_CLOSE, at)
        if end < 0:
            return
        piece = answer[at : end + len(_CLOSE)]
        yield piece if len(piece) <= _LONGEST else ""
        at = answer.find(_OPEN, end)


class _Record:
    """Gathers one record from expat's calls."""

    def __init__(self) -> None:
        self.source = self.time = ""
        self.values: list[str] = []
        self.names: list[str] = []
        self.inside: list[str] = []
        self.texts: dict[str, str] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.inside.append(tag)
        if tag == "Provider":
            self.source = attributes.get("Name", "")
        elif tag == "TimeCreated":
            self.time = attributes.get("SystemTime", "")
        elif tag == "Data":
            self.values.append("")
            self.names.append(attributes.get("Name", ""))

    def text(self, piece: str) -> None:
        if self.inside[-1:] == ["Data"]:
            self.values[-1] += piece
        elif self.inside[-1:] in (["EventID"], ["Level"]):
            self.texts[self.inside[-1]] = self.texts.get(self.inside[-1], "") + piece

    def end(self, _tag: str) -> None:
        self.inside.pop()


def _event(piece: str) -> Event:
    record = _Record()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = record.start
    parser.EndElementHandler = record.end
    parser.CharacterDataHandler = record.text
    parser.Parse(piece.encode("utf-8", "replace"), True)
    return Event(
        source=record.source,
        id=int(record.texts["EventID"][:10]) if "EventID" in record.texts else 0,
        level=int(record.texts["Level"][:10]) if "Level" in record.texts else 0,
        time=record.time,
        values=tuple(value.strip()[:2_000] for value in record.values),
        names=tuple(record.names),
    )


def _of_installer(event: Event) -> str:
    product = event.value(1)
    if event.id in (1033, 1034, 1035):
        done = {1033: "installed", 1034: "removed", 1035: "configured"}[event.id]
        status = event.value(4)
        if status in ("", "0"):
            return f"Windows Installer {done} {product}"
        words = meaning(int(status), "windows_installer").words if status.isascii() and status.isdecimal() else ""
        return f"Windows Installer did not end well for {product}: {status[:12]}" + (f" ({words})" if words else "")
    if event.id == 1005:
        return f"Windows Installer restarted the system for {product or 'a product'}"
    if event.id == 1029:
        return f"a restart is needed: {product}"
    if event.id == 1038:
        why = _REBOOT_REASONS.get(event.value(5), "for a reason not given")
        return f"{product or 'a product'} needs a restart {_REBOOT_TYPES.get(event.value(4), '')}: {why}".replace(
            " :", ":"
        )
    if event.id == 1025:
        return f"{event.value(2) or 'a file'} is in use by {event.value(3) or 'a process'}"
    if event.id in (1007, 1008):
        return f"the software restriction policy forbids {product or 'the package'}"
    if event.id == 1018:
        return f"{product or 'the package'} is not compatible with this Windows"
    if event.error:
        known = message(event.error)
        told = product or (known.words if known else "")
        return f"Windows Installer logged error {event.error}: {told[:300]}" if event.error not in _SUCCESSES else told
    return product[:300] if event.id == 10005 else ""


def _code(text: str) -> str:
    """Write an exception code, which the event gives in hexadecimal without a prefix."""
    try:
        code = signed(int(text, 16))
    except ValueError:
        return ""
    return f" ({shown(code)}: {meaning(code).words})"
