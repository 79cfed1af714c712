"""Windows' own records, as wevtutil prints them."""

from __future__ import annotations

import pytest

from harness.guest.questions import joined
from harness.installer_logs import LogReading
from harness.installer_logs.events import query, read_events
from harness.installer_logs.reasons import reason


def record(source: str, number: int, *values: str, level: int = 2, names: tuple[str, ...] = ()) -> str:
    """Write a record as wevtutil does with /f:xml."""
    named = [f" Name='{name}'" for name in names] or [""] * len(values)
    data = "".join(f"<Data{name}>{value}</Data>" for name, value in zip(named, values, strict=True))
    return (
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
        f"<Provider Name='{source}'/><EventID Qualifiers='0'>{number}</EventID><Level>{level}</Level>"
        "<TimeCreated SystemTime='2026-11-22T10:00:00.1234567Z'/><Channel>Application</Channel></System>"
        f"<EventData>{data}<Binary>00AB</Binary></EventData></Event>\r\n"
    )


CRASH = record(
    "Application Error", 1000, "demo.exe", "1.0.0.0", "65a0", "ntdll.dll", "10.0", "1234", "c0000005", "0001", "12ab"
)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (CRASH, "demo.exe crashed in ntdll.dll (0xC0000005: crashed: access violation)"),
        (
            record("MsiInstaller", 11722, "Product: Demo -- Error 1722. A program failed."),
            "Windows Installer logged error 1722: Product: Demo -- Error 1722. A program failed.",
        ),
        (
            record("MsiInstaller", 1033, "Demo", "1.0", "1033", "1603", "Us"),
            (
                "Windows Installer did not end well for Demo: 1603 "
                "(a fatal error during the installation; its log says which)"
            ),
        ),
        (record("MsiInstaller", 1034, "Demo", "1.0", "1033", "0", "Us", level=4), "Windows Installer removed Demo"),
        (
            record("MsiInstaller", 1038, "Demo", "1.0", "1033", "2", "1", "Us", level=4),
            "Demo needs a restart later: files were in use",
        ),
        (
            record("Windows Error Reporting", 1001, "1", "5", "APPCRASH", "no", "0", "demo.exe", level=4),
            "Windows reported APPCRASH of demo.exe",
        ),
    ],
)
def test_a_record_says_one_sentence(answer: str, sentence: str) -> None:
    """What the numbers and places mean is known."""
    (event,) = read_events(answer).records
    assert event.sentence == sentence
    assert event.time.startswith("2026-11-22")


def test_values_are_found_by_name_where_they_have_names() -> None:
    """Newer Windows names what Application Error tells."""
    named = record("Application Error", 1000, "ntdll.dll", "demo.exe", names=("ModuleName", "AppName"))
    assert read_events(named).records[0].sentence == "demo.exe crashed in ntdll.dll"


def test_a_broken_record_costs_only_itself() -> None:
    """The answer is many documents, torn where the output was cut."""
    events = read_events(CRASH + "<Event><System></Event>" + CRASH + CRASH[:200])
    assert len(events.records) == 2
    assert events.damage == ("1 record cannot be read", "the answer ends in the middle of a record")
    assert read_events("").damage == ()


def test_a_crash_is_the_reason_where_the_log_tells_none() -> None:
    """And stands beside it where it does."""
    events = read_events(record("MsiInstaller", 11708, "Product: Demo -- Installation failed.") + CRASH)
    assert reason(LogReading(), None, events).startswith("demo.exe crashed in ntdll.dll")
    told = LogReading(kind="windows-installer", told="Demo cannot go on.")
    assert reason(told, None, events).startswith("Demo cannot go on.; demo.exe crashed")


def test_success_is_no_trouble() -> None:
    """An installation that went well leaves records, too."""
    well = record("MsiInstaller", 1033, "Demo", "1", "1033", "0", "Us", level=4)
    well += record("MsiInstaller", 11707, "Product: Demo -- Installation operation completed successfully.", level=4)
    assert read_events(well).trouble == ()
    assert reason(LogReading(), None, read_events(well)) == ""


def test_the_question_is_one_command_that_cmd_takes_as_it_is() -> None:
    """The time is the guest's own, so a clock that differs from ours does not matter."""
    command = query(12.5)
    assert "timediff(@SystemTime) <= 12500" in command
    assert not set(command) & set("%^!&|\r\n")
    assert command.count('"') == 2
    assert len(list(joined([command]))) == 1
