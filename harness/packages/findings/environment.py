"""Environment variables, and whether PATH keeps what others put into it."""

from __future__ import annotations

from collections.abc import Iterator

from harness.packages.finding import Finding, Outcome, Prediction, Severity, predictions
from harness.packages.msi.tables import number, text
from harness.packages.subject import MsiSubject

_LISTS = frozenset({"path", "pathext", "psmodulepath", "classpath", "include", "lib"})
_DAMAGED = Prediction(scenario="install", outcome=Outcome.DAMAGES_PATH, surely=True)


def path_entries(subject: MsiSubject) -> Iterator[Finding]:
    """Ask whether an entry is added to PATH, and taken out again, without touching the others."""
    for row in subject.msi.rows("Environment"):
        flagged, value = text(row, "Name"), text(row, "Value")
        name = flagged.lstrip("=+-!*")
        flags = flagged[: len(flagged) - len(name)]
        if name.casefold() not in _LISTS:
            continue
        if "[~]" not in value:
            if "+" not in flags and "!" not in flags:  # those two never touch a PATH that is there
                yield Finding(
                    code="path-overwritten",
                    severity=Severity.ERROR,
                    sentence=f"{name} is set to {value!r} without [~]: every entry of others is lost",
                    subject=name,
                    advice=f"write the value as '[~];{value}'",
                    predicts=(_DAMAGED,),
                )
            continue
        before, _, after = value.partition("[~]")
        if (after and not after.startswith(";")) or (before and not before.endswith(";")):
            yield Finding(
                code="path-entries-joined",
                severity=Severity.ERROR,
                sentence=f"{name} is set to {value!r}: without a semicolon beside [~] the new entry grows together "
                "with a neighbour, and neither works",
                subject=name,
                advice="put a semicolon between [~] and the entry",
                predicts=(_DAMAGED,),
            )
        if "-" not in flags and "!" not in flags:
            yield Finding(
                code="path-entry-stays",
                severity=Severity.WARNING,
                sentence=f"{name} gets {value!r} and keeps it after the removal: its Name {flagged!r} lacks the - that "
                "removes it",
                subject=name,
                advice=f"write its Name as '=-{'*' if '*' in flags else ''}{name}'",
                predicts=predictions(Outcome.LEAVES_REMAINS, "install", "uninstall"),
            )


def path_by_other_means(subject: MsiSubject) -> Iterator[Finding]:
    """Look for PATH written past the table that was made for it."""
    for row in subject.msi.rows("Registry"):
        key = text(row, "Key").strip("\\").casefold()
        systems = number(row, "Root") == 2 and key.endswith(r"control\session manager\environment")
        users = number(row, "Root") in (1, -1) and key == "environment"
        if not (systems or users) or text(row, "Name").casefold() != "path":
            continue
        whole = "[~]" not in text(row, "Value")
        yield Finding(
            code="path-overwritten" if whole else "path-by-registry",
            severity=Severity.ERROR if whole else Severity.WARNING,
            sentence=f"PATH is written as a registry value, {text(row, 'Value')!r}"
            + (": every entry of others is lost" if whole else ": its type changes, and its %variables% stop working"),
            subject="Path",
            advice="use the Environment table",
            predicts=(Prediction(scenario="install", outcome=Outcome.DAMAGES_PATH, surely=whole),),
        )
    for action in subject.msi.actions:
        command = f"{action.source} {action.target}".casefold()
        if "setx" in command and "path" in command:
            yield Finding(
                code="path-by-setx",
                severity=Severity.ERROR,
                sentence=f"custom action {action.name} sets PATH with setx, which cuts it off after 1,024 characters",
                subject=action.name,
                advice="use the Environment table",
                predicts=(
                    Prediction(
                        scenario="install", outcome=Outcome.DAMAGES_PATH, when="PATH is longer than 1,024 characters"
                    ),
                ),
            )
