"""Logs of NSIS, Inno Setup, WiX bundles, and of nobody in particular."""

from __future__ import annotations

from harness.installer_logs import read_log
from harness.installer_logs.reading import Thing
from harness.installer_logs.reasons import reason

BURN = """\
[0A1C:0B2D][2026-11-22T10:00:00]i001: Burn v3.14.1.8722, Windows v10.0 (Build 19045), path: C:\\t\\setup.exe
[0A1C:0B2D][2026-11-22T10:00:00]i000: Setting string variable 'WixBundleName' to value 'Demo Suite'
[0A1C:0B2D][2026-11-22T10:00:01]i000: Setting string variable 'WixBundleLog_Runtime' to value 'C:\\t\\s_000_Runtime.log'
[0A1C:0B2D][2026-11-22T10:00:01]i000: Setting string variable 'WixBundleLog_Viewer' to value 'C:\\t\\s_001_Viewer.log'
[0C1C:0B2E][2026-11-22T10:00:02]i301: Applying execute package: Runtime, action: Install, path: C:\\r.msi, arguments: ''
[0C1C:0B2E][2026-11-22T10:00:05]i319: Applied execute package: Runtime, result: 0x0, restart: None
[0C1C:0B2E][2026-11-22T10:00:05]i301: Applying execute package: Viewer, action: Install, path: C:\\v.msi, arguments: ''
[0C1C:0B2E][2026-11-22T10:00:09]e000: Error 0x80070643: Failed to install MSI package.
[0C1C:0B2E][2026-11-22T10:00:09]e000: Error 0x80070643: Failed to execute MSI package.
[0A1C:0B2D][2026-11-22T10:00:09]i319: Applied execute package: Viewer, result: 0x80070643, restart: None
[0C1C:0B2E][2026-11-22T10:00:09]i301: Applying rollback package: Runtime, action: Uninstall, path: , arguments: ''
[0C1C:0B2E][2026-11-22T10:00:10]i319: Applied rollback package: Runtime, result: 0x0, restart: Required
[0A1C:0B2D][2026-11-22T10:00:10]i399: Apply complete, result: 0x80070643, restart: None, ba requested restart:  No
[0A1C:0B2D][2026-11-22T10:00:10]i007: Exit code: 0x643, restarting: No
"""

INNO = """\
2026-11-22 10:00:00.100   Log opened. (Time zone: UTC+01:00)
2026-11-22 10:00:00.101   Setup version: Inno Setup version 6.3.3
2026-11-22 10:00:00.102   User privileges: Administrative
2026-11-22 10:00:00.200   Starting the installation process.
2026-11-22 10:00:00.300   -- File entry --
2026-11-22 10:00:00.301   Dest filename: C:\\Program Files\\Demo\\demo.exe
2026-11-22 10:00:00.302   The existing file appears to be in use (5). Retrying.
2026-11-22 10:00:04.400   Defaulting to Abort for suppressed message box (Abort/Retry/Ignore):
                          An error occurred while trying to replace the existing file: DeleteFile failed; code 5.
2026-11-22 10:00:04.401   User canceled the installation process.
2026-11-22 10:00:04.402   Rolling back changes.
2026-11-22 10:00:04.403   Starting the uninstallation process.
2026-11-22 10:00:04.404   Uninstallation process succeeded.
2026-11-22 10:00:04.500   Deinitializing Setup.
2026-11-22 10:00:04.600   Log closed.
"""

NSIS = """\
logging set to 1
Section: "Core"
CreateDirectory: "C:\\Program Files\\Demo" (1)
File: overwriteflag=0, allowskipfilesflag=2, name="demo.exe"
File: error creating "C:\\Program Files\\Demo\\demo.exe"
File: error, user abort
"""


def test_a_bundle_names_the_package_that_failed_and_where_its_log_is() -> None:
    """The bundle's own words are always the same; the reason is in the package's log."""
    reading = read_log(BURN)
    assert (reading.kind, reading.product, reading.ended) == ("burn", "Demo Suite", 1603)
    assert reading.at_fault == Thing(kind="package", name="Viewer")
    assert reading.logs == (r"C:\t\s_000_Runtime.log", r"C:\t\s_001_Viewer.log")
    assert (reading.rollback, reading.reboot, reading.truncated) == ("done", True, False)
    assert {one.name: one.seconds for one in reading.actions} == {"Viewer": 4.0, "Runtime": 4.0}
    assert reason(reading).startswith("its package Viewer failed: Failed to install MSI package. (0x80070643)")


def test_a_bundle_that_did_well_has_no_reason() -> None:
    """Also when it logged an error on the way and went on."""
    well = BURN.replace("result: 0x80070643", "result: 0x0").replace("Exit code: 0x643", "Exit code: 0x0")
    assert read_log(well).failed is None
    assert reason(read_log(well)) == ""


def test_inno_setup_tells_what_it_answered_for_the_user() -> None:
    """A silent installation answers Abort to itself, and then rolls back."""
    reading = read_log(INNO)
    assert (reading.kind, reading.engine, reading.rollback) == ("inno-setup", "Inno Setup version 6.3.3", "done")
    assert reading.at_fault == Thing(kind="file", name=r"C:\Program Files\Demo\demo.exe")
    assert reading.in_use == (r"C:\Program Files\Demo\demo.exe",)
    assert reading.refused
    assert "DeleteFile failed; code 5" in reason(reading)


def test_an_uninstallation_within_a_rollback_is_no_success() -> None:
    """Inno Setup says "succeeded" there, too."""
    assert read_log(INNO).failed is not None
    assert reason(read_log(INNO.replace("Rolling back changes.\n", "").replace("User canceled", "User did"))) == ""


def test_inno_setup_wants_its_restart_in_the_log_only() -> None:
    """Its exit code is 0 with and without."""
    head = "".join(INNO.splitlines(keepends=True)[:4])
    end = "Installation process succeeded.", "Need to restart Windows? Yes", "Log closed."
    reading = read_log(head + "".join(f"2026-11-22 10:00:09.000   {line}\n" for line in end))
    assert reading.reboot
    assert reading.failed is None


def test_nsis_tells_the_file_that_it_could_not_write() -> None:
    """In install.log, and in the details that a script saves."""
    reading = read_log(NSIS)
    assert reading.kind == "nsis"
    assert reading.failed is not None
    assert reading.at_fault == Thing(kind="file", name=r"C:\Program Files\Demo\demo.exe")
    assert reason(reading) == r"a file could not be written: C:\Program Files\Demo\demo.exe"
    details = (
        "Output folder: C:\\Program Files\\Demo\nExtract: demo.exe\nCan't write: C:\\Program Files\\Demo\\demo.exe\n"
    )
    assert read_log(details).at_fault == reading.at_fault


def test_an_nsis_log_without_trouble_has_no_reason() -> None:
    """Most of them are."""
    assert (
        reason(
            read_log("Output folder: C:\\Demo\nExtract: demo.exe\nCreated uninstaller: C:\\Demo\\u.exe\nCompleted\n")
        )
        == ""
    )


def test_a_log_of_no_known_kind_gives_its_last_words_of_trouble() -> None:
    """Better than nothing, and never a verdict."""
    reading = read_log("begin\n0 errors so far\nFATAL: cannot open C:\\data\\demo.db\nbye\n")
    assert reading.kind == "unknown"
    assert reason(reading) == r"FATAL: cannot open C:\data\demo.db"
    assert reason(read_log("all is well\n")) == ""
