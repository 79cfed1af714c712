"""For whom a package is installed: the machine, one user, or a mixture that is right for neither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.packages.finding import Finding, Outcome, Prediction, Severity
from harness.packages.msi.product import Msi, registry_path
from harness.packages.msi.tables import number, text
from harness.packages.subject import MsiSubject

_HKCU, _HKLM = 1, 2
# folders that stay a user's own even where ALLUSERS is 1; desktop, start menu and the like then are everybody's
_USERS_FOLDERS = (
    "AppDataFolder", "LocalAppDataFolder", "PersonalFolder", "FavoritesFolder", "MyPicturesFolder", "NetHoodFolder",
    "PrintHoodFolder", "RecentFolder", "SendToFolder",
)  # fmt: skip
_MACHINES_FOLDERS = (
    "ProgramFilesFolder", "ProgramFiles64Folder", "CommonFilesFolder", "CommonFiles64Folder", "CommonAppDataFolder",
    "WindowsFolder", "SystemFolder", "System64Folder",
)  # fmt: skip
_NO_ELEVATION = 8
_INSTALLER_ONLY = Prediction(
    scenario="install", outcome=Outcome.WRONG_USER, when="another account than the installing one looks"
)


def user_parts_of_machine_packages(subject: MsiSubject) -> Iterator[Finding]:
    """Look for parts of a package for the whole machine that only the installing account will get."""
    msi = subject.msi
    if msi.scope != "machine":
        return
    keys = [registry_path(row) for row in msi.rows("Registry") if number(row, "Root") == _HKCU]
    key_paths = [one for one in msi.components.values() if one.key_path.startswith("HKCU\\")]
    # Windows' own validation (ICE38) asks for such a key path beside shortcuts, so those alone weigh less
    for_shortcuts = _for_shortcuts(msi)
    grave = [one for one in key_paths if one.name not in for_shortcuts]
    if key_paths:
        at_fault = (grave or key_paths)[0]
        yield Finding(
            code="user-key-path-in-machine-package",
            severity=Severity.WARNING if grave else Severity.NOTE,
            sentence=f"component {at_fault.name} of a package for the whole machine stands and falls with "
            f"{at_fault.key_path}: it is written for the account that installs, every other user lacks it, and "
            "Windows Installer repairs the product at their first use",
            subject=at_fault.name,
            advice="give the component a key path in HKLM or a file, and let the program write the user's own values",
            predicts=(_INSTALLER_ONLY,),
        )
    elif keys:
        yield Finding(
            code="user-registry-in-machine-package",
            severity=Severity.WARNING,
            sentence=f"a package for the whole machine writes {keys[0]}: only the account that installs gets it"
            + _more(keys),
            subject=keys[0],
            advice="write to HKLM, or let the program write the user's own values when it starts",
            predicts=(_INSTALLER_ONLY,),
        )
    variables = [text(row, "Name") for row in msi.rows("Environment") if "*" not in _prefix(text(row, "Name"))]
    if variables:
        name = variables[0].lstrip("=+-!*")
        yield Finding(
            code="user-environment-in-machine-package",
            severity=Severity.WARNING,
            sentence=f"a package for the whole machine sets {name} for the account that installs only: its Name "
            f"{variables[0]!r} lacks the * that stands for the machine" + _more(variables),
            subject=name,
            advice="write the variable for the machine (WiX: System='yes')",
            predicts=(_INSTALLER_ONLY,),
        )
    if places := _files_in(msi, _USERS_FOLDERS):
        yield Finding(
            code="user-folder-in-machine-package",
            severity=Severity.WARNING,
            sentence=f"a package for the whole machine installs {places[0]}: into the profile of the account that "
            "installs, where no other user finds it" + _more(places),
            subject=places[0],
            advice="install into a folder of the machine, or let the program create the user's own files",
            predicts=(_INSTALLER_ONLY,),
        )


def machine_parts_of_user_packages(subject: MsiSubject) -> Iterator[Finding]:
    """Look for parts of a package for one user that go where that user may not write."""
    msi = subject.msi
    if msi.scope != "user":
        return
    places = _files_in(msi, _MACHINES_FOLDERS)
    places += [registry_path(row) for row in msi.rows("Registry") if number(row, "Root") == _HKLM]
    if not places:
        return
    unelevated = bool(msi.package.summary.words & _NO_ELEVATION)
    harm = (
        "it says that it needs no elevation, so Windows refuses the write"
        if unelevated
        else "it reaches the whole machine, but only the installing account sees it registered and can remove it"
    )
    yield Finding(
        code="machine-parts-in-user-package",
        severity=Severity.ERROR if unelevated else Severity.WARNING,
        sentence=f"a package for one user (ALLUSERS is {'2' if msi.properties.get('ALLUSERS') else 'not set'}) "
        f"installs {places[0]}: {harm}" + _more(places),
        subject=places[0],
        advice="set ALLUSERS to 1 (WiX: InstallScope='perMachine'), or stay within the user's own folders and registry",
        predicts=(
            Prediction(scenario="install", outcome=Outcome.FAILS, when="the account is not elevated")
            if unelevated
            else Prediction(
                scenario="install", outcome=Outcome.WRONG_USER, when="another account than the installing one"
            ),
        ),
    )


def scope_left_to_chance(subject: MsiSubject) -> Iterator[Finding]:
    """Ask whether it is decided for whom the package is installed."""
    msi = subject.msi
    if msi.scope != "either":
        return
    yield Finding(
        code="scope-left-open",
        severity=Severity.WARNING,
        sentence="for whom it is installed is decided by the account that runs it (ALLUSERS is "
        f"{msi.properties.get('ALLUSERS') or 'set by an action'}): a standard user gets a copy of their own instead of "
        "a "
        "refusal, and an upgrade by another account leaves both versions",
        subject="ALLUSERS",
        advice="decide for the machine or for the user, or say MSIINSTALLPERUSER on the command line",
        predicts=(
            Prediction(scenario="denied", outcome=Outcome.NOT_REFUSED, when="the account may install for itself"),
            Prediction(
                scenario="upgrade", outcome=Outcome.LEAVES_BOTH, when="another account installed the old version"
            ),
        ),
    )


def _for_shortcuts(msi: Msi) -> set[str]:
    """Name the components that hold shortcuts, and no registry value but their key path."""
    values = Counter(text(row, "Component_") for row in msi.rows("Registry"))
    return {name for row in msi.rows("Shortcut") if values[name := text(row, "Component_")] == 1}


def _prefix(name: str) -> str:
    return name[: len(name) - len(name.lstrip("=+-!*"))]


def _files_in(msi: Msi, folders: tuple[str, ...]) -> list[str]:
    starts = tuple(f"[{folder}]" for folder in folders)
    return [place for place, _ in msi.files.values() if place.startswith(starts)]


def _more(found: list[str]) -> str:
    return f" ({len(found)} of this kind)" if len(found) > 1 else ""
