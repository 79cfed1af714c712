"""Programs: an EXE installer, and the executables that a ZIP or an MSI carries."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from harness.builds import Build
from harness.packages.declared import Declared
from harness.packages.finding import Finding, Outcome, Prediction, Severity, predictions
from harness.packages.installer_kind import InstallerKind, nsis_missing
from harness.packages.needed import lacking
from harness.packages.program import Program

_RUNS = {"x86": {"x86"}, "x64": {"x86", "x64"}, "arm64": {"x86", "x64", "arm64", "arm"}}  # machine: programs
_NEVER_STARTS = predictions(Outcome.DOES_NOT_START, "install", "upgrade")


def whole(program: Program) -> Iterator[Finding]:
    """Ask whether the file is all there."""
    missing = max(program.missing, nsis_missing(program))
    if missing:
        yield Finding(
            code="cut-off",
            severity=Severity.ERROR,
            sentence=f"{program.name} ends {missing:,} bytes before what its headers speak of: it was not copied or "
            "downloaded to its end",
            subject=program.name,
            advice="fetch it again and compare its SHA-256",
            predicts=_NEVER_STARTS,
        )


def architecture(program: Program, declared: Declared) -> Iterator[Finding]:
    """Ask whether the machines can run it."""
    known = _RUNS.get(declared.architecture)
    if known is not None and program.machine not in known and not program.is_dotnet:
        yield Finding(
            code="other-architecture",
            severity=Severity.ERROR,
            sentence=f"{program.name} is for {program.machine}, and the machines are {declared.architecture}: Windows "
            "does not start it",
            subject=program.name,
            advice=f"build it for {declared.architecture}",
            predicts=_NEVER_STARTS,
        )
    if program.needs_windows > (10, 0):
        wanted = ".".join(map(str, program.needs_windows))
        yield Finding(
            code="needs-later-windows",
            severity=Severity.ERROR,
            sentence=f"{program.name} says that it needs Windows {wanted}, and every build so far is 10.0: Windows "
            "does "
            "not start it",
            subject=program.name,
            advice="link it with a subsystem version of 10.0 or lower",
            predicts=_NEVER_STARTS,
        )


def needed_dlls(program: Program, shipped: Collection[str], builds: Sequence[Build]) -> Iterator[Finding]:
    """Look for imports that a clean machine of the builds does not have and the package does not bring."""
    for name, entry in lacking((*program.imports, *program.delayed), shipped):
        without = tuple(build.number for build in builds if entry.is_missing_on(build.number))
        if builds and not without:
            continue
        if not builds and not (entry.absent or entry.never):
            continue
        late = name in program.delayed and name not in program.imports
        yield Finding(
            code="needs-missing-dll",
            severity=Severity.ERROR if entry.never else Severity.WARNING,
            sentence=f"{program.name} needs {name}, which comes with {entry.words}"
            + (", and not with the package" if not entry.since else ""),
            subject=name,
            advice="ship it, install what brings it first, or link it statically",
            predicts=(
                Prediction(
                    scenario="install",
                    outcome=Outcome.DOES_NOT_START,
                    builds=without or None,
                    surely=entry.never and not late,
                    when="" if entry.never else "nothing else on the machine brought it",
                ),
            ),
        )


def manifest(program: Program) -> Iterator[Finding]:
    """Ask whether it says what rights it needs, and that it knows Windows 10."""
    if program.is_dll:
        return
    if not program.level:
        yield Finding(
            code="no-requested-rights",
            severity=Severity.NOTE,
            sentence=f"{program.name} has no manifest that says what rights it needs: Windows guesses from its name "
            "whether it is an installer, and redirects its writes to the user's VirtualStore",
            subject=program.name,
            advice="add a manifest with requestedExecutionLevel",
            predicts=(Prediction(scenario="denied", outcome=Outcome.NOT_REFUSED, when="its writes are redirected"),),
        )
    if not program.knows_windows_10:
        yield Finding(
            code="windows-10-unknown",
            severity=Severity.NOTE,
            sentence=f"{program.name} does not name Windows 10 in its manifest: Windows tells it that it runs on "
            "Windows 8",
            subject=program.name,
            advice="add the supportedOS id of Windows 10 to its manifest",
        )


def version_told(program: Program, declared: Declared) -> Iterator[Finding]:
    """Ask whether the version in its resources is the one that is declared."""
    told = program.strings.get("ProductVersion") or program.strings.get("FileVersion") or ""
    if declared.version and told and not _same(told, declared.version):
        yield Finding(
            code="version-differs",
            severity=Severity.WARNING,
            sentence=f"{program.name} says version {told} of itself, and {declared.version} is declared",
            subject=program.name,
            advice="declare the right package, or stamp it with its version",
        )


def switches(program: Program, kind: InstallerKind | None, declared: Declared) -> Iterator[Finding]:
    """Ask whether it is silent when it is called as declared."""
    if kind is None or declared.switches is None or kind.is_silent_with(declared.switches):
        return
    yield Finding(
        code="switches-do-not-fit",
        severity=Severity.ERROR,
        sentence=f"{program.name} is made with {kind.name}, which is not silent with {declared.switches!r}: it shows a "
        "window and waits",
        subject=declared.switches,
        advice=f"call it with {kind.switches}",
        predicts=predictions(Outcome.HANGS, "install", "upgrade", "uninstall"),
    )


def _same(told: str, declared: str) -> bool:
    def fields(version: str) -> list[str]:
        parts = version.replace(",", ".").replace(" ", "").split(".")
        while len(parts) > 1 and parts[-1] == "0":
            parts.pop()
        return parts

    return fields(told) == fields(declared)
