"""Downgrades: whether an older version is kept from replacing or joining a newer one."""

from __future__ import annotations

from collections.abc import Iterator

from harness.packages.finding import Finding, Outcome, Prediction, Severity
from harness.packages.msi.product import Msi, three_fields
from harness.packages.msi.tables import Row, number, text
from harness.packages.msi.upgrade_table import ONLY_DETECTS, code_of
from harness.packages.subject import MsiSubject


def downgrades(subject: MsiSubject) -> Iterator[Finding]:
    """Ask whether an older version is kept from replacing or joining a newer one."""
    msi = subject.msi
    if not msi.upgrade_code:
        return
    newer = [
        row for row in msi.rows("Upgrade") if code_of(row) == msi.upgrade_code and _reaches_newer(row, msi.version)
    ]
    if any(not number(row, "Attributes") & ONLY_DETECTS for row in newer):
        yield Finding(
            code="downgrade-allowed",
            severity=Severity.WARNING,
            sentence=f"the Upgrade table removes newer versions, too: installing {msi.version} over a newer one "
            "replaces "
            "it without a word",
            subject="Upgrade",
            advice="refuse to install over a newer version, or say in the release notes that it is meant",
            predicts=(Prediction(scenario="downgrade", outcome=Outcome.NOT_REFUSED, surely=True),),
        )
    elif not newer:
        yield Finding(
            code="downgrade-undetected",
            severity=Severity.WARNING,
            sentence=f"nothing in the Upgrade table looks for newer versions: {msi.version} over a newer one leaves "
            "both "
            "registered, with the older files",
            subject="Upgrade",
            advice="detect newer versions and refuse (WiX: MajorUpgrade with DowngradeErrorMessage)",
            predicts=(Prediction(scenario="downgrade", outcome=Outcome.LEAVES_BOTH, surely=True),),
        )
    elif not any(_is_blocked(msi, text(row, "ActionProperty")) for row in newer):
        yield Finding(
            code="downgrade-unblocked",
            severity=Severity.WARNING,
            sentence=f"newer versions are detected as {text(newer[0], 'ActionProperty')}, but no launch condition and "
            "no "
            "action refuses them",
            subject=text(newer[0], "ActionProperty"),
            advice="add a launch condition that refuses while that property is set",
            predicts=(Prediction(scenario="downgrade", outcome=Outcome.LEAVES_BOTH),),
        )


def detection_is_passed_on(subject: MsiSubject) -> Iterator[Finding]:
    """Ask whether the detected versions reach the elevated part of the installation."""
    secure = set(subject.msi.properties.get("SecureCustomProperties", "").split(";"))
    named = dict.fromkeys(text(row, "ActionProperty") for row in subject.msi.rows("Upgrade"))
    for name in named:
        if name and name not in secure:
            yield Finding(
                code="upgrade-property-not-secure",
                severity=Severity.WARNING,
                sentence=f"{name} of the Upgrade table is not in SecureCustomProperties: where installation is "
                "managed, "
                "what was detected is lost on the way to the elevated part, and the old version stays",
                subject=name,
                advice="add it to SecureCustomProperties",
                predicts=(
                    Prediction(
                        scenario="upgrade", outcome=Outcome.LEAVES_BOTH, when="it is installed with a user interface"
                    ),
                ),
            )


def _is_blocked(msi: Msi, name: str) -> bool:
    texts = [text(row, "Condition") for row in msi.rows("LaunchCondition")]
    texts += [action.condition for action in msi.actions if action.kind == 19]
    return any(name in condition for condition in texts)


def _reaches_newer(row: Row, version: str) -> bool:
    upper = text(row, "VersionMax")
    return not upper or three_fields(upper) > three_fields(version)
