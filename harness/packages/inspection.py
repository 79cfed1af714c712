"""Look into a package before it is run: what it is, and what is wrong with it. Nothing of it is ever started."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.builds import Build
from harness.packages.archive import Archive
from harness.packages.declared import Declared
from harness.packages.finding import Finding, Prediction, Severity, unreadable
from harness.packages.findings import (
    actions,
    architecture,
    archives,
    components,
    downgrading,
    environment,
    launch,
    programs,
    removal_order,
    scope,
    services,
    settings,
    signing,
    upgrading,
)
from harness.packages.installer_kind import InstallerKind, installer_kind
from harness.packages.msi.product import Msi
from harness.packages.msi.tables import MsiPackage
from harness.packages.program import Program, program_in, read_program
from harness.packages.signed_part import signature_of_compound, signature_of_program
from harness.packages.subject import MsiCheck, MsiSubject
from harness.packages.unreadable import Unreadable

MSI_CHECKS: Sequence[MsiCheck] = (
    removal_order.removal_order,
    upgrading.upgrade_code,
    upgrading.product_code,
    upgrading.versions,
    upgrading.old_version_is_found,
    downgrading.downgrades,
    downgrading.detection_is_passed_on,
    components.same_guid_other_path,
    components.same_path_other_guid,
    components.file_versions,
    components.guids,
    scope.user_parts_of_machine_packages,
    scope.machine_parts_of_user_packages,
    scope.scope_left_to_chance,
    actions.scripts,
    actions.rollback_partners,
    actions.rights,
    actions.programs,
    actions.ignored_results,
    actions.endings,
    launch.excluded_builds,
    launch.blocked_removal,
    launch.promises,
    settings.restarts,
    settings.rollback,
    settings.repair,
    settings.registration,
    settings.tables_without_actions,
    services.paths,
    services.accounts,
    services.removal,
    environment.path_entries,
    environment.path_by_other_means,
    architecture.platform,
    architecture.components,
)
_ORDER = list(Severity)
_COMPOUND, _PROGRAM, _ZIP = bytes.fromhex("d0cf11e0a1b11ae1"), b"MZ", (b"PK\x03\x04", b"PK\x05\x06")
_BIGGEST_BINARY = 64 << 20
_USUAL_FOLDER = r"C:\Program Files\Product"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What was seen of a package: its kind, what it says of itself, and the findings, the gravest first."""

    file: Path
    kind: str
    says: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def worst(self) -> Severity | None:
        """The gravest severity among the findings; None without one."""
        return self.findings[0].severity if self.findings else None

    def predictions(self) -> Iterator[tuple[Finding, Prediction]]:
        """Give every prediction with the finding that makes it."""
        return ((found, one) for found in self.findings for one in found.predicts)

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {
            "file": str(self.file),
            "kind": self.kind,
            "says": self.says,
            "worst": str(self.worst) if self.worst else None,
            "findings": [found.as_json() for found in self.findings],
        }


def inspect(
    file: Path,
    *,
    previous: Path | None = None,
    builds: Sequence[Build] = (),
    declared: Declared | None = None,
    now: datetime | None = None,
    install_dir: str = _USUAL_FOLDER,
) -> Inspection:
    r"""Read a package and say what is wrong with it, for some builds and as the upgrade of a previous package.

    ``now`` is the day on which signatures must count, ``install_dir`` where a ZIP is unpacked to. A file that cannot be
    read is a finding, never an error; raises nothing.
    """
    asked = declared or Declared()
    kind, says, findings = "unknown", {}, list[Finding]()
    try:
        findings += signing.declared_hash(file, asked)
        kind = _kind_of(file)
        moment = now or datetime.now().astimezone()
        if kind == "msi":
            says = _msi(file, previous, builds, asked, findings)
            findings += signing.signature(signature_of_compound(file), asked, moment, file.name)
        elif kind == "exe":
            says = _exe(file, builds, asked, moment, findings)
        else:
            says = _zip(file, builds, asked, install_dir, findings)
    except (Unreadable, OSError) as error:
        findings.append(unreadable(file, error))
    findings.sort(key=lambda found: _ORDER.index(found.severity))
    return Inspection(file=file, kind=kind, says=says, findings=tuple(findings))


