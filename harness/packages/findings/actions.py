"""Custom actions: code of the package's own, which Windows Installer can neither foresee nor undo."""

from __future__ import annotations

from collections.abc import Iterator

from harness.packages.finding import Finding, Outcome, Prediction, Severity, predictions
from harness.packages.msi.condition import Unreadable, truth
from harness.packages.msi.product import Action
from harness.packages.subject import MsiSubject

_NOT_WAITED_FOR, _RESULT_IGNORED, _ONLY_MESSAGE = 0xC0, 0x40, 19


def scripts(subject: MsiSubject) -> Iterator[Finding]:
    """Look for actions that need a script engine which is on its way out of Windows."""
    for action in _everywhere(subject):
        if action.language == "vbscript":
            yield Finding(
                code="vbscript-action",
                severity=Severity.WARNING,
                sentence=f"custom action {action.name} runs VBScript, which is a feature on demand since Windows 11 "
                "24H2 "
                "and will be off by default: without it the installation ends with 1720 or 1603",
                subject=action.name,
                advice="write it as a DLL action, or do it with the standard tables",
                predicts=(
                    Prediction(
                        scenario="install",
                        outcome=Outcome.FAILS,
                        builds=tuple(build.number for build in subject.builds if build.number >= 26100) or None,
                        when="the machine has no VBScript",
                    ),
                ),
            )
        elif action.language == "jscript":
            yield Finding(
                code="jscript-action",
                severity=Severity.NOTE,
                sentence=f"custom action {action.name} runs JScript: Windows may block script engines by policy, and "
                "the "
                "installer then fails with 1720",
                subject=action.name,
                advice="write it as a DLL action, or do it with the standard tables",
                predicts=(
                    Prediction(scenario="install", outcome=Outcome.FAILS, when="the machine forbids script engines"),
                ),
            )


def rollback_partners(subject: MsiSubject) -> Iterator[Finding]:
    """Look for actions that may write and have no partner before them that undoes it."""
    waiting: list[Action] = []
    for action in subject.msi.actions:
        if action.rollback:
            waiting.append(action)
        elif action.deferred and action.language and not _only_removes(action):
            if waiting:
                waiting.pop()
                continue
            yield Finding(
                code="action-without-rollback",
                severity=Severity.WARNING,
                sentence=f"custom action {action.name} ({action.language}, at {action.sequence}) may write, and no "
                "rollback action is sequenced before it: what it did stays when the installation fails after it",
                subject=action.name,
                advice="sequence a rollback action (type 1280 and its kin) right before it",
                predicts=(
                    Prediction(
                        scenario="rollback",
                        outcome=Outcome.NOT_UNDONE,
                        when=f"it fails after {action.name} has written",
                    ),
                ),
            )


def rights(subject: MsiSubject) -> Iterator[Finding]:
    """Look for actions that change the machine without the rights for it."""
    if subject.msi.scope != "machine":
        return
    for action in subject.msi.actions:
        if action.deferred and action.impersonates and action.language:
            yield Finding(
                code="action-impersonates",
                severity=Severity.WARNING,
                sentence=f"custom action {action.name} of a package for the whole machine runs with the rights of the "
                "user who started it, not the installer's: without elevation its writes to the machine are refused",
                subject=action.name,
                advice="add the no-impersonation bit (2048; WiX: Impersonate='no')",
                predicts=(
                    Prediction(
                        scenario="install",
                        outcome=Outcome.FAILS,
                        when="it is started by an account that is not elevated",
                    ),
                ),
            )


