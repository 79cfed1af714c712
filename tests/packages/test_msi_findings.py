"""Every finding about an MSI is drawn by a real package with that one defect, and by no clean one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fixtures.payloads import msi
from fixtures.payloads.go import ANY_VERSION_REPLACES_ANY_OTHER
from fixtures.payloads.go import ENVIRONMENT as VARIABLES_OF_GO
from harness.builds import Build
from harness.packages.declared import Declared
from harness.packages.finding import Outcome, Severity
from harness.packages.inspection import Inspection, inspect
from tests.packages.wares import OLDER, Bench, custom_action, move, set_property, without

BUILDS = (Build(19045), Build(22631), Build(26100))
ENVIRONMENT = "UPDATE `Environment` SET `{column}` = '{value}' WHERE `Environment` = 'Path'"
RUNS_DLL, RUNS_EXE, RUNS_VBSCRIPT, RUNS_JSCRIPT = 1, 34, 38, 37
DEFERRED, ROLLBACK, AS_SYSTEM, IGNORED, NOT_WAITED = 1024, 1280, 2048, 64, 192
OLDER_ONE, NEWER = "WIX_UPGRADE_DETECTED", "WIX_DOWNGRADE_DETECTED"
AMID = 4100  # between InstallFiles and WriteRegistryValues


def weighty(seen: Inspection) -> set[str]:
    """Name the findings that count against a package."""
    return {found.code for found in seen.findings if found.severity is not Severity.NOTE}


def registry(root: int, key: str, name: str, value: str) -> str:
    """Write a statement that adds a registry value to the settings' component."""
    columns = "(`Registry`, `Root`, `Key`, `Name`, `Value`, `Component_`)"
    return f"INSERT INTO `Registry` {columns} VALUES ('extra', {root}, '{key}', '{name}', '{value}', 'Settings')"  # noqa: S608 - our words


def upgrade(lowest: str, highest: str, attributes: int, name: str, *, language: str = "") -> str:
    """Write a statement that adds a row to the Upgrade table for the package's own UpgradeCode."""
    code = "{1DF6BD2B-1BC0-4F4C-9E7C-0A3D1B0E6A02}"
    return msi.insert("Upgrade", code, lowest, highest, language, attributes, "", name)


def settings(column: str, value: str) -> str:
    """Write a statement that changes the settings' component."""
    return f"UPDATE `Component` SET `{column}` = {value} WHERE `Component` = 'Settings'"  # noqa: S608 - our words


def condition(words: str, message: str) -> str:
    """Write a statement that adds a launch condition."""
    columns = "(`Condition`, `Description`)"
    return f"INSERT INTO `LaunchCondition` {columns} VALUES ('{words}', '{message}')"  # noqa: S608 - our words


