"""When the old version is removed, and so what is left when the upgrade fails."""

from __future__ import annotations

from collections.abc import Iterator

from harness.packages.finding import Finding, Outcome, Prediction, Severity
from harness.packages.msi.product import Msi
from harness.packages.msi.tables import number
from harness.packages.msi.upgrade_table import ONLY_DETECTS
from harness.packages.subject import MsiSubject


def removal_order(subject: MsiSubject) -> Iterator[Finding]:
    """Ask whether the old version is removed where Windows Installer can bring it back."""
    msi = subject.msi
    removing = [row for row in msi.rows("Upgrade") if not number(row, "Attributes") & ONLY_DETECTS]
    if not removing:
        return
    removal = msi.place("RemoveExistingProducts")
    if removal is None:
        yield Finding(
            code="upgrade-never-removes",
            severity=Severity.ERROR,
            sentence="the Upgrade table names versions to remove, but RemoveExistingProducts is in no sequence: "
            "after an upgrade both versions are registered",
            subject="RemoveExistingProducts",
            advice="sequence RemoveExistingProducts after InstallInitialize",
            predicts=(Prediction(scenario="upgrade", outcome=Outcome.LEAVES_BOTH, surely=True),),
        )
        return
    validate, begin, end = (
        msi.place(name) or 0 for name in ("InstallValidate", "InstallInitialize", "InstallFinalize")
    )
    advice = "sequence RemoveExistingProducts right after InstallInitialize (WiX: Schedule='afterInstallInitialize')"
    if removal <= begin:
        where = "before InstallValidate" if removal < validate else "between InstallValidate and InstallInitialize"
        yield Finding(
            code="removal-outside-transaction",
            severity=Severity.ERROR,
            sentence=f"the old version is removed at {removal}, {where} and so before the transaction begins at "
            f"{begin}: an upgrade that fails leaves neither version",
            subject="RemoveExistingProducts",
            advice=advice,
            predicts=(Prediction(scenario="rollback", outcome=Outcome.LEAVES_NEITHER, surely=True),),
        )
    elif removal > end:
        yield Finding(
            code="removal-after-transaction",
            severity=Severity.WARNING,
            sentence=f"the old version is removed at {removal}, after the transaction has ended at {end}: where the "
            "removal fails, both versions stay",
            subject="RemoveExistingProducts",
            advice=advice,
            predicts=(
                Prediction(
                    scenario="upgrade", outcome=Outcome.LEAVES_BOTH, when="the removal of the old version fails"
                ),
            ),
        )
    elif not _removes_late(msi) and (between := _writes_between(msi, begin, removal)):
        yield Finding(
            code="removal-amid-changes",
            severity=Severity.ERROR,
            sentence=f"the old version is removed at {removal}, after {between[0]} has begun to write the "
            "installation script: Windows Installer ends such an upgrade with error 2613",
            subject="RemoveExistingProducts",
            advice=advice,
            predicts=(
                Prediction(scenario="upgrade", outcome=Outcome.FAILS, when="on Windows, which checks the order"),
            ),
        )


def removes_before_installing(msi: Msi) -> bool:
    """Tell whether the old version is gone before the first file of the new one is written."""
    removal = msi.place("RemoveExistingProducts")
    return removal is not None and removal < (msi.place("InstallFiles") or 4000)


def _removes_late(msi: Msi) -> bool:
    removal = msi.place("RemoveExistingProducts") or 0
    executes = [place for name in ("InstallExecute", "InstallExecuteAgain") if (place := msi.place(name)) is not None]
    return any(place < removal for place in executes)


def _writes_between(msi: Msi, begin: int, removal: int) -> list[str]:
    """Name what writes into the installation script between two places: known actions and deferred custom ones."""
    deferred = {action.name for action in msi.actions if action.type & 0x400}
    between = sorted((place, name) for name, (place, _) in msi.sequence.items() if begin < place < removal)
    return [name for _, name in between if name in deferred or name in SCRIPT_WRITERS]


# the standard actions that put something into the script (Microsoft's "Suggested InstallExecuteSequence", 1600 on)
# fmt: off
SCRIPT_WRITERS = frozenset([
    "AllocateRegistrySpace", "ProcessComponents", "UnpublishComponents", "UnpublishFeatures", "StopServices",
    "DeleteServices", "UnregisterComPlus", "SelfUnregModules", "UnregisterTypeLibraries", "RemoveODBC",
    "UnregisterFonts", "RemoveRegistryValues", "UnregisterClassInfo", "UnregisterExtensionInfo",
    "UnregisterProgIdInfo", "UnregisterMIMEInfo", "RemoveIniValues", "RemoveShortcuts",
    "RemoveEnvironmentStrings", "RemoveDuplicateFiles", "RemoveFiles", "RemoveFolders", "CreateFolders",
    "MoveFiles", "InstallFiles", "PatchFiles", "DuplicateFiles", "BindImage", "CreateShortcuts",
    "RegisterClassInfo", "RegisterExtensionInfo", "RegisterProgIdInfo", "RegisterMIMEInfo",
    "WriteRegistryValues", "WriteIniValues", "WriteEnvironmentStrings", "RegisterFonts", "InstallODBC",
    "RegisterTypeLibraries", "SelfRegModules", "RegisterComPlus", "InstallServices", "StartServices",
    "RegisterUser", "RegisterProduct", "PublishComponents", "PublishFeatures", "PublishProduct",
])
# fmt: on
