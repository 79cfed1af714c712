"""Verbose logs of Windows Installer, as Windows writes them and as Wine does."""

from __future__ import annotations

import pytest

from harness.installer_logs import LogReading, read_log
from harness.installer_logs.reading import Thing

from .written import WindowsLog, failed

WINE = """\
1: 0 2: 1033 3: 0 \n=== Logging started: 11/22/2026  3:14:43 ===
Message type: 0, Argument: 1033, 0
Action 3:14:43: INSTALL. \nAction start 3:14:43: INSTALL.
Action start 3:14:43: MigrateFeatureStates.
Action ended 3:14:43: MigrateFeatureStates. Return value 0.
Action start 3:14:43: InstallFinalize.
Action 3:14:43: InstallFiles. Copying new files
Action start 3:14:44: InstallFiles.
File: demo.exe,  Directory: INSTALLDIR,  Size: 598528
Action ended 3:14:46: InstallFiles. Return value 0.
Action ended 3:14:46: InstallFinalize. Return value 0.
Action ended 3:14:46: INSTALL. Return value 0.
Property(S): INSTALLDIR = C:\\Program Files\\Demo\\
Property(S): ProductName = Demo
Action ended 3:14:46: INSTALL. Return value 0.
Action 3:14:46: RemoveFiles. Removing files
Action start 3:14:46: RemoveFiles.
File: other.exe, Directory: TARGETDIR
Action ended 3:14:46: RemoveFiles. Return value 1.
"""


def read(log: WindowsLog | str) -> LogReading:
    """Read a log that was just written."""
    return read_log(str(log))


def test_the_custom_action_that_failed_in_the_script_is_named() -> None:
    """Windows gives InstallFinalize the value 3; what failed inside it is told by the line of the custom action."""
    reading = read(failed())
    assert reading.failed is not None
    assert (reading.failed.name, reading.failed.custom, reading.failed.exit_code) == ("TuneDriver", True, 1603)
    assert reading.failed.within == ("InstallFinalize", "INSTALL")
    assert reading.at_fault == Thing(kind="custom action", name="TuneDriver")
    assert (reading.ended, reading.rollback, reading.truncated) == (1603, "done", False)


def test_only_properties_that_explain_are_kept() -> None:
    """A log lists every property, also what was typed into a dialog."""
    reading = read(failed())
    assert (reading.product, reading.version) == ("Demo", "1.2.3")
    assert "sesame" not in str(reading.as_json())
    assert reading.properties["ProductName"] == "Demo"


def test_seconds_come_from_the_engine_to_the_millisecond() -> None:
    """Lines of actions have whole seconds; the engine's lines around them have more."""
    taken = {(one.name, one.deferred): one.seconds for one in read(failed()).actions}
    assert taken[("InstallFiles", True)] == 1.5
    assert taken[("TuneDriver", True)] == 2.5
    assert taken[("InstallFinalize", False)] == 4.0


def test_midnight_and_a_clock_set_back_do_not_make_hours() -> None:
    """Lines carry no date."""
    log = WindowsLog(start=86_399.5).opened().start("INSTALL").start("A").passes(2.0)
    log.engine("Note: 1: 2205").end("A").start("B").passes(-3600.0).engine("Note: 1: 2205").end("B").end("INSTALL")
    taken = {one.name: one.seconds for one in read(log.closed(0)).actions}
    assert (taken["A"], taken["B"]) == (2.0, 0.0)


@pytest.mark.parametrize(
    ("words", "thing"),
    [
        (
            r"Error 1304. Error writing to file: C:\Program Files\Demo\a b.dll.  Verify that you have access.",
            Thing(kind="file", name=r"C:\Program Files\Demo\a b.dll"),
        ),
        (
            r"Error 1406. Could not write value Path to key \SOFTWARE\Demo\Settings.  System error 5.  Verify that",
            Thing(kind="registry key", name=r"\SOFTWARE\Demo\Settings"),
        ),
        (
            "Error 1920. Service 'Demo Agent' (demosvc) failed to start.  Verify that you have sufficient privileges",
            Thing(kind="service", name="demosvc"),
        ),
        (
            r"Error 1722. A program of the setup did not finish. Action RunTool, location: C:\x.exe, command:",
            Thing(kind="custom action", name="RunTool"),
        ),
        (
            "Fehler 1920. Der Dienst 'Demo-Agent' (demosvc) konnte nicht gestartet werden.",
            Thing(kind="service", name="demosvc"),
        ),
    ],
)
def test_an_error_names_its_thing_and_its_meaning(words: str, thing: Thing) -> None:
    """By the number one knows what the words are about, in any language."""
    log = WindowsLog().opened().start("INSTALL").start("InstallFinalize").plain(words)
    reading = read(log.engine(f"Product: Demo -- {words}").end("InstallFinalize", 3).end("INSTALL", 3).closed(1603))
    assert len(reading.errors) == 1, "the engine repeats it behind the product's name"
    assert reading.at_fault == thing
    assert reading.errors[0].meaning


