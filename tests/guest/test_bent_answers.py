"""A guest of the lab whose answers come late, cut or from elsewhere: ridden out or told, never taken for its own."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from harness.errors import GuestLost, GuestRefused, SiteError
from harness.guest.shell import Shell
from harness.guest.transport import Endpoint
from harness.machines.machine import Machine
from harness.site import Site

from .bending_wire import Bend, BendingWire, bending


@pytest.fixture
def wire(machine: Machine) -> Iterator[BendingWire]:
    """Lay a wire to a guest that is up."""
    machine.power_on()
    with bending(machine.entry.address, 5985) as wire:
        yield wire


@pytest.fixture
def shell(lab_site: Site, guest: object, wire: BendingWire) -> Iterator[Shell]:
    """Give a shell by way of the wire, opened and used."""
    account = lab_site.accounts["administrator"]
    winrm = lab_site.winrm.model_copy(update={"scheme": "http", "port": wire.port, "auth": "basic"})
    shell = Shell(Endpoint("127.0.0.1", winrm, account.user, account.password.read()), machine="win-a", patience=60.0)
    assert shell.run("echo first", deadline=120).stdout == "first\n"
    yield shell
    wire.bends.clear()
    shell.close()


def _seconds(wire: BendingWire, shell: Shell, deadline: float) -> tuple[SiteError, float]:
    began = time.monotonic()
    with pytest.raises(SiteError) as told:
        shell.run("echo again", deadline=deadline)
    return told.value, time.monotonic() - began


def test_an_answer_that_comes_byte_by_byte_is_waited_for_no_longer_than_one_that_never_comes(
    wire: BendingWire, shell: Shell
) -> None:
    """A socket notices silence only: what trickles is broken off with the budget, and no product's fault."""
    wire.bends.append(Bend(action="Receive", times=1_000, pace=0.5))
    told, seconds = _seconds(wire, shell, deadline=6.0)
    assert isinstance(told, GuestLost), told
    assert "not complete" in told.problem
    assert seconds < 120  # an answer of two thousand bytes would take a quarter of an hour


def test_a_command_whose_answer_trickles_is_asked_after(wire: BendingWire, shell: Shell) -> None:
    """It runs, though nobody will ever hear the end of the answer that says so; it is not started twice."""
    wire.bends.append(Bend(action="Command", times=1_000, pace=0.5))
    assert shell.run("echo once", deadline=6.0).stdout == "once\n"
    assert wire.asked.count("Command") == 2


def test_an_answer_that_is_cut_is_asked_for_again(wire: BendingWire, shell: Shell) -> None:
    """A Receive may be repeated: what was in the answer that could not be read is in the next one."""
    wire.bends.append(Bend(action="Receive", body=lambda _: b"<cut"))
    assert shell.run("echo once", deadline=120).stdout == "once\n"
    assert wire.asked.count("Command") == 2


def test_the_answer_to_another_message_is_not_believed(wire: BendingWire, shell: Shell) -> None:
    """A connection that hands out answers to others' questions is dropped, and ours is asked again."""
    old = wire.answers["Receive"]
    wire.bends.append(Bend(action="Receive", body=lambda _: old))
    assert shell.run("echo second& exit 7", deadline=120).exit_code == 7
    wire.bends.append(Bend(action="Receive", times=1_000, body=lambda _: old))
    shell.patience = 3.0
    told, _ = _seconds(wire, shell, deadline=60.0)
    assert isinstance(told, GuestLost)
    assert "answers another message" in told.problem


def test_output_of_another_command_is_not_taken_for_ours(wire: BendingWire, shell: Shell) -> None:
    """What carries another command's name is none of ours, though it relates to our message."""
    theirs = b"00000000-0000-0000-0000-00000000ABCD"
    ours: list[bytes] = []

    def swapped(answer: bytes) -> bytes:
        ours.append(answer)
        command = answer.split(b'CommandId="')[1].split(b'"')[0]
        return answer.replace(command, theirs)

    wire.bends.append(Bend(action="Receive", times=1_000, body=swapped))
    shell.patience = 3.0
    told, _ = _seconds(wire, shell, deadline=60.0)
    assert isinstance(told, GuestLost)
    assert "another command" in told.problem
    assert ours


@pytest.mark.parametrize("status", [500, 503])
def test_a_service_that_is_out_of_order_for_a_moment_is_ridden_out(
    wire: BendingWire, shell: Shell, status: int
) -> None:
    """Nothing runs twice, and nothing is missing."""
    for action in ("Command", "Receive"):
        wire.bends.append(Bend(action=action, times=2, status=status))
    assert shell.run("echo through", deadline=120).stdout == "through\n"


def test_a_refusal_in_the_middle_is_told_as_one(wire: BendingWire, shell: Shell) -> None:
    """An account that is locked while a command runs costs the cell, with the account named."""
    wire.bends.append(Bend(action="Receive", times=1_000, status=401))
    told, _ = _seconds(wire, shell, deadline=120.0)
    assert isinstance(told, GuestRefused)
    assert "Administrator" in told.problem