# finding -> what seeds it; and, where it brings others along, which
DEFECTS: dict[str, tuple[Sequence[str], set[str]]] = {
    "removal-outside-transaction": ([move("RemoveExistingProducts", 1450)], set()),
    "removal-after-transaction": ([move("RemoveExistingProducts", 6700)], set()),
    "removal-amid-changes": ([move("RemoveExistingProducts", 4500)], set()),
    "upgrade-never-removes": ([without("InstallExecuteSequence", "Action", "RemoveExistingProducts")], set()),
    "upgrade-never-looked-for": ([without("InstallExecuteSequence", "Action", "FindRelatedProducts")], set()),
    "upgrade-code-missing": ([without("Property", "Property", "UpgradeCode")], set()),
    "upgrade-property-not-secure": (set_property("SecureCustomProperties", "WIX_DOWNGRADE_DETECTED"), set()),
    "version-out-of-range": (set_property("ProductVersion", "2026.11.22"), set()),
    "downgrade-allowed": ([without("Upgrade", "ActionProperty", NEWER), upgrade("2.0.0", "", 256, NEWER)], set()),
    "downgrade-undetected": ([without("Upgrade", "ActionProperty", NEWER)], set()),
    "downgrade-unblocked": ([without("LaunchCondition", "Condition", "NOT WIX_DOWNGRADE_DETECTED")], set()),
    "component-guid-twice": (
        [settings("ComponentId", "'{1DF6BD2B-1BC0-4F4C-9E7C-0A3D1B0E6A03}'")],
        set(),
    ),
    "component-without-guid": ([settings("ComponentId", "''")], set()),
    "component-permanent": ([settings("Attributes", "276")], set()),
    "user-key-path-in-machine-package": (["UPDATE `Registry` SET `Root` = 1 WHERE `Root` = 2"], set()),
    "user-registry-in-machine-package": ([registry(1, r"Software\Demo", "Colour", "blue")], set()),
    "user-environment-in-machine-package": ([ENVIRONMENT.format(column="Name", value="=-PATH")], set()),
    "user-folder-in-machine-package": (
        ["UPDATE `Component` SET `Directory_` = 'AppDataFolder' WHERE `Component` = 'Program'"],
        set(),
    ),
    "machine-parts-in-user-package": ([without("Property", "Property", "ALLUSERS")], set()),
    "scope-left-open": (set_property("ALLUSERS", "2"), set()),
    "vbscript-action": (custom_action("Ask", RUNS_VBSCRIPT, "", "MsgBox 1", at=1300), set()),
    "action-without-rollback": (custom_action("Write", RUNS_DLL + DEFERRED + AS_SYSTEM, "x.dll", "f", at=AMID), set()),
    "action-impersonates": (
        [
            *custom_action("Undo", RUNS_DLL + ROLLBACK + AS_SYSTEM, "x.dll", "g", at=AMID - 1),
            *custom_action("Write", RUNS_DLL + DEFERRED, "x.dll", "f", at=AMID),
        ],
        set(),
    ),
    "exe-action": (custom_action("Start", RUNS_EXE, "INSTALLDIR", "setup.exe /x", at=6700), set()),
    "immediate-action-writes": (custom_action("Start", RUNS_EXE, "INSTALLDIR", "a.exe", at=AMID), {"exe-action"}),
    "action-not-waited-for": (custom_action("Start", RUNS_EXE + NOT_WAITED, "INSTALLDIR", "tray.exe", at=6700), set()),
    "always-fails": (custom_action("Fail", 19, "", "No more disks.", at=AMID), set()),
    "launch-condition-excludes-build": (
        [condition("Installed OR WINDOWSBUILD < 26100", "No.")],
        set(),
    ),
    "launch-condition-blocks-removal": (
        [condition("VersionNT >= 601", "Too old.")],
        set(),
    ),
    "launch-condition-lets-pass": (
        [condition("Installed OR VersionNT64 >= 603", "Windows 10 or greater required.")],
        set(),
    ),
    "launch-condition-unreadable": (
        [condition("Installed OR (VersionNT", "No.")],
        set(),
    ),
    "forces-restart": (
        [msi.action("ForceReboot", 6500)],
        set(),
    ),
    "schedules-restart": (
        [msi.action("ScheduleReboot", 6500)],
        set(),
    ),
    "rollback-disabled": (set_property("DISABLEROLLBACK", "1"), set()),
    "overwrites-newer-files": (set_property("REINSTALLMODE", "amus"), set()),
    "no-remove-button": (set_property("ARPNOREMOVE", "1"), set()),
    "hidden-from-list": (set_property("ARPSYSTEMCOMPONENT", "1"), set()),
    "table-never-applied": ([without("InstallExecuteSequence", "Action", "WriteEnvironmentStrings")], set()),
    "table-never-removed": ([without("InstallExecuteSequence", "Action", "RemoveEnvironmentStrings")], set()),
    "service-path-unquoted": (
        [registry(2, r"SYSTEM\CurrentControlSet\Services\helper", "ImagePath", "[INSTALLDIR]demo.exe --service")],
        set(),
    ),
    "service-interactive": (["UPDATE `ServiceInstall` SET `ServiceType` = 272"], set()),
    "service-not-removed": (["UPDATE `ServiceControl` SET `Event` = 34"], set()),
    "service-not-stopped": (["UPDATE `ServiceControl` SET `Event` = 128"], set()),
    "path-overwritten": ([ENVIRONMENT.format(column="Value", value="[INSTALLDIR]")], set()),
    "path-entries-joined": ([ENVIRONMENT.format(column="Value", value="[~][INSTALLDIR]")], set()),
    "path-entry-stays": ([ENVIRONMENT.format(column="Name", value="=*PATH")], set()),
    "path-by-registry": (
        [registry(2, r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment", "Path", "[~];[INSTALLDIR]")],
        set(),
    ),
    "path-by-setx": (
        custom_action("Path", RUNS_EXE, "INSTALLDIR", "setx.exe /M PATH x", at=6700),
        {"exe-action"},
    ),
    "32-bit-part-in-64-bit-package": (
        [settings("Attributes", "4")],
        set(),
    ),
}


@pytest.mark.parametrize("code", DEFECTS)
def test_a_seeded_defect_is_found_and_nothing_else(code: str, bench: Bench) -> None:
    """One defect in an otherwise clean package draws its own finding, which names what is at fault in a sentence."""
    statements, company = DEFECTS[code]
    seen = inspect(bench.package(code, statements), builds=BUILDS)
    assert weighty(seen) == {code} | company
    found = next(one for one in seen.findings if one.code == code)
    assert found.subject
    assert len(found.sentence) > 30
    assert found.predicts or code in ("service-interactive", "launch-condition-lets-pass")


# finding -> what is done to the new package, and to the old one
BROKEN_UPGRADES: dict[str, tuple[Sequence[str], Sequence[str], set[str]]] = {
    "upgrade-code-changed": (
        [
            *set_property("UpgradeCode", "{1DF6BD2B-1BC0-4F4C-9E7C-0A3D1B0E6AFF}"),
            "UPDATE `Upgrade` SET `UpgradeCode` = '{1DF6BD2B-1BC0-4F4C-9E7C-0A3D1B0E6AFF}'",
        ],
        OLDER,
        set(),
    ),
    "product-code-same": ([], OLDER[:1], set()),
    "version-not-greater": ([], (*OLDER, *set_property("ProductVersion", "2.0.0.7")), set()),
    "old-version-not-found": (
        [without("Upgrade", "ActionProperty", OLDER_ONE), upgrade("1.5.0", "2.0.0", 257, OLDER_ONE)],
        OLDER,
        set(),
    ),
    "component-guid-moved": (
        ["UPDATE `File` SET `FileName` = 'other.exe'"],
        OLDER,
        set(),
    ),
    "component-guid-changed": (
        [
            move("RemoveExistingProducts", 6550),
            msi.action("InstallExecute", 6540),
            settings("ComponentId", "'{1DF6BD2B-1BC0-4F4C-9E7C-0A3D1B0E6AEE}'"),
        ],
        OLDER,
        set(),
    ),
    "file-version-lower": (
        ["UPDATE `File` SET `Version` = '1.9.0.0'"],
        (*OLDER, "UPDATE `File` SET `Version` = '1.10.0.0'"),
        set(),
    ),
}


@pytest.mark.parametrize("code", BROKEN_UPGRADES)
def test_a_defect_between_two_versions_is_found(code: str, bench: Bench) -> None:
    """What is wrong only beside the old package is found when it is named, and predicted for the upgrade."""
    new, old, company = BROKEN_UPGRADES[code]
    package, previous = bench.package(f"{code}-new", new), bench.package(f"{code}-old", old)
    seen = inspect(package, previous=previous, builds=BUILDS)
    # copies of one package share its package code, which real builds do not: that finding is a true one
    assert weighty(seen) - {"package-code-same"} == {code} | company
    assert {one.scenario for found, one in seen.predictions() if found.code == code} == {"upgrade"}
    assert code not in {found.code for found in inspect(package, builds=BUILDS).findings}


@pytest.mark.parametrize(
    "statements",
    [
        [],
        custom_action("Refuse", 19, "", "No.", at=1250, condition="NOT Installed AND SOMETHING"),
        [
            *custom_action("Undo", RUNS_DLL + ROLLBACK + AS_SYSTEM, "x.dll", "g", at=AMID - 1),
            *custom_action("Write", RUNS_DLL + DEFERRED + AS_SYSTEM, "x.dll", "f", at=AMID),
        ],
        custom_action("Clean", RUNS_DLL + DEFERRED + AS_SYSTEM, "x.dll", "f", at=AMID, condition='REMOVE = "ALL"'),
        [
            move("RemoveExistingProducts", 6550),
            msi.action("InstallExecute", 6540),
        ],
        [registry(2, r"SYSTEM\CurrentControlSet\Services\helper", "ImagePath", '"[INSTALLDIR]demo.exe" --service')],
        [registry(-1, r"Software\Demo", "Colour", "blue")],
        [without("Upgrade", "ActionProperty", OLDER_ONE), upgrade("", "2.0.0", 1, OLDER_ONE, language="1033")],
        [condition("Installed OR SOMETHING OR VersionNT64", "x")],
        [without("Upgrade", "ActionProperty", OLDER_ONE), upgrade("", "2.0.0", 513, OLDER_ONE)],
        set_property("ProductVersion", "2.0.0.4"),
    ],
    ids=[
        "plain",
        "conditional refusal",
        "rollback partner",
        "removal only",
        "late removal",
        "quoted service",
        "either root",
        "language",
        "unknown property",
        "same version",
        "four fields",
    ],
)
def test_a_clean_package_draws_no_finding(
    statements: Sequence[str], bench: Bench, request: pytest.FixtureRequest
) -> None:
    """What is allowed is not reported, alone or as an upgrade."""
    name = request.node.callspec.id.replace(" ", "-")
    package, previous = bench.package(f"clean-{name}", statements), bench.package(f"old-{name}", OLDER)
    assert weighty(inspect(package, builds=BUILDS)) == set()
    assert weighty(inspect(package, previous=previous, builds=BUILDS)) - {"package-code-same"} == set()


@pytest.mark.parametrize(
    ("template", "machines", "code"),
    [
        ("Arm64;1033", "x64", "other-architecture"),
        ("Intel;1033", "x64", "64-bit-part-in-32-bit-package"),
        ("Arm64;1033", "arm64", "schema-too-old"),
    ],
)
def test_a_package_for_another_processor_is_found(template: str, machines: str, code: str, bench: Bench) -> None:
    """The summary information says which machines take it; 64-bit parts do not belong into a 32-bit package."""
    package = bench.package(f"template-{code}", template=template)
    seen = inspect(package, builds=BUILDS, declared=Declared(architecture=machines))
    assert code in weighty(seen)


def test_scripts_weigh_as_their_end_is_near(bench: Bench) -> None:
    """JScript, whose end nobody has announced, is a note; VBScript is predicted to fail where it is optional."""
    seen = inspect(bench.package("jscript", custom_action("Ask", RUNS_JSCRIPT, "", "1", at=1300)), builds=BUILDS)
    assert {found.code: found.severity for found in seen.findings}["jscript-action"] is Severity.NOTE
    seen = inspect(bench.package("vbscript", custom_action("Ask", RUNS_VBSCRIPT, "", "1", at=1300)), builds=BUILDS)
    (predicted,) = [one for found, one in seen.predictions() if found.code == "vbscript-action"]
    assert (predicted.builds, predicted.surely) == ((26100,), False)


def test_what_only_weighs_a_little_is_a_note(bench: Bench) -> None:
    """Ignored results, a service with all rights and a fourth field of a version are said, and count against nobody."""
    statements = [
        *custom_action("Undo", RUNS_DLL + ROLLBACK + AS_SYSTEM, "x.dll", "g", at=AMID - 1),
        *custom_action("Write", RUNS_DLL + DEFERRED + AS_SYSTEM + IGNORED, "x.dll", "f", at=AMID),
        "UPDATE `ServiceInstall` SET `StartName` = ''",
        *set_property("ProductVersion", "2.0.0.4"),
    ]
    seen = inspect(bench.package("notes", statements), builds=BUILDS)
    assert weighty(seen) == set()
    assert {one.code for one in seen.findings} == {
        "action-result-ignored",
        "service-as-system",
        "version-fourth-field",
        "unsigned",
    }


def test_a_users_key_path_beside_a_shortcut_is_a_note(bench: Bench) -> None:
    """Windows' own validation asks for it there; with more of the user's values it is a warning again."""
    columns = "(`Shortcut`, `Directory_`, `Name`, `Component_`, `Target`)"
    statements = [
        "UPDATE `Registry` SET `Root` = 1 WHERE `Root` = 2",
        f"INSERT INTO `Shortcut` {columns} VALUES ('Demo', 'INSTALLDIR', 'Demo', 'Settings', '[INSTALLDIR]demo.exe')",  # noqa: S608
        msi.action("CreateShortcuts", 4500),
        msi.action("RemoveShortcuts", 3200),
    ]
    assert weighty(inspect(bench.package("shortcut", statements), builds=BUILDS)) == set()
    statements.append(registry(1, r"Software\Demo", "Colour", "blue"))
    seen = inspect(bench.package("shortcut-and-more", statements), builds=BUILDS)
    assert weighty(seen) == {"user-key-path-in-machine-package"}


def test_predictions_name_the_builds_they_speak_of(bench: Bench) -> None:
    """A launch condition on the build number is predicted for the builds it refuses, and for no other."""
    statement = condition("Installed OR WINDOWSBUILD >= 22000", "x")
    seen = inspect(bench.package("builds", [statement]), builds=BUILDS)
    predicted = [one for found, one in seen.predictions() if found.code == "launch-condition-excludes-build"]
    assert {one.outcome for one in predicted} == {Outcome.REFUSED}
    assert all(one.surely and one.holds_for(19045) and not one.holds_for(22631) for one in predicted)


def test_a_condition_no_windows_10_meets_refuses_every_build(bench: Bench) -> None:
    """To Windows Installer every build since 8.1 is VersionNT 603, so a comparison with 1000 is never true."""
    statement = condition("Installed OR VersionNT >= 1000", "x")
    seen = inspect(bench.package("never", [statement]), builds=BUILDS)
    (found,) = [one for one in seen.findings if one.code == "launch-condition-excludes-build"]
    assert found.predicts[0].builds == (19045, 22631, 26100)


def test_gos_own_package_draws_its_known_findings(bench: Bench) -> None:
    """Packed as Go packs it: removal outside the transaction, downgrades, parts for one user, Windows 8.1."""
    statements = [
        *set_property("UpgradeCode", "{22EA7650-4AC6-4001-BF29-F4B8775DB1C0}"),
        *ANY_VERSION_REPLACES_ANY_OTHER,
        move("RemoveExistingProducts", 1401),
        "UPDATE `Registry` SET `Root` = 1 WHERE `Root` = 2",
        "DELETE FROM `LaunchCondition` WHERE `Description` = 'Windows 10 is needed.'",
        condition("VersionNT >= 603", "Windows 10 or greater required."),
    ]
    for key, (name, value, _) in VARIABLES_OF_GO.items():
        columns = "(`Environment`, `Name`, `Value`, `Component_`)"
        statements.append(f"INSERT INTO `Environment` {columns} VALUES ('{key}', '{name}', '{value}', 'Settings')")  # noqa: S608
    seen = inspect(bench.package("like-go", statements), builds=BUILDS)
    assert weighty(seen) == {
        "removal-outside-transaction",
        "downgrade-allowed",
        "user-key-path-in-machine-package",
        "user-environment-in-machine-package",
        "launch-condition-blocks-removal",
        "launch-condition-lets-pass",
    }