def programs(subject: MsiSubject) -> Iterator[Finding]:
    """Look for actions that start programs, whose windows and children the installer knows nothing of."""
    for action in subject.msi.actions:
        if action.language != "exe":
            continue
        command = " ".join(part for part in (action.source, action.target) if part)
        if action.type & _NOT_WAITED_FOR == _NOT_WAITED_FOR:
            yield Finding(
                code="action-not-waited-for",
                severity=Severity.WARNING,
                sentence=f"custom action {action.name} starts {command!r} and does not wait for it: the process goes "
                "on "
                "after the installer has ended",
                subject=action.name,
                advice="wait for its end, or start it from the program's first run",
                predicts=(Prediction(scenario="install", outcome=Outcome.OUTLIVED, when=f"{action.name} is reached"),),
            )
        else:
            yield Finding(
                code="exe-action",
                severity=Severity.WARNING,
                sentence=f"custom action {action.name} starts {command!r}: a window of it waits where nobody sees it, "
                "and "
                "its exit code is all that the log will say",
                subject=action.name,
                advice="do it with the standard tables, or with a DLL action that logs",
                predicts=(Prediction(scenario="install", outcome=Outcome.HANGS, when="the program asks something"),),
            )
        if action.type & 0x400 == 0 and _changes_by_place(subject, action):
            yield Finding(
                code="immediate-action-writes",
                severity=Severity.WARNING,
                sentence=f"custom action {action.name} starts a program while the installation is still being planned: "
                "it runs with the user's rights, and no rollback undoes what it does",
                subject=action.name,
                advice="defer it, with a rollback action before it",
                predicts=(Prediction(scenario="rollback", outcome=Outcome.NOT_UNDONE, when="it writes"),),
            )


def ignored_results(subject: MsiSubject) -> Iterator[Finding]:
    """Look for actions whose failure nobody sees."""
    for action in subject.msi.actions:
        if action.deferred and action.language and action.type & _NOT_WAITED_FOR == _RESULT_IGNORED:
            yield Finding(
                code="action-result-ignored",
                severity=Severity.NOTE,
                sentence=f"what custom action {action.name} returns is ignored: when it fails, the installation still "
                "ends with 0",
                subject=action.name,
                advice="take the continue bit (64) away, so that a failure is one",
            )


def endings(subject: MsiSubject) -> Iterator[Finding]:
    """Look for actions that end every installation."""
    first = {"Installed": "", "REMOVE": "", "UILevel": "2", **subject.msi.properties}
    for action in subject.msi.actions:
        if action.kind != _ONLY_MESSAGE:
            continue
        if _is_true(action.condition, first):
            inside = action.sequence > (subject.msi.place("InstallInitialize") or 0)
            yield Finding(
                code="always-fails",
                severity=Severity.ERROR,
                sentence=f"custom action {action.name} at {action.sequence} ends every installation with "
                f"{action.target!r}: its condition is {action.condition or 'empty'}",
                subject=action.name,
                advice="give it a condition that is false where the installation should succeed",
                predicts=predictions(Outcome.FAILS if inside else Outcome.REFUSED, "install", "upgrade"),
            )


def _everywhere(subject: MsiSubject) -> Iterator[Action]:
    seen = set()
    for table in ("InstallUISequence", "InstallExecuteSequence"):
        for action in subject.msi.actions_in(table):
            if action.name not in seen:
                seen.add(action.name)
                yield action


def _only_removes(action: Action) -> bool:
    """Tell whether it runs in removals only, where nothing new could be left by a failure."""
    condition = action.condition.replace(" ", "").upper()
    return 'REMOVE="ALL"' in condition or 'REMOVE~="ALL"' in condition


def _changes_by_place(subject: MsiSubject, action: Action) -> bool:
    begin, end = subject.msi.place("InstallInitialize") or 0, subject.msi.place("InstallFinalize") or 0
    return begin < action.sequence < end


def _is_true(condition: str, properties: dict[str, str]) -> bool:
    """Tell whether a condition surely holds in a first installation; only names that are known to be empty count."""
    if not condition:
        return True
    try:
        names = {"Installed", "REMOVE", "UILevel", "PATCH", "ALLUSERS", "ProductVersion"}
        others = {word for word in properties if word not in names}
        return truth(condition, properties, open_ones=_Unknown(names | others)) is True
    except Unreadable:
        return False


class _Unknown(frozenset[str]):
    """Every name but these: what nobody told of is open."""

    def __contains__(self, name: object) -> bool:
        return not super().__contains__(name)