def _kind_of(file: Path) -> str:
    with file.open("rb") as stream:
        start = stream.read(8)
    if start == _COMPOUND:
        return "msi"
    if start[:2] == _PROGRAM:
        return "exe"
    if start[:4] in _ZIP:
        return "zip"
    raise Unreadable(f"{file.name} begins like none of MSI, EXE and ZIP" if start else f"{file.name} is empty")


def _msi(
    file: Path, previous: Path | None, builds: Sequence[Build], declared: Declared, findings: list[Finding]
) -> dict[str, str]:
    msi, old = Msi(MsiPackage(file)), None
    if previous is not None:
        try:
            old = Msi(MsiPackage(previous))
        except Unreadable as error:
            findings.append(unreadable(previous, error))
    subject = MsiSubject(msi=msi, old=old, builds=builds, declared=declared)
    for check in MSI_CHECKS:
        findings += check(subject)
    findings += _programs_of_actions(msi, builds, declared)
    return {
        "product": msi.properties.get("ProductName", ""),
        "version": msi.version,
        "product code": msi.product_code,
        "upgrade code": msi.upgrade_code,
        "scope": msi.scope,
        "platform": msi.package.summary.platform,
    }


def _programs_of_actions(msi: Msi, builds: Sequence[Build], declared: Declared) -> Iterator[Finding]:
    """Look into the programs and DLLs that custom actions carry in the Binary table."""
    shipped = {place.rpartition("\\")[2].casefold() for place, _ in msi.files.values()}
    for name in sorted({action.source for action in msi.actions if action.kind in (1, 2)}):
        content = msi.package.binary(name, at_most=_BIGGEST_BINARY)
        if content[:2] != _PROGRAM:
            continue
        try:
            program = program_in(content, name)
        except Unreadable as error:
            yield unreadable(Path(name), error)
            continue
        yield from programs.architecture(program, declared)
        yield from programs.needed_dlls(program, shipped, builds)


def _exe(
    file: Path, builds: Sequence[Build], declared: Declared, now: datetime, findings: list[Finding]
) -> dict[str, str]:
    program = read_program(file)
    made_with = installer_kind(program)
    findings += programs.whole(program)
    findings += programs.architecture(program, declared)
    findings += programs.needed_dlls(program, (), builds)
    findings += programs.manifest(program)
    findings += programs.version_told(program, declared)
    findings += programs.switches(program, made_with, declared)
    findings += signing.signature(signature_of_program(file, program), declared, now, file.name)
    return _what(program, made_with)


def _what(program: Program, made_with: InstallerKind | None) -> dict[str, str]:
    told = {
        "product": program.strings.get("ProductName", ""),
        "version": program.strings.get("ProductVersion", ""),
        "made with": made_with.name if made_with else "",
        "silent with": made_with.switches if made_with else "",
        "platform": program.machine,
        "rights": program.level,
    }
    return {name: value for name, value in told.items() if value}


def _zip(
    file: Path, builds: Sequence[Build], declared: Declared, install_dir: str, findings: list[Finding]
) -> dict[str, str]:
    archive = Archive(file)
    findings += archives.escapes(archive)
    findings += archives.names(archive, install_dir)
    findings += archives.holds_files(archive)
    findings += archives.contents(archive)
    shipped = {member.parts[-1].casefold() for member in archive.members if member.parts}
    looked_into = 0
    if not any(found.code in ("zip-broken-member", "zip-encrypted") for found in findings):
        for member, content in archive.programs():
            looked_into += 1
            try:
                program = program_in(content, member.name)
            except Unreadable as error:
                findings.append(archives.no_program(member, str(error)))
                continue
            findings += programs.whole(program)
            findings += programs.architecture(program, declared)
            findings += programs.needed_dlls(program, shipped, builds)
    return {"members": str(len(archive.members)), "programs": str(looked_into)}
