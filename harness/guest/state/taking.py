"""Taking the state of a guest: which questions, and what their answers say, in as few round trips as lines allow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from harness.errors import HarnessError
from harness.guest.outcome import Outcome
from harness.guest.registry import RegistryValue, query, read_keys
from harness.guest.state.areas import AREAS, HIVES, IN_BETWEEN, ONCE, Area, Hive, declared
from harness.guest.state.hooks import HOOKS
from harness.guest.state.journal import QUERY, read_place
from harness.guest.state.listing import Entry, read_listings
from harness.guest.state.members import NAMED
from harness.guest.state.things import SearchPath, State, Thing, UninstallEntry
from harness.guest.tasklist import PROGRAMS, programs

DEFAULT_ROOTS: tuple[str, ...] = (
    r"C:\Program Files",
    r"C:\Program Files (x86)",
    r"C:\ProgramData",
    r"C:\Users\Public\Desktop",
    r"C:\Windows\System32\Tasks",
    r"%USERPROFILE%\Desktop",
    r"%USERPROFILE%\AppData\Local\Programs",
    r"%USERPROFILE%\AppData\Roaming\Microsoft\Windows\Start Menu",
    r"%USERPROFILE%\AppData\Roaming\Microsoft\Windows\SendTo",
    r"%USERPROFILE%\AppData\Roaming\Microsoft\Internet Explorer\Quick Launch",
    r"C:\Users\Default\AppData\Local\*",
    r"C:\Users\Default\AppData\Roaming\*",
    r"C:\Users\Public\*",
    r"C:\Users\Public\Documents\*",
    r"C:\Windows\Fonts\*",
    r"C:\Windows\Tasks\*",
    "C:\\*",
    r"C:\Windows\*",
    r"C:\Windows\System32\*",
    r"C:\Windows\SysWOW64\*",
    r"C:\Windows\System32\drivers\*",
    r"C:\Windows\System32\drivers\etc\*",
    r"%USERPROFILE%\*",
    r"%USERPROFILE%\AppData\Local\*",
    r"%USERPROFILE%\AppData\Local\Temp\*",
    r"%USERPROFILE%\AppData\Roaming\*",
)
"""Where installers leave things. A root that ends in ``*`` is listed itself, without what is below its folders."""

_UNINSTALL = r"Microsoft\Windows\CurrentVersion\Uninstall"
_HIVES = {"machine": "HKLM", "user": "HKCU"}
_CHANGES_BY_ITSELF = {"installdate"}  # rewritten by every patch and repair (Microsoft: Uninstall Registry Key)
_ROOT = re.compile(r'(?:[A-Za-z]:\\|%\w+%)[^"<>|&^!*?\r\n]*(?:\\\*|(?<=:\\)\*)?')
_ENVIRONMENT = "environment variable"


@dataclass(frozen=True, slots=True)
class Scope:
    """How much of a guest a state is to tell: folders, registry trees declared by a product, areas, whose hives.

    ``programs`` asks which run, ``place`` where the file system's journal of changes is.
    """

    roots: tuple[str, ...] = DEFAULT_ROOTS
    keys: tuple[str, ...] = ()
    areas: tuple[Area, ...] = (*AREAS, *HOOKS)
    hives: tuple[Hive, ...] = HIVES
    programs: bool = True
    place: bool = False

    @property
    def first(self) -> Scope:
        """The same of a clean guest, of which some things are asked that do not change."""
        return replace(self, areas=(*self.areas, *ONCE, NAMED), place=bool(self.roots))

    @property
    def in_between(self) -> Scope:
        """The same in the middle of a scenario, where not everything need be known."""
        return replace(self, areas=tuple(area for area in self.areas if area.name in IN_BETWEEN), keys=())

    @property
    def asked(self) -> tuple[Area, ...]:
        """The areas of these hives, with the declared trees."""
        return tuple(area for area in (*self.areas, *declared(self.keys)) if area.hive in self.hives)


EVERYTHING = Scope()
SOFTWARE = Scope(roots=(), areas=tuple(area for area in AREAS if area.name == _ENVIRONMENT), programs=False)
"""The list of programs and the environment, with PATH; no files."""


def questions(scope: Scope, *, files: bool = True) -> list[str]:
    """Give the commands whose answers make a state, with its files or without.

    Raises HarnessError for a root that is no absolute Windows path.
    """
    for root in scope.roots:
        if not _ROOT.fullmatch(root):
            raise HarnessError(rf"{root!r} is not a folder to list; write it like C:\Program Files or C:\*")
    return [
        *(map(_dir, scope.roots) if files else ()),
        *(question for hive in scope.hives for question in _uninstall(hive)),
        *(question for area in scope.asked for question in area.questions),
        *([PROGRAMS] if scope.programs else []),
        *([QUERY] if scope.place else []),
    ]


def read_state(
    scope: Scope, answers: Sequence[Outcome], *, account: str, files: Mapping[str, Entry] | None = None
) -> State:
    """Read the answers to ``questions``, which were asked without files where those are given.

    Raises HarnessError when an answer was cut or cannot be read, or programs and PATH were not told.
    """
    if cut := [answer.command for answer in answers if answer.truncated]:
        raise HarnessError(f"more was printed than is kept; list fewer or narrower roots: {', '.join(cut)}")
    told = iter(answers)
    if files is None:
        files = _files(scope.roots, list(islice(told, len(scope.roots))))
    registered = [
        entry
        for hive in scope.hives
        for answer in islice(told, len(_uninstall(hive)))
        for entry in _entries(_told(answer))
    ]
    reading = _Reading()
    for area in scope.asked:
        reading.take(area, list(islice(told, len(area.questions))))
    return State(
        account=account,
        files=files,
        uninstall=dict(registered),
        system_path=reading.paths.get("machine", SearchPath()),
        user_path=reading.paths.get("user", SearchPath()),
        things=reading.things,
        untold=reading.untold,
        programs=programs(next(told).stdout) if scope.programs else frozenset(),
        place=read_place(next(told)) if scope.place else None,
    )


@dataclass(slots=True)
class _Reading:
    """What the areas have told so far."""

    things: dict[str, dict[str, Thing]] = field(default_factory=dict)
    paths: dict[Hive, SearchPath] = field(default_factory=dict)
    untold: dict[str, str] = field(default_factory=dict)

    def take(self, area: Area, answers: list[Outcome]) -> None:
        found = area.read(answers)
        if area.name == _ENVIRONMENT:
            self.paths[area.hive] = _path(_told(answers[0]))
            found = {key: thing for key, thing in found.items() if thing.name.casefold() != "path"}
        self.things.setdefault(area.name, {}).update(found)
        if not found and any(_refused(answer) for answer in answers):
            self.untold[area.name] = answers[0].text.strip()[:200]


def _refused(answer: Outcome) -> bool:
    """Whether a question failed for another reason than that there is no such key, for which ``reg`` ends with 1."""
    return answer.exit_code not in (0, 1)


def _told(answer: Outcome) -> Outcome:
    """Pass on an answer without which nothing true can be said of a product: an empty one would blame it."""
    if _refused(answer):
        raise HarnessError(f"{answer.command} ended with {answer.exit_code}: {answer.text.strip()[:200]}")
    return answer


def _dir(root: str) -> str:
    return f'dir /a /-c "{root[:-1]}"' if root.endswith("*") else f'dir /s /a /-c "{root}"'


def _uninstall(hive: Hive) -> tuple[str, str]:
    top = _HIVES[hive]
    return query(rf"{top}\SOFTWARE\{_UNINSTALL}", "/s"), query(rf"{top}\SOFTWARE\Wow6432Node\{_UNINSTALL}", "/s")


def _files(roots: Sequence[str], answers: Sequence[Outcome]) -> dict[str, Entry]:
    try:
        listings = ((root.removesuffix("*"), answer.stdout) for root, answer in zip(roots, answers, strict=True))
        return dict(read_listings(list(listings)))
    except ValueError as error:
        raise HarnessError(str(error)) from error


def _entries(answer: Outcome) -> Iterator[tuple[str, UninstallEntry]]:
    for key, values in read_keys(answer.stdout).items():
        if values and not key.lower().endswith(r"\uninstall"):
            kept = {name: value.text for name, value in values.items() if name not in _CHANGES_BY_ITSELF}
            yield key, UninstallEntry(key, kept)


def _path(answer: Outcome) -> SearchPath:
    values = next(iter(read_keys(answer.stdout).values()), {})
    value = values.get("path", RegistryValue("", ""))
    return SearchPath(value.kind, tuple(entry for entry in value.text.split(";") if entry))
