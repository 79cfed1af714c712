"""Upgrades: whether a new version finds the old one, and is another one to Windows Installer."""

from __future__ import annotations

from collections.abc import Iterator

from harness.packages.finding import Finding, Outcome, Prediction, Severity
from harness.packages.msi.product import three_fields
from harness.packages.msi.upgrade_table import finds, removes
from harness.packages.subject import MsiSubject

BOTH = Prediction(scenario="upgrade", outcome=Outcome.LEAVES_BOTH, surely=True)


def upgrade_code(subject: MsiSubject) -> Iterator[Finding]:
    """Ask whether versions can recognise each other at all."""
    msi, old = subject.msi, subject.old
    if not msi.upgrade_code:
        yield Finding(
            code="upgrade-code-missing",
            severity=Severity.ERROR,
            sentence="the package has no UpgradeCode: no version can find another, and an upgrade leaves both",
            subject="UpgradeCode",
            advice="give every version the same UpgradeCode",
            predicts=(BOTH,),
        )
    elif old is not None and old.upgrade_code and old.upgrade_code != msi.upgrade_code and not finds(msi, old):
        yield Finding(
            code="upgrade-code-changed",
            severity=Severity.ERROR,
            sentence=f"its UpgradeCode {msi.upgrade_code} is not {old.upgrade_code}, which version {old.version} has, "
            "and its Upgrade table does not name that one: an upgrade leaves both versions",
            subject="UpgradeCode",
            advice="keep the UpgradeCode of the first version for ever, or add the old one to the Upgrade table",
            predicts=(BOTH,),
        )


def product_code(subject: MsiSubject) -> Iterator[Finding]:
    """Ask whether the new version says that it is another product than the old one."""
    msi, old = subject.msi, subject.old
    if old is None:
        return
    if msi.product_code and msi.product_code == old.product_code:
        yield Finding(
            code="product-code-same",
            severity=Severity.ERROR,
            sentence=f"version {msi.version} has the ProductCode of version {old.version}, {msi.product_code}: "
            "Windows Installer refuses it with 1638, another version is already installed",
            subject="ProductCode",
            advice="give every version that is shipped as a whole package a ProductCode of its own",
            predicts=(Prediction(scenario="upgrade", outcome=Outcome.REFUSED, surely=True),),
        )
    code = msi.package.summary.package_code
    if code and code == old.package.summary.package_code and msi.package.file != old.package.file:
        yield Finding(
            code="package-code-same",
            severity=Severity.ERROR,
            sentence=f"both packages have the package code {code}, which says that they are the same file: Windows "
            "Installer may install the old one from its cache",
            subject="package code",
            advice="let every build of a package have a new package code",
            predicts=(Prediction(scenario="upgrade", outcome=Outcome.NOT_APPLIED, when="the old version is cached"),),
        )


def versions(subject: MsiSubject) -> Iterator[Finding]:
    """Ask whether Windows Installer sees which version is newer."""
    msi, old = subject.msi, subject.old
    fields = msi.version.split(".")
    if len(fields) > 3 and any(int(field) for field in fields[3:] if field.isdecimal()):
        yield Finding(
            code="version-fourth-field",
            severity=Severity.NOTE,
            sentence=f"Windows Installer compares three fields of ProductVersion {msi.version}: what differs only in "
            "the fourth is the same version to it",
            subject="ProductVersion",
        )
    major, minor, build = three_fields(msi.version)
    if not msi.version or major > 255 or minor > 255 or build > 65535:
        yield Finding(
            code="version-out-of-range",
            severity=Severity.ERROR,
            sentence=f"ProductVersion {msi.version or 'is missing'}: Windows Installer wants major and minor up to 255 "
            "and a build up to 65535, and compares others wrongly",
            subject="ProductVersion",
            advice="write the version in fields that fit",
            predicts=(Prediction(scenario="upgrade", outcome=Outcome.LEAVES_BOTH),),
        )
    if old is None or three_fields(msi.version) > three_fields(old.version):
        return
    same = three_fields(msi.version) == three_fields(old.version)
    if same and removes(msi, old):
        return  # AllowSameVersionUpgrades: it is found, and replaced
    joins = same and not finds(msi, old)
    refused = Prediction(scenario="upgrade", outcome=Outcome.REFUSED, when="newer versions are refused")
    yield Finding(
        code="version-not-greater",
        severity=Severity.ERROR,
        sentence=f"version {msi.version} is {'the same as' if same else 'lower than'} {old.version} in the three "
        "fields "
        f"that Windows Installer compares{': both stay registered' if joins else ''}",
        subject="ProductVersion",
        advice="raise one of the first three fields with every release",
        predicts=(BOTH,) if joins else () if removes(msi, old) else (refused,),
    )


def old_version_is_found(subject: MsiSubject) -> Iterator[Finding]:
    """Ask whether the Upgrade table, read as Windows Installer reads it, finds the version that is to be replaced."""
    msi, old = subject.msi, subject.old
    if "FindRelatedProducts" not in msi.sequence and msi.rows("Upgrade") and msi.rows("InstallExecuteSequence"):
        yield Finding(
            code="upgrade-never-looked-for",
            severity=Severity.ERROR,
            sentence="FindRelatedProducts is in no sequence: the Upgrade table is never read, and an upgrade leaves "
            "both versions",
            subject="FindRelatedProducts",
            advice="sequence FindRelatedProducts before LaunchConditions",
            predicts=(BOTH,),
        )
    if old is None or not msi.upgrade_code or msi.product_code == old.product_code or not old.upgrade_code:
        return
    if three_fields(msi.version) <= three_fields(old.version) or old.upgrade_code != msi.upgrade_code:
        return  # another finding speaks of these
    if not removes(msi, old):
        rows = "has no row that removes" if not finds(msi, old) else "only detects"
        yield Finding(
            code="old-version-not-found",
            severity=Severity.ERROR,
            sentence=f"the Upgrade table {rows} version {old.version} of {old.upgrade_code}: an upgrade leaves both "
            "versions",
            subject="Upgrade",
            advice="let the Upgrade table remove every version up to this one (WiX: MajorUpgrade)",
            predicts=(BOTH,),
        )
