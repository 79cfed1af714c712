"""Services: who they run as, how their path is written, and whether they go with the product."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.packages.finding import Finding, Outcome, Prediction, Severity, predictions
from harness.packages.msi.product import Msi
from harness.packages.msi.tables import Row, number, text
from harness.packages.subject import MsiSubject

_DELETE_ON_REMOVAL, _STOP_ON_REMOVAL = 0x80, 0x20
_INTERACTIVE = 0x100
_SERVICE_KEY = re.compile(r"system\\currentcontrolset\\services\\([^\\]+)", re.IGNORECASE)
_CREATED = re.compile(r"\bsc(?:\.exe)?\"?\s+create\s+\"?(\S+?)\"?\s.*?\bbinpath=\s*(.+)", re.IGNORECASE)


def paths(subject: MsiSubject) -> Iterator[Finding]:
    """Look for services whose path may hold spaces and has no quotes."""
    for service, path in _written_paths(subject.msi):
        if not _is_open_to_others(path):
            continue
        yield Finding(
            code="service-path-unquoted",
            severity=Severity.ERROR,
            sentence=f"service {service} is registered with the path {path!r}, without quotes: where it holds a space, "
            "Windows tries shorter paths first, and whoever may write one of them runs as the service",
            subject=service,
            advice="put the path in quotes, or install the service with the ServiceInstall table",
            predicts=(
                Prediction(scenario="install", outcome=Outcome.NOT_REFUSED, when="somebody plants C:\\Program.exe"),
            ),
        )


def accounts(subject: MsiSubject) -> Iterator[Finding]:
    """Look for services with more rights than they may need, or a window that nobody can see."""
    for row in subject.msi.rows("ServiceInstall"):
        name, account = text(row, "Name"), text(row, "StartName")
        if not account or account.casefold() in ("localsystem", ".\\localsystem"):
            yield Finding(
                code="service-as-system",
                severity=Severity.NOTE,
                sentence=f"service {name} runs as LocalSystem, which may do everything on the machine",
                subject=name,
                advice="run it as LocalService, NetworkService or an account of its own where that is enough",
            )
        if number(row, "ServiceType") & _INTERACTIVE:
            yield Finding(
                code="service-interactive",
                severity=Severity.WARNING,
                sentence=f"service {name} wants to show windows: services have had no desktop since Windows Vista, and "
                "what it asks there is never answered",
                subject=name,
                advice="take the interactive bit (256) away",
            )


def removal(subject: MsiSubject) -> Iterator[Finding]:
    """Look for services that are not stopped and deleted when the product is removed."""
    controls: dict[str, list[int]] = {}
    for row in subject.msi.rows("ServiceControl"):
        controls.setdefault(text(row, "Name").casefold(), []).append(number(row, "Event"))
    for row in subject.msi.rows("ServiceInstall"):
        name = text(row, "Name")
        events = controls.get(name.casefold(), [])
        if not any(event & _DELETE_ON_REMOVAL for event in events):
            yield _stays(name)
        elif not any(event & _STOP_ON_REMOVAL for event in events):
            yield Finding(
                code="service-not-stopped",
                severity=Severity.WARNING,
                sentence=f"service {name} is deleted but not stopped when the product is removed: its file is in use, "
                "and "
                "Windows asks for a restart",
                subject=name,
                advice="stop it on removal (ServiceControl event 32; WiX: Stop='both')",
                predicts=(Prediction(scenario="uninstall", outcome=Outcome.EXITS_3010, when="the service runs"),),
            )


def _stays(name: str) -> Finding:
    return Finding(
        code="service-not-removed",
        severity=Severity.ERROR,
        sentence=f"service {name} is installed, and nothing in ServiceControl deletes it on removal: it stays "
        "registered "
        "with a file that is gone",
        subject=name,
        advice="delete it on removal (ServiceControl event 128; WiX: Remove='uninstall')",
        predicts=predictions(Outcome.LEAVES_REMAINS, "install", "uninstall"),
    )


def _written_paths(msi: Msi) -> Iterator[tuple[str, str]]:
    """Find services that are registered past the ServiceInstall table, whose paths Windows Installer quotes itself."""
    for row in msi.rows("Registry"):
        if found := _service_of(row):
            yield found, text(row, "Value").removeprefix("#%")
    for action in msi.actions:
        if created := _CREATED.search(f"{action.source} {action.target}"):
            yield created[1], _as_sc_hands_on(created[2].strip())


def _as_sc_hands_on(words: str) -> str:
    r"""Undo what the command line does to quotes: only ``\"`` reaches the registry, a plain pair is used up."""
    if not words.startswith('"'):
        return words.replace('\\"', '"')
    return words[1:].replace('\\"', "\0").partition('"')[0].replace("\0", '"')


def _service_of(row: Row) -> str:
    found = _SERVICE_KEY.fullmatch(text(row, "Key").strip("\\"))
    is_path = number(row, "Root") == 2 and text(row, "Name").casefold() == "imagepath"
    return found[1] if found and is_path else ""


def _is_open_to_others(path: str) -> bool:
    """Tell whether a path has no quotes and holds a space, or a folder that may."""
    if path.startswith('"'):
        return False
    program = re.split(r"(?i)(?<=\.exe)\b|(?<=\.sys)\b", path)[0]
    # Windows' own folders cannot hold a space, a folder of the product's choosing can
    return " " in program.strip() or bool(re.match(r"\[(?!(System|System64|Windows)Folder\])[#!$]?\w", program))