def test_an_error_that_was_let_pass_is_not_the_reason() -> None:
    """A font that could not be registered in one action does not explain the failure of a later one."""
    log = (
        WindowsLog()
        .opened()
        .start("INSTALL")
        .start("RegisterFonts")
        .plain("Error 1907. Could not register font x.ttf.")
    )
    log.end("RegisterFonts").start("TuneDriver").end("TuneDriver", 3).end("INSTALL", 3)
    reading = read(log.closed(1603))
    assert reading.cause is None
    assert reading.failed is not None
    assert reading.failed.name == "TuneDriver"


def test_a_nested_failure_that_was_let_pass_is_none() -> None:
    """RemoveExistingProducts may fail and be ignored; then the installation is a success."""
    log = WindowsLog().opened().start("INSTALL").start("RemoveExistingProducts").start("INSTALL").start("OldAction")
    log.end("OldAction", 3).end("INSTALL", 3).end("RemoveExistingProducts", 1).end("INSTALL", 1)
    for whole in (str(log), str(log.closed(0))):  # a log that is not verbose has no exit code
        assert read(whole).failed is None
        assert read(whole).at_fault is None


def test_missing_rights_are_told() -> None:
    """1925 by its number; others by the system's error 5."""
    for words in ("Error 1925. You lack the rights.", r"Error 1310. Error creating C:\a.txt. System error 5."):
        log = WindowsLog().opened().start("INSTALL").start("X").plain(words).end("X", 3).end("INSTALL", 3).closed(1603)
        assert read(log).refused


def test_restarts_are_told_with_their_reason() -> None:
    """Of the machine's state before, of files in use, and of the package's own wish."""
    log = WindowsLog().opened().start("INSTALL").start("ScheduleReboot").end("ScheduleReboot")
    log.plain(r"Info 1903.Scheduling reboot operation: Deleting file C:\Config.Msi\a.rbf. Must reboot to complete.")
    log.engine("Windows Installer requires a system restart. Type of System Restart: 2. Reason for Restart: 1.")
    reading = read(log.end("INSTALL").properties(MsiSystemRebootPending="1").closed(3010))
    assert reading.reboot
    assert [one.how for one in reading.reboots].count("pending before") == 1
    said = " ".join(one.words for one in reading.reboots)
    assert "ScheduleReboot" in said
    assert r"C:\Config.Msi\a.rbf" in said
    assert "files in use, later" in said
    assert "3010" in said


def test_a_restart_that_was_pending_before_is_not_the_products_wish() -> None:
    """It is the machine's."""
    assert not read(
        WindowsLog().opened().start("INSTALL").end("INSTALL").properties(MsiSystemRebootPending="1").closed(0)
    ).reboot


def test_who_holds_a_file_is_told() -> None:
    """By Restart Manager, or by the error."""
    log = WindowsLog().opened().start("INSTALL").start("InstallValidate")
    log.engine(
        "RESTART MANAGER: Detected that application with id 4711, friendly name 'Demo Viewer', "
        "of type RmMainWindow and status 1 holds file[s] in use."
    )
    log.plain(
        r"Info 1603.The file C:\Demo\a.dll is being held in use by the following process: Name: demo, Id: 12, "
        "Window Title: 'x'. Close that application and retry."
    )
    reading = read(log.end("InstallValidate", 2).end("INSTALL", 2).closed(1602))
    assert reading.in_use == ("Demo Viewer (process 4711)", "demo (process 12)")


