"""Faults asked for by name: each strikes where it should, as often as it should, and is in the audit."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from harness.lab.audit import Audit
from harness.lab.faults.asked import Asked, Faults, until_cleared
from harness.lab.faults.table import OPTIONS, TABLE


def test_the_table_is_whole() -> None:
    """Each fault says what it does, and each of its options is explained."""
    for name, fault in TABLE.items():
        assert fault.name == name
        assert fault.does
        assert set(fault.takes) <= set(OPTIONS), name


def test_a_fault_strikes_as_often_as_asked_and_where_it_fits() -> None:
    """Another machine or another method is left alone; after its times nothing is."""
    faults = Faults()
    faults.ask("task-fails", machine="a", times=2, method="PowerOnVM_Task")
    assert faults.strikes("task-fails", "b", method="PowerOnVM_Task") is None
    assert faults.strikes("task-fails", "a", method="Rename_Task") is None
    hits = [faults.strikes("task-fails", "a", method="PowerOnVM_Task") for _ in range(3)]
    assert [hit is not None for hit in hits] == [True, True, False]
    (asked,) = faults.all()
    assert asked.described() == {
        "number": 1, "name": "task-fails", "machine": "a", "times": 2, "struck": 2, "seconds": None,
        "options": {"method": "PowerOnVM_Task"},
    }  # fmt: skip


def test_a_fault_lasts_until_its_time_or_until_it_is_cleared() -> None:
    """Seconds end a fault by the clock; clearing lets go what it held, by name and by machine."""

    async def scene() -> None:
        now = 0.0
        faults = Faults(clock=lambda: now)
        faults.ask("guest-silent", seconds=60)
        assert faults.holds("guest-silent", "a")
        now = 61.0
        assert faults.holds("guest-silent", "a") is None
        held = faults.ask("task-never-ends", machine="a")
        waiting = asyncio.create_task(until_cleared(held))
        assert faults.clear("task-never-ends", "b") == []
        assert faults.clear("task-never-ends", "a") == [held]
        assert await waiting
        await faults.stop()

    asyncio.run(scene())


def test_a_deed_is_done_at_once_or_when_its_method_comes() -> None:
    """A power cut without a method needs nobody; one with a method waits for it."""
    done: list[tuple[str, str]] = []

    async def scene() -> None:
        faults = Faults()

        async def deed(asked: Asked, machine: str) -> None:
            done.append((asked.fault.name, machine))

        faults.deed = deed
        faults.ask("power-off", machine="a")
        faults.ask("reset", machine="b", method="Command")
        await asyncio.sleep(0.02)
        assert done == [("power-off", "a")]
        faults.strikes("reset", "b", method="Receive")
        faults.strikes("reset", "b", method="Command")
        await asyncio.sleep(0.02)
        assert done == [("power-off", "a"), ("reset", "b")]

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("task-fail", {}, "did you mean 'task-fails'"),
        ("task-fails", {"colour": "red"}, "takes no option 'colour'; its options: method"),
        ("power-off", {}, "name one"),
        ("invalid-state", {"state": "Invalid"}, "state is InvalidState or InvalidPowerState, not 'Invalid'"),
        ("invalid-state", {"chance": "7"}, "chance is a number from 0 to 1, not '7'"),
        ("clock-jump", {"ahead": "soon", "machine": "a"}, "ahead is a number from .* not 'soon'"),
        ("winrm-reset", {"when": "during"}, "when is before or after, not 'during'"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_line(name: str, options: dict[str, Any], words: str) -> None:
    """An unknown fault names the nearest, an unknown option those that there are, a deed wants its machine.

    A value that nothing can be meant by is refused: such a fault would never strike.
    """
    with pytest.raises(ValueError, match=words):
        Faults().ask(name, **options)


def test_only_a_fault_that_exists_is_cleared() -> None:
    """Whoever mistypes its name would else believe that it is over."""
    with pytest.raises(ValueError, match="did you mean 'drift'"):
        Faults().clear("drifts")


def test_every_strike_is_in_the_audit_and_no_secret_is(tmp_path: Path) -> None:
    """A line says who, what and where; a password that was told to it is masked; a closed one keeps nothing."""
    path = tmp_path / "audit.jsonl"
    audit = Audit(path, secrets=["swordfish"])
    faults = Faults(audit)
    faults.ask("winrm-reset")
    faults.strikes("winrm-reset", "a", method="Command")
    audit.note("winrm", "Command", machine="a", line="net use x: swordfish", agent="")
    audit.close()
    audit.note("lab", "off", machine="a")
    first, second = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    assert (first["by"], first["what"], first["machine"], first["method"]) == ("fault", "winrm-reset", "a", "Command")
    assert second["line"] == "net use x: ***"
    assert "agent" not in second
