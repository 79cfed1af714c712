"""The component rules: one GUID for one key path, for ever, and nothing that the removal does not know of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.packages.finding import Finding, Outcome, Prediction, Severity
from harness.packages.findings.removal_order import removes_before_installing
from harness.packages.msi.product import Msi
from harness.packages.msi.tables import text
from harness.packages.subject import MsiSubject

_NAMED = 3  # findings of a kind that are given one by one; a build that breaks a rule breaks it a thousand times

_HOLDS = ("File", "Registry", "Shortcut", "Environment", "ServiceInstall")


def same_guid_other_path(subject: MsiSubject) -> Iterator[Finding]:
    """Look for component GUIDs that stood for something else in the old version."""
    if subject.old is None:
        return
    old = {one.guid: one for one in subject.old.components.values() if one.guid}
    moved = [
        (old[one.guid], one)
        for one in subject.msi.components.values()
        if one.guid in old and _differ(old[one.guid].key_path, one.key_path)
    ]
    late = not removes_before_installing(subject.msi)
    for before, now in moved[:_NAMED]:
        yield Finding(
            code="component-guid-moved",
            severity=Severity.ERROR,
            sentence=f"component {now.name} keeps its GUID {now.guid} but stands for {now.key_path} instead of "
            f"{before.key_path}: Windows Installer counts them as one, and an upgrade can leave either out"
            + _others(len(moved)),
            subject=now.name,
            advice="give what lies in another place a new component GUID",
            predicts=(Prediction(scenario="upgrade", outcome=Outcome.LOSES_FILES, surely=late),),
        )


def same_path_other_guid(subject: MsiSubject) -> Iterator[Finding]:
    """Look for key paths that stay in their place and change their GUID."""
    if subject.old is None:
        return
    old = {one.key_path.casefold(): one for one in subject.old.components.values() if one.guid}
    renamed = [
        (old[one.key_path.casefold()], one)
        for one in subject.msi.components.values()
        if one.guid and one.key_path.casefold() in old and old[one.key_path.casefold()].guid != one.guid
    ]
    early = removes_before_installing(subject.msi)
    for before, now in renamed[:_NAMED]:
        harm = (
            "the old version is removed first, so nothing is lost, but no other upgrade than this kind can ever be made"
            if early
            else "the removal of the old version, which comes after, takes away what the new one has just written"
        )
        yield Finding(
            code="component-guid-changed",
            severity=Severity.NOTE if early else Severity.ERROR,
            sentence=f"{now.key_path} belongs to component {now.guid} and belonged to {before.guid} in version "
            f"{subject.old.version}: {harm}" + _others(len(renamed)),
            subject=now.name,
            advice="keep the GUID of a component whose key path stays",
            predicts=() if early else (Prediction(scenario="upgrade", outcome=Outcome.LOSES_FILES, surely=True),),
        )


def file_versions(subject: MsiSubject) -> Iterator[Finding]:
    """Look for files whose version is lower than in the old version."""
    if subject.old is None:
        return
    old = {place.casefold(): _file_version(text(row, "Version")) for place, row in subject.old.files.values()}
    lowered = []
    for place, row in subject.msi.files.values():
        before, now = old.get(place.casefold(), ()), _file_version(text(row, "Version"))
        if before and now is not None and now < before:
            lowered.append((place, before, now))
    for place, before, now in lowered[:_NAMED]:
        yield Finding(
            code="file-version-lower",
            severity=Severity.ERROR,
            sentence=f"{place} has version {_written(now) or 'none'} and had {_written(before)} in "
            f"{subject.old.version}: "
            "Windows Installer decides before the removal that the newer one on the disk stays, then the removal takes "
            "it away" + _others(len(lowered)),
            subject=place,
            advice="never lower a file's version, or remove the old version before costing",
            predicts=(Prediction(scenario="upgrade", outcome=Outcome.LOSES_FILES),),
        )


def guids(subject: MsiSubject) -> Iterator[Finding]:
    """Look for components without a GUID of their own."""
    components = [
        one for one in subject.msi.components.values() if not one.condition
    ]  # conditions may exclude each other
    twice = [guid for guid, times in Counter(one.guid for one in components if one.guid).items() if times > 1]
    for guid in twice[:_NAMED]:
        names = ", ".join(one.name for one in components if one.guid == guid)
        yield Finding(
            code="component-guid-twice",
            severity=Severity.ERROR,
            sentence=f"components {names} share the GUID {guid}: Windows Installer counts one for both, and removes or "
            "leaves both" + _others(len(twice)),
            subject=guid,
            advice="give every component a GUID of its own",
            predicts=(Prediction(scenario="uninstall", outcome=Outcome.LEAVES_REMAINS),),
        )
    yield from _staying(subject.msi)


def _staying(msi: Msi) -> Iterator[Finding]:
    holding = {text(row, "Component_") for table in _HOLDS for row in msi.rows(table)}
    unknown = [one for one in msi.components.values() if not one.guid and one.name in holding]
    for one in unknown[:_NAMED]:
        yield Finding(
            code="component-without-guid",
            severity=Severity.WARNING,
            sentence=f"component {one.name} has no GUID: {one.key_path} is installed and never removed"
            + _others(len(unknown)),
            subject=one.name,
            advice="give it a GUID, or name what stays in the product file's leftovers_allowed",
            predicts=(
                Prediction(scenario="uninstall", outcome=Outcome.LEAVES_REMAINS, surely=True),
                Prediction(scenario="install", outcome=Outcome.LEAVES_REMAINS, surely=True),
            ),
        )
    permanent = [one for one in msi.components.values() if one.guid and one.stays]
    for one in permanent[:_NAMED]:
        yield Finding(
            code="component-permanent",
            severity=Severity.WARNING,
            sentence=f"component {one.name} is marked permanent: {one.key_path} stays after the removal"
            + _others(len(permanent)),
            subject=one.name,
            advice="take the mark away, or name what stays in the product file's leftovers_allowed",
            predicts=(
                Prediction(scenario="uninstall", outcome=Outcome.LEAVES_REMAINS, surely=True),
                Prediction(scenario="install", outcome=Outcome.LEAVES_REMAINS, surely=True),
            ),
        )


def _differ(before: str, now: str) -> bool:
    return before.casefold().rstrip("\\") != now.casefold().rstrip("\\")


def _others(count: int) -> str:
    return f" ({count} of this kind)" if count > _NAMED else ""


def _file_version(version: str) -> tuple[int, ...] | None:
    """Read a file's version: empty for a file without one, None where it is the key of a companion file instead."""
    if not version:
        return ()
    fields = version.split(".")
    if len(fields) < 2 or not all(field.isascii() and field.isdecimal() and len(field) < 10 for field in fields):
        return None
    return tuple(map(int, fields))


def _written(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