def test_what_was_removed_on_the_way_is_named() -> None:
    """An upgrade removes the older product by a script of its own."""
    log = WindowsLog().opened().start("INSTALL").start("RemoveExistingProducts")
    log.engine("Executing op: ProductInfo(ProductKey={11111111-2222-3333-4444-555555555555},ProductName=Demo 1,)")
    log.engine("Executing op: ProductUnregister(UpgradeCode={0})")
    reading = read(log.end("RemoveExistingProducts").end("INSTALL").closed(0))
    assert [one.name for one in reading.removed] == ["Demo 1"]


def test_rollback_that_is_off_or_not_complete_is_told() -> None:
    """Both leave a machine that is not as it was."""
    off = WindowsLog().opened().engine("Machine policy value 'DisableRollback' is 1").start("INSTALL")
    assert read(off.start("X").end("X", 3).end("INSTALL", 3).closed(1603)).rollback == "disabled"
    partly = WindowsLog().opened().start("INSTALL").start("X").end("X", 3).plain("Rollback: Copying")
    assert (
        read(partly.engine("Error in rollback skipped.\tReturn: 5").end("INSTALL", 3).closed(1603)).rollback
        == "incomplete"
    )


def test_a_log_that_ends_in_the_middle_tells_where() -> None:
    """The machine was switched off, or the installer was ended: what was running is the best that is known."""
    log = WindowsLog().opened().start("INSTALL").start("WaitForService")
    reading = read(log)
    assert reading.truncated
    assert reading.running == ("WaitForService", "INSTALL")
    assert reading.failed is None


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("Aktion gestartet um 10:00:0{}: {}.", "Aktion beendet um 10:00:0{}: {}. Rückgabewert {}."),
        ("Début de l'action 10:00:0{} : {}.", "Fin de l'action 10:00:0{} : {}. Valeur renvoyée : {}."),
        ("Azione iniziata 10.00.0{}: {}.", "Azione terminata 10.00.0{}: {}. Valore restituito {}."),
        ("アクション開始 10:00:0{}: {}。", "アクション終了 10:00:0{}: {}。戻り値 {}。"),
        ("Action start 10:00:0{} AM: {}.", "Action ended 10:00:0{} AM: {}. Return value {}."),
    ],
)
def test_actions_are_read_in_any_language(start: str, end: str) -> None:
    """Words differ and times do; their order does not."""
    log = WindowsLog().plain(start.format(1, "INSTALL")).plain(start.format(1, "TuneDriver"))
    log.plain(end.format(3, "TuneDriver", 3)).plain(end.format(4, "INSTALL", 3))
    reading = read(log)
    assert reading.kind == "windows-installer"
    assert reading.failed is not None
    assert (reading.failed.name, reading.failed.within) == ("TuneDriver", ("INSTALL",))
    assert {one.name: one.seconds for one in reading.actions} == {"INSTALL": 3.0, "TuneDriver": 2.0}


def test_the_afternoon_is_later_than_the_morning() -> None:
    """Where an engine writes AM and PM."""
    log = (
        WindowsLog()
        .plain("Action start 11:59:59 AM: INSTALL.")
        .plain("Action ended 12:00:01 PM: INSTALL. Return value 1.")
    )
    assert read(log).actions[0].seconds == 2.0


def test_wine_writes_0_for_what_fails_and_for_what_had_nothing_to_do() -> None:
    """The action that ends with 0 directly before the whole does is the one; the file it was at is in its data."""
    reading = read(WINE)
    assert reading.failed is not None
    assert (reading.failed.name, reading.failed.within) == ("InstallFiles", ("InstallFinalize", "INSTALL", "INSTALL"))
    assert reading.at_fault == Thing(kind="file", name=r"C:\Program Files\Demo\demo.exe")
    assert (reading.rollback, reading.truncated) == ("done", False)
    assert {one.name: one.seconds for one in reading.actions}["InstallFiles"] == 2.0


def test_a_managed_custom_action_tells_its_exception() -> None:
    """The line after "Exception thrown" is what went wrong."""
    log = WindowsLog().opened().start("INSTALL").start("Managed").plain("Exception thrown by custom action:")
    log.plain("System.IO.FileNotFoundException: no demo.ini").end("Managed", 3).end("INSTALL", 3)
    reading = read(log.closed(1603))
    assert reading.cause is not None
    assert reading.cause.words == "System.IO.FileNotFoundException: no demo.ini"
