"""The reason of a failed installation, out of the installer's own log and package."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from harness.scenarios.installer_log import reason_in
from harness.scenarios.msi_condition import Unreadable, holds
from harness.scenarios.msi_package import MsiPackage, NotAPackage

# as Windows writes it with /l*v, shortened
WINDOWS_LAUNCH_CONDITION = """\
Action start 10:00:01: LaunchConditions.
MSI (s) (0C:B8) [10:00:01:123]: Product: Demo -- This version of Demo needs Windows 11.

This version of Demo needs Windows 11.
Action ended 10:00:01: LaunchConditions. Return value 3.
Action ended 10:00:01: INSTALL. Return value 3.
MSI (s) (0C:B8) [10:00:01:140]: Product: Demo -- Installation failed.
"""
WINDOWS_NO_RIGHT = """\
MSI (s) (0C:B8) [10:00:01:123]: Product: Demo -- Error 1925. You do not have sufficient privileges.
Action ended 10:00:01: InstallInitialize. Return value 3.
Action ended 10:00:01: INSTALL. Return value 3.
"""
WINDOWS_ACTION = """\
Action ended 10:00:01: CostFinalize. Return value 1.
Action ended 10:00:02: WriteMyDriver. Return value 3.
Action ended 10:00:02: INSTALL. Return value 3.
"""
# as Wine 8 writes it: no word of the condition, 0 for what failed and for what had nothing to do
WINE_LAUNCH_CONDITION = """\
Action ended 3:14:44: AppSearch. Return value 1.
Action ended 3:14:44: LaunchConditions. Return value 0.
Action ended 3:14:44: INSTALL. Return value 0.
Property(S): ProductName = Demo
Property(S): WINDOWSBUILD = 19044
Action ended 3:14:44: INSTALL. Return value 0.
"""
WINE_ACTION = WINE_LAUNCH_CONDITION.replace("LaunchConditions", "FailHalfWay")
WELL = """\
Action ended 3:14:44: MigrateFeatureStates. Return value 0.
Action ended 3:14:45: InstallFinalize. Return value 1.
Action ended 3:14:45: INSTALL. Return value 1.
"""

SOURCE = """<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="{1DF6BD2B-1BC0-4F4C-9E7C-0A3D1B0E6A01}" UpgradeCode="{1DF6BD2B-1BC0-4F4C-9E7C-0A3D1B0E6A02}" Name="Demo"
           Version="1.0" Manufacturer="Us" Language="1033">
    <Package InstallerVersion="300" Compressed="yes"/>
    CONDITION
    <Directory Id="TARGETDIR" Name="SourceDir"/>
    <Feature Id="Complete" Level="1"/>
  </Product>
</Wix>
"""
# on one line: wixl keeps the lines of a condition, and Windows Installer takes them for part of it
CONDITION = (
    '<Condition Message="[ProductName] needs build 22000; this is [WINDOWSBUILD].">'
    "Installed OR WINDOWSBUILD &gt;= 22000</Condition>"
)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a real package with a launch condition and a custom action that shows a text."""
    if missing := [tool for tool in ("wixl", "msibuild") if shutil.which(tool) is None]:
        pytest.skip(f"{', '.join(missing)} (Debian: wixl, msitools) not found")
    folder = tmp_path_factory.mktemp("package")
    source, built = folder / "demo.wxs", folder / "demo.msi"
    source.write_text(SOURCE.replace("CONDITION", CONDITION), "utf-8")
    subprocess.run(["wixl", "-o", built, source], check=True, capture_output=True)
    columns, values = "`Action`, `Type`, `Source`, `Target`", "'FailHalfWay', 19, '', 'No more disks.'"
    row = f"INSERT INTO `CustomAction` ({columns}) VALUES ({values})"  # noqa: S608 - our own words, and no database
    subprocess.run(["msibuild", built, "-q", row], check=True, capture_output=True)
    return built


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (WINDOWS_LAUNCH_CONDITION, "This version of Demo needs Windows 11."),
        (
            WINDOWS_NO_RIGHT,
            "error 1925: You do not have sufficient privileges.",
        ),
        (WINDOWS_ACTION, "its action WriteMyDriver failed"),
        (WINE_ACTION, "its action FailHalfWay failed"),
        (WELL, ""),
        ("", ""),
        ("\ufeffnothing of the kind \x00", ""),
    ],
)
def test_the_reason_is_the_logs_own(log: str, reason: str) -> None:
    """The package's own words come first, then an error with its number, then the action that failed."""
    assert reason_in(log) == reason


def test_what_an_engine_does_not_log_is_read_from_the_package(package: Path) -> None:
    """The launch condition that is false with the log's properties speaks, its own properties filled in."""
    assert reason_in(WINE_LAUNCH_CONDITION, package) == "Demo needs build 22000; this is 19044."
    assert reason_in(WINE_ACTION, package) == "No more disks."


def test_a_file_that_is_no_package_explains_nothing(tmp_path: Path, package: Path) -> None:
    """A cut or foreign file is said to be none, and costs only the reason."""
    for content in (b"", b"MZ" * 2000, package.read_bytes()[:700], package.read_bytes()[:4096]):
        broken = tmp_path / "broken.msi"
        broken.write_bytes(content)
        with pytest.raises(NotAPackage):
            MsiPackage(broken)
        assert reason_in(WINE_LAUNCH_CONDITION, broken) == "its action LaunchConditions failed"


@pytest.mark.parametrize(
    ("condition", "true"),
    [
        ("Installed", False),
        ("Installed OR VersionNT >= 603", True),
        ("VersionNT < 603", False),
        ("NOT WIX_DOWNGRADE_DETECTED", True),
        ('not Missing and Name = "Demo"', True),
        ('Name = "demo"', False),
        ('Name ~= "demo"', True),
        ('Name >< "em" AND Name << "De" AND Name >> "mo"', True),
        ("(VersionNT = 601) OR (VersionNT > 602 AND Name)", True),
        ("Name <> 5", True),
        ("Name = 5", False),
        ("Empty", False),
        ("1", True),
        ("0", False),
        ("VersionNT IMP Missing", False),
        ("VersionNT XOR Name", False),
        ("Missing EQV Installed", True),
    ],
)
def test_conditions_mean_what_windows_installer_means(condition: str, true: bool) -> None:
    """Properties, numbers, texts, brackets and joints as in a LaunchCondition table."""
    assert holds(condition, {"VersionNT": "603", "Name": "Demo", "Empty": ""}) is true


@pytest.mark.parametrize("condition", ["", "&Feature = 3", "?Component", "(A", "A B", "A = ", "= 3", "A @ B", "NOT"])
def test_what_cannot_be_known_is_not_guessed(condition: str) -> None:
    """States of features and broken conditions are refused."""
    with pytest.raises(Unreadable):
        holds(condition, {})
