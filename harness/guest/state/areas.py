r"""Where Windows keeps what installers change: one area for each kind of thing, and how its answers are read.

An area is data: which questions it asks, of which hive, and a reader for the answers. The registry places are those of
windows.md's sources (Microsoft's "Uninstall Registry Key", "Run and RunOnce Registry Keys", "Application Registration",
"Services", and the layout of Windows Installer's own keys). Questions start ``reg`` or ``net`` and never PowerShell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from harness.guest.outcome import Outcome
from harness.guest.registry import Keys, query, read_keys
from harness.guest.state.things import Thing

Hive = Literal["machine", "user"]
Things = dict[str, Thing]
HIVES: tuple[Hive, ...] = ("machine", "user")

_CURRENT = r"Microsoft\Windows\CurrentVersion"
_CONTROL = r"HKLM\SYSTEM\CurrentControlSet\Control"
_SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"
# Wine has no accounts to list, and prints how the command is used instead
_ON_WINDOWS = r"if exist %SystemRoot%\servicing\TrustedInstaller.exe"


@dataclass(frozen=True, slots=True)
class Area:
    """A kind of thing: ``questions`` are its commands, ``read`` makes things of their answers, in the same order."""

    name: str
    hive: Hive
    questions: tuple[str, ...]
    read: Callable[[Sequence[Outcome]], Things]


def read_values(answers: Sequence[Outcome]) -> Things:
    """Every value of every key that was printed is a thing."""
    return {
        f"{key}\\{name}".casefold(): Thing(value.name, {"value": value.text, "type": value.kind}, key)
        for answer in answers
        for key, values in read_keys(answer.stdout).items()
        for name, value in values.items()
    }


def read_subkeys(answers: Sequence[Outcome]) -> Things:
    """Every key right below the one that was asked for is a thing."""
    found: Things = {}
    for answer in answers:
        asked = answer.command.split('"')[1].rpartition("\\")[2].casefold()
        for key in read_keys(answer.stdout):
            above, _, name = key.rpartition("\\")
            if above.rpartition("\\")[2].casefold() == asked:
                found[key.casefold()] = Thing(name, {}, key)
    return found


def read_trees(answers: Sequence[Outcome]) -> Things:
    """Every key with values, however deep, is a thing."""
    keys: Keys = {key: values for answer in answers for key, values in read_keys(answer.stdout).items()}
    return {
        key.casefold(): Thing(key.rpartition("\\")[2], {value.name: value.text for value in values.values()}, key)
        for key, values in keys.items()
        if values
    }


def _associations(answers: Sequence[Outcome]) -> Things:
    """Kinds of files: what each ending stands for, and what such files are opened with, as cmd lists them at once."""
    found = read_subkeys(answers[:1])
    for answer, fact in zip(answers[1:], ("type", "opened with"), strict=True):
        for line in answer.stdout.splitlines():
            name, told, text = line.partition("=")
            key = rf"HKEY_LOCAL_MACHINE\SOFTWARE\Classes\{name}".casefold()
            if told and key in found:
                found[key] = replace(found[key], facts={**found[key].facts, fact: text})
    return found


def _services(answers: Sequence[Outcome]) -> Things:
    """Services and drivers: what they run and how they start."""
    facts: dict[str, dict[str, str]] = {}
    for answer in answers:
        for key, values in read_keys(answer.stdout).items():
            # a service has keys of its own below it, which are its own affair
            name = re.fullmatch(r".*\\Services\\([^\\]+)", key, re.IGNORECASE)
            if name:
                # a search ends with a sentence on how much it found, right below the last value
                facts.setdefault(name[1], {}).update({one.name: one.text.partition("\n")[0] for one in values.values()})
    return {
        name.casefold(): Thing(name, {_SERVICE_FACTS.get(fact, fact): _start(fact, text) for fact, text in own.items()})
        for name, own in facts.items()
    }


_SERVICE_FACTS = {"ImagePath": "image path", "Start": "start", "DisplayName": "display name", "ObjectName": "account"}
_STARTS = {"0x0": "boot", "0x1": "system", "0x2": "automatic", "0x3": "manual", "0x4": "disabled"}


def _start(fact: str, text: str) -> str:
    return _STARTS.get(text, text) if fact == "Start" else text


def _running(answers: Sequence[Outcome]) -> Things:
    """Name the services that run, as ``net start`` lists them: one a line, indented, below a heading."""
    names = [line.strip() for line in answers[0].stdout.splitlines() if re.match(r"\s{2,}\S", line)]
    return {name.casefold(): Thing(name) for name in names}


def _columns(answers: Sequence[Outcome]) -> Things:
    """Name the accounts that ``net user`` lists in columns, between a rule of dashes and a closing sentence."""
    names: list[str] = []
    for answer in answers:
        _, ruled, below = answer.stdout.partition("-----")
        lines = [line for line in below.splitlines()[1:] if line.strip()]
        names += [name for line in lines[:-1] for name in re.split(r"\s{2,}", line.strip()) if ruled]
    return {name.casefold(): Thing(name) for name in names}


def _starred(answers: Sequence[Outcome]) -> Things:
    """Name the groups that ``net localgroup`` lists, each behind an asterisk."""
    names = [line[1:].strip() for line in answers[0].stdout.splitlines() if line.startswith("*")]
    return {name.casefold(): Thing(name) for name in names}


def _both(key: str) -> tuple[str, str]:
    """Name a key of the machine's software for 64-bit and for 32-bit programs."""
    return rf"HKLM\SOFTWARE\{key}", rf"HKLM\SOFTWARE\Wow6432Node\{key}"


