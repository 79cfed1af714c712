"""Whatever a log holds: a reading comes back, its fields are sound, and nothing is raised."""

from __future__ import annotations

import json
import os
import time
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.installer_logs import LogReading, read_log
from harness.installer_logs.events import query, read_events
from harness.installer_logs.reading import Kind, Rollback
from harness.installer_logs.reasons import reason

from .test_events import CRASH, record
from .test_other_kinds import BURN, INNO, NSIS
from .test_windows_installer import WINE
from .written import failed

SAMPLES = [str(failed()), WINE, BURN, INNO, NSIS]
LINES = [line for sample in SAMPLES for line in sample.splitlines()] + [
    "Error 1920. Service 'a' (b) failed to start.",
    "Error 99999. x",
    "DEBUG: Error 2869:  The dialog",
    "Product: Demo -- Error 1406. Could not write value A to key \\B.",
    "MSI (s) (0C:B8) [99:99:99:999]: Product: a -- b",
    "MSI (s) (0C!B8) [10:00:00:000]: PROPERTY CHANGE: Modifying A property. Its current value is ''. Its new value: '.",
    "CustomAction X returned actual error code -9999999999 x",
    "Property(S): A = " + "x" * 5_000,
    "Exception thrown by custom action:",
    "=== Verbose logging stopped: x ===",
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
PIECES = st.one_of(
    st.sampled_from(LINES),
    st.sampled_from(
        ["\0", "\n", "\r\n", "\r", " -- ", ": ", "'", "(", "Product: ", "MSI (s) (0C:B8) [10:00:00:000]: "]
    ),
    st.text(max_size=40),
)


def sound(reading: LogReading) -> None:
    """Check what holds for every reading."""
    assert reading.kind in get_args(Kind)
    assert reading.rollback in get_args(Rollback)
    assert not reading.unreadable or reading.unreadable.startswith("unreadable, because ")
    assert all(action.seconds >= 0 and action.times > 0 for action in reading.actions)
    assert len(reading.errors) <= 200
    json.dumps(reading.as_json())
    said = reason(reading)
    assert len(said) < 2_000
    if reading.unreadable:
        assert said == ""


def bent(data: st.DataObject) -> bytes:
    """Make a log of lines in any order, in any encoding, with bytes lost, doubled or changed."""
    text = "".join(piece + "\n" * data.draw(st.booleans()) for piece in data.draw(st.lists(PIECES, max_size=60)))
    raw = bytearray(text.encode(data.draw(st.sampled_from(ENCODINGS)), "replace"))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(raw)))
        match data.draw(st.sampled_from(["cut", "lose", "double", "change"])):
            case "cut":
                del raw[at:]
            case "lose":
                del raw[at : at + data.draw(st.integers(1, 50))]
            case "double":
                raw[at:at] = raw[at : at + 100]
            case _:
                raw[at : at + 1] = data.draw(st.binary(max_size=8))
    return bytes(raw)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_bent_logs_give_a_sound_reading(data: st.DataObject) -> None:
    """Lines that belong to other places, other encodings, lost bytes."""
    sound(read_log(bent(data)))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=3_000))
def test_any_bytes_give_a_sound_reading(content: bytes) -> None:
    """Most of them are no log, and that is said."""
    sound(read_log(content))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SAMPLES), st.sampled_from(ENCODINGS), st.floats(0, 1))
def test_a_cut_log_never_succeeds_where_the_whole_did_not(sample: str, encoding: str, share: float) -> None:
    """What is lost may cost the reason, but it makes no failure a success of the log's."""
    whole = sample.encode(encoding, "replace")
    reading = read_log(whole[: int(len(whole) * share)])
    sound(reading)
    assert reading.ended not in (0, 3010)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300), st.integers(0, len(CRASH)), st.integers(0, 70_000))
def test_any_answer_gives_records(noise: str, at: int, number: int) -> None:
    """What wevtutil prints passes through a console and a cap."""
    answer = CRASH[:at] + noise + CRASH[at:] + record("MsiInstaller", number, *noise.split("<")[:3])
    events = read_events(answer)
    json.dumps(events.as_json())
    assert all(isinstance(one.sentence, str) and isinstance(one.is_trouble, bool) for one in events.records)
    reason(LogReading(), None, events)
    assert query(number / 7)


@pytest.mark.slow
def test_ten_minutes_of_bent_logs() -> None:
    """The same for as long as WINCOMPAT_FUZZ_SECONDS says (600)."""
    until = time.monotonic() + float(os.environ.get("WINCOMPAT_FUZZ_SECONDS", "600"))
    tried = 0

    @settings(
        max_examples=1_000, deadline=timedelta(seconds=10), database=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.data())
    def bend(data: st.DataObject) -> None:
        nonlocal tried
        sound(read_log(bent(data)))
        tried += 1

    while time.monotonic() < until:
        bend()
    assert tried
