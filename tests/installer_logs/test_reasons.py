"""The reason of a failed installation in one sentence, out of its log, its package and Windows' records."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from harness.installer_logs import read_log
from harness.installer_logs.reasons import reason

from .written import WindowsLog, failed

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
    ("log", "said"),
    [
        (WINDOWS_LAUNCH_CONDITION, "This version of Demo needs Windows 11."),
        (
            WINDOWS_NO_RIGHT,
            (
                "error 1925, not enough rights to install for all users of the machine: "
                "You do not have sufficient privileges."
            ),
        ),
        (WINDOWS_ACTION, "its custom action WriteMyDriver failed"),
        (WINE_ACTION, "its custom action FailHalfWay failed"),
        (WELL, ""),
        ("", ""),
        ("\ufeffnothing of the kind \x00", ""),
        (str(failed()), "its custom action TuneDriver failed with 1603"),
        (str(WindowsLog().opened().start("INSTALL").start("Wait")), "its log ends in the middle of Wait"),
    ],
)
def test_the_reason_is_the_logs_own(log: str, said: str) -> None:
    """The package's own words come first, then an error with its number, then the action that failed."""
    assert reason(read_log(log)) == said


def test_what_stands_beside_the_reason_is_told_with_it() -> None:
    """Who holds the file, and that the machine is not as it was."""
    log = WindowsLog().opened().start("INSTALL").start("InstallFinalize")
    log.plain(r"Error 1306. Another application has exclusive access to the file 'C:\Demo\a.dll'.")
    log.engine("Note: 1: 2329 2: 32 3: C:\\Demo\\b.dll ").end("InstallFinalize", 3)
    log.engine("Error in rollback skipped.\tReturn: 5").end("INSTALL", 3).closed(1603)
    said = reason(read_log(str(log)))
    assert said.startswith("error 1306, a file is in use by another program:")
    assert said.endswith("; in use: C:\\Demo\\b.dll; and it could not be rolled back in full")


def test_what_an_engine_does_not_log_is_read_from_the_package(package: Path) -> None:
    """The launch condition that is false with the log's properties speaks, its own properties filled in."""
    assert reason(read_log(WINE_LAUNCH_CONDITION), package) == "Demo needs build 22000; this is 19044."
    assert reason(read_log(WINE_ACTION), package) == "No more disks."


def test_a_file_that_is_no_package_explains_nothing(tmp_path: Path, package: Path) -> None:
    """A cut or foreign file costs only the reason."""
    for content in (b"", b"MZ" * 2000, package.read_bytes()[:700], package.read_bytes()[:4096]):
        broken = tmp_path / "broken.msi"
        broken.write_bytes(content)
        assert reason(read_log(WINE_LAUNCH_CONDITION), broken) == "its action LaunchConditions failed"
