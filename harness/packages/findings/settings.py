"""Properties and actions that change how Windows Installer works: restarts, rollback, repair, registration."""

from __future__ import annotations

from collections.abc import Iterator

from harness.packages.finding import Finding, Outcome, Prediction, Severity, predictions
from harness.packages.msi.tables import text
from harness.packages.subject import MsiSubject

# what brings rows of a table to the machine, and what takes them away again
_BRINGS = {
    "Environment": "WriteEnvironmentStrings",
    "File": "InstallFiles",
    "Registry": "WriteRegistryValues",
    "ServiceInstall": "InstallServices",
    "Shortcut": "CreateShortcuts",
}
_TAKES = {
    "Environment": "RemoveEnvironmentStrings",
    "File": "RemoveFiles",
    "Registry": "RemoveRegistryValues",
    "ServiceControl": "DeleteServices",
    "Shortcut": "RemoveShortcuts",
}


def restarts(subject: MsiSubject) -> Iterator[Finding]:
    """Ask whether it restarts the machine."""
    for name, code, harm in (
        ("ForceReboot", "forces-restart", "restarts the machine in the middle of a silent installation"),
        ("ScheduleReboot", "schedules-restart", "restarts the machine after a silent installation"),
    ):
        if name not in subject.msi.sequence:
            continue
        place, condition = subject.msi.sequence[name]
        sure = not condition.strip()
        yield Finding(
            code=code,
            severity=Severity.ERROR if sure else Severity.WARNING,
            sentence=f"{name} at {place} {harm}, "
            + ("always" if sure else f"where {condition.strip()!r} holds")
            + "; with /norestart it ends with 3010 instead",
            subject=name,
            advice="replace only files that are not in use, so that no restart is needed",
            predicts=(
                Prediction(scenario="install", outcome=Outcome.EXITS_3010, surely=sure, when="called with /norestart"),
                Prediction(scenario="install", outcome=Outcome.RESTARTS, when="called without /norestart"),
            ),
        )
    reboot = subject.msi.properties.get("REBOOT", "")
    if reboot.casefold().startswith("f"):
        yield Finding(
            code="forces-restart",
            severity=Severity.ERROR,
            sentence=f"the property REBOOT={reboot} restarts the machine after every installation that does not say "
            "/norestart",
            subject="REBOOT",
            advice="leave REBOOT to the command line",
            predicts=(Prediction(scenario="install", outcome=Outcome.RESTARTS, when="called without /norestart"),),
        )


def rollback(subject: MsiSubject) -> Iterator[Finding]:
    """Ask whether Windows Installer is allowed to undo a failed installation."""
    causes = []
    if subject.msi.properties.get("DISABLEROLLBACK", "0") not in ("", "0"):
        causes.append(f"the property DISABLEROLLBACK={subject.msi.properties['DISABLEROLLBACK']}")
    if "DisableRollback" in subject.msi.sequence:
        causes.append(f"the action DisableRollback at {subject.msi.sequence['DisableRollback'][0]}")
    for cause in causes:
        yield Finding(
            code="rollback-disabled",
            severity=Severity.ERROR,
            sentence=f"{cause} switches rollback off: an installation that fails leaves the machine half-way",
            subject="DISABLEROLLBACK" if "property" in cause else "DisableRollback",
            advice="take it away",
            predicts=(Prediction(scenario="rollback", outcome=Outcome.NOT_UNDONE, surely=True),),
        )


def repair(subject: MsiSubject) -> Iterator[Finding]:
    """Ask what a repair overwrites."""
    mode = subject.msi.properties.get("REINSTALLMODE", "").casefold()
    if "a" in mode:
        yield Finding(
            code="overwrites-newer-files",
            severity=Severity.WARNING,
            sentence=f"REINSTALLMODE={mode} overwrites every file whatever its version: shared files are set back to "
            "the "
            "package's older ones, in first installations, too",
            subject="REINSTALLMODE",
            advice="leave REINSTALLMODE at omus",
            predicts=(
                Prediction(scenario="install", outcome=Outcome.LOSES_FILES, when="another product shares a file"),
            ),
        )


def registration(subject: MsiSubject) -> Iterator[Finding]:
    """Ask whether a person can see and remove it."""
    properties = subject.msi.properties
    if properties.get("ARPNOREMOVE"):
        yield Finding(
            code="no-remove-button",
            severity=Severity.WARNING,
            sentence="ARPNOREMOVE is set: Windows' list of programs offers no way to remove it",
            subject="ARPNOREMOVE",
            advice="take it away unless another program owns the removal",
            predicts=(Prediction(scenario="uninstall", outcome=Outcome.NOT_REMOVABLE),),
        )
    if properties.get("ARPSYSTEMCOMPONENT"):
        yield Finding(
            code="hidden-from-list",
            severity=Severity.WARNING,
            sentence="ARPSYSTEMCOMPONENT is set: it is not shown in Windows' list of programs",
            subject="ARPSYSTEMCOMPONENT",
            advice="take it away unless another program shows it",
            predicts=(Prediction(scenario="uninstall", outcome=Outcome.NOT_REMOVABLE),),
        )


def tables_without_actions(subject: MsiSubject) -> Iterator[Finding]:
    """Look for tables whose rows are never brought to the machine, or never taken away again."""
    if not subject.msi.sequence:
        return
    for table, action in _BRINGS.items():
        rows = subject.msi.rows(table)
        if rows and action not in subject.msi.sequence:
            yield Finding(
                code="table-never-applied",
                severity=Severity.ERROR,
                sentence=f"the {table} table holds {text(rows[0], table)!r}, but {action} is in no sequence: it never "
                "reaches the machine",
                subject=action,
                advice=f"sequence {action}",
                predicts=(Prediction(scenario="install", outcome=Outcome.NOT_APPLIED, surely=True),),
            )
    for table, action in _TAKES.items():
        rows = subject.msi.rows(table)
        if rows and action not in subject.msi.sequence:
            yield Finding(
                code="table-never-removed",
                severity=Severity.ERROR,
                sentence=f"the {table} table holds {text(rows[0], table)!r}, but {action} is in no sequence: it stays "
                "after the removal",
                subject=action,
                advice=f"sequence {action}",
                predicts=predictions(Outcome.LEAVES_REMAINS, "install", "uninstall"),
            )
