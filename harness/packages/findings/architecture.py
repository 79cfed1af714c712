"""The processor that a package is for, and whether its parts agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.packages.finding import Finding, Outcome, Prediction, Severity, predictions
from harness.packages.subject import MsiSubject

_ONLY_64 = ("[ProgramFiles64Folder]", "[CommonFiles64Folder]", "[System64Folder]")
_NEEDED_SCHEMA = {"x64": 200, "arm64": 500}
_RUNS = {"x86": {"x86"}, "x64": {"x86", "x64"}, "arm64": {"x86", "x64", "arm64"}}  # machine: packages


def platform(subject: MsiSubject) -> Iterator[Finding]:
    """Ask whether the machines take it."""
    msi, machines = subject.msi, subject.declared.architecture
    if msi.architecture not in _RUNS.get(machines, {msi.architecture}):
        yield Finding(
            code="other-architecture",
            severity=Severity.ERROR,
            sentence=f"the package is for {msi.package.summary.platform}, and the machines are {machines}: Windows "
            "Installer refuses it with 1633",
            subject="Template",
            advice=f"build it for {machines}",
            predicts=predictions(Outcome.REFUSED, "install", "upgrade", "uninstall"),
        )
    needed, schema = _NEEDED_SCHEMA.get(msi.architecture, 0), msi.package.summary.schema
    if 0 < schema < needed:
        yield Finding(
            code="schema-too-old",
            severity=Severity.ERROR,
            sentence=f"a package for {msi.architecture} says that it needs Windows Installer {schema / 100:g} only, "
            "and "
            f"{needed / 100:g} was the first to know that processor: Windows refuses it as invalid",
            subject="Page Count",
            advice=f"set the schema to {needed} or higher",
            predicts=(Prediction(scenario="install", outcome=Outcome.FAILS),),
        )


def components(subject: MsiSubject) -> Iterator[Finding]:
    """Look for 32-bit and 64-bit parts that do not go where they belong."""
    msi = subject.msi
    parts = list(msi.components.values())
    if msi.architecture == "x86":
        wide = [one for one in parts if one.is_64_bit or one.directory.startswith(_ONLY_64)]
        if wide:
            yield Finding(
                code="64-bit-part-in-32-bit-package",
                severity=Severity.ERROR,
                sentence=f"component {wide[0].name} is 64-bit ({wide[0].key_path}) in a package for 32-bit Windows: "
                "Windows Installer puts it beside the 32-bit programs or not at all" + _count(wide),
                subject=wide[0].name,
                advice="build the package for x64",
                predicts=(Prediction(scenario="install", outcome=Outcome.NOT_APPLIED),),
            )
        return
    narrow = [one for one in parts if not one.is_64_bit and one.directory.startswith(_ONLY_64)]
    if narrow:
        yield Finding(
            code="32-bit-part-in-64-bit-package",
            severity=Severity.WARNING,
            sentence=f"component {narrow[0].name} is not marked as 64-bit and goes to {narrow[0].directory}: its "
            "registry "
            "values land below Wow6432Node, where the 64-bit program does not look" + _count(narrow),
            subject=narrow[0].name,
            advice="mark it as 64-bit (attribute 256; WiX: Win64='yes')",
            predicts=(Prediction(scenario="install", outcome=Outcome.NOT_APPLIED, when="it writes to the registry"),),
        )


def _count(found: Sequence[object]) -> str:
    return f" ({len(found)} of this kind)" if len(found) > 1 else ""