_CERTIFICATES = r"HKLM\SOFTWARE\Microsoft\SystemCertificates"
_STORES = ("CA", "ROOT", "TrustedPublisher")
_INSTALLER = rf"HKLM\SOFTWARE\{_CURRENT}\Installer"

AREAS: tuple[Area, ...] = (
    Area(
        "service",
        "machine",
        tuple(query(_SERVICES, f"/s /v {value}") for value in ("ImagePath", "Start")),
        _services,
    ),
    Area("running service", "machine", ("net start",), _running),
    Area(
        "run entry",
        "machine",
        tuple(map(query, (*_both(rf"{_CURRENT}\Run"), rf"HKLM\SOFTWARE\{_CURRENT}\RunOnce"))),
        read_values,
    ),
    Area(
        "run entry",
        "user",
        (query(rf"HKCU\SOFTWARE\{_CURRENT}\Run"), query(rf"HKCU\SOFTWARE\{_CURRENT}\RunOnce")),
        read_values,
    ),
    Area("app path", "machine", (query(rf"HKLM\SOFTWARE\{_CURRENT}\App Paths", "/s"),), read_trees),
    Area("file association", "machine", (query(r"HKLM\SOFTWARE\Classes"), "assoc", "ftype"), _associations),
    Area("file association", "user", (query(r"HKCU\SOFTWARE\Classes"),), read_subkeys),
    Area("environment variable", "machine", (query(rf"{_CONTROL}\Session Manager\Environment"),), read_values),
    Area("environment variable", "user", (query(r"HKCU\Environment"),), read_values),
    Area("vendor key", "machine", (query(r"HKLM\SOFTWARE"), query(r"HKLM\SOFTWARE\Wow6432Node")), read_subkeys),
    Area("vendor key", "user", (query(r"HKCU\SOFTWARE"),), read_subkeys),
    Area("policy", "machine", (query(r"HKLM\SOFTWARE\Policies", "/s"),), read_trees),
    Area("installer product", "machine", (query(r"HKLM\SOFTWARE\Classes\Installer\Products"),), read_subkeys),
    Area("installer component", "machine", (query(rf"{_INSTALLER}\UserData\S-1-5-18\Components"),), read_subkeys),
    Area(
        "firewall rule",
        "machine",
        (query(rf"{_SERVICES}\SharedAccess\Parameters\FirewallPolicy\FirewallRules"),),
        read_values,
    ),
    Area(
        "certificate",
        "machine",
        # which stores there are tells at once which need not be looked into
        (query(_CERTIFICATES), *(query(rf"{_CERTIFICATES}\{store}\Certificates") for store in _STORES)),
        lambda answers: read_subkeys(answers[1:]),
    ),
    Area("local user", "machine", (f"{_ON_WINDOWS} net user",), _columns),
    Area("local group", "machine", (f"{_ON_WINDOWS} net localgroup",), _starred),
)
"""Everything but files and uninstall entries, which have readers of their own."""


ONCE = (Area("service name", "machine", (query(_SERVICES, "/s /v DisplayName"),), _services),)
"""What is asked of a clean guest only: by these names services are listed as running."""

IN_BETWEEN = frozenset({"service", "running service", "environment variable", "certificate", "scheduled task"})
"""The areas that are looked at in the middle of a scenario; everything else shows at its end as well."""


def declared(keys: Sequence[str]) -> tuple[Area, ...]:
    """Make areas of whole subtrees that a product's file names."""
    hives: Mapping[str, Hive] = {"HKCU": "user"}
    return tuple(
        Area("registry key", hives.get(key[:4].upper(), "machine"), (query(key, "/s"),), read_trees) for key in keys
    )
