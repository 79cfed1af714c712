"""Machines of the lab: reverted, powered, looked at, and files moved in and out, over the real protocol."""

from __future__ import annotations

import hashlib
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from harness.errors import (
    DeliveryFailed,
    GuestRefused,
    MachineFailed,
    MachineMissing,
    SiteError,
    SiteRefused,
    SiteUnreachable,
)
from harness.machines.leases import leased
from harness.machines.machine import Machine
from harness.machines.vcenter import VCenter, connected
from harness.site import Secret, Site

from .sites import PASSWORD
from .sockets import Cutter, listening

FOLDER = "C:\\Users\\Public\\wincompat tests"


@pytest.fixture
def vcenter(lab_site: Site) -> Iterator[VCenter]:
    """Log in to the lab's vCenter."""
    with connected(lab_site) as vcenter:
        yield vcenter


@pytest.fixture
def machine(lab_site: Site, vcenter: VCenter) -> Iterator[Machine]:
    """Lease a machine of the lab; it is left powered off."""
    with leased(lab_site, lab_site.machines[0].windows, holder="tests/machines") as lease:
        entry = lease.entry
        machine = vcenter.machine(entry)
        yield machine
        machine.power_off()


@pytest.fixture
def running(machine: Machine) -> Machine:
    """Revert the machine; Windows comes up while the first question to it waits for that."""
    machine.revert()
    return machine


def spent(vcenter: VCenter, work: Callable[[], Any]) -> Counter[str]:
    """Count the SOAP calls of a piece of work."""
    before = vcenter.calls
    work()
    return vcenter.calls - before


def test_a_lab_says_that_it_is_one(vcenter: VCenter) -> None:
    """What the controller knows of the vCenter decides what its results are worth."""
    assert vcenter.about.is_lab
    assert vcenter.about.name == "pytest-wincompat lab"


def test_a_revert_leaves_the_machine_on(vcenter: VCenter, machine: Machine) -> None:
    """Reverting costs few calls and ends powered on, since a moment the vCenter knows."""
    machine.power_off()
    assert not machine.power().on
    assert machine.power().since is None
    calls = spent(vcenter, machine.revert)
    assert machine.power().on
    first = machine.power().since
    assert first is not None
    assert calls["RevertToSnapshot_Task"] == 1
    assert machine.came_from is not None
    assert calls["PowerOnVM_Task"] == (0 if machine.came_from.with_memory else 1)
    machine.revert()
    second = machine.power().since
    assert second is not None
    assert second > first


def test_switching_to_where_it_is_already_changes_nothing(vcenter: VCenter, machine: Machine) -> None:
    """Powering on what is on starts no task."""
    machine.power_on()
    assert spent(vcenter, machine.power_on) == {"RetrievePropertiesEx": 1}
    machine.power_off()
    assert spent(vcenter, machine.power_off) == {"RetrievePropertiesEx": 1}


def test_a_machine_that_is_busy_is_waited_for(machine: Machine) -> None:
    """A revert that a killed run left behind ends before ours begins; nothing is blocked by it."""
    left_behind = machine._session.read(machine._vm, "snapshot")["snapshot"].rootSnapshotList[0].snapshot
    left_behind.RevertToSnapshot_Task()
    machine.revert()
    assert machine.power().on


def test_the_console_can_be_looked_at(running: Machine, vcenter: VCenter) -> None:
    """A screenshot is a PNG; the file that the vCenter made of it is asked to be removed."""
    assert running.screenshot().startswith(b"\x89PNG\r\n\x1a\n")
    assert vcenter.calls["DeleteDatastoreFile_Task"] == 1


def test_a_machine_that_is_off_has_no_console(machine: Machine) -> None:
    """The line says that the machine is off, not that something is broken."""
    machine.power_off()
    with pytest.raises(MachineFailed, match="taking a screenshot: it is powered off; "):
        machine.screenshot()


@pytest.mark.parametrize("size", [0, 1, 3_000_001])
def test_a_file_goes_in_and_comes_out_unchanged(running: Machine, lab_site: Site, tmp_path: Path, size: int) -> None:
    """Content of any size arrives byte by byte, in a folder that was not there before."""
    source, back = tmp_path / "source.bin", tmp_path / "back.bin"
    source.write_bytes(hashlib.shake_128(b"content").digest(size))
    courier = running.files(lab_site.accounts["administrator"])
    courier.put(source, f"{FOLDER}\\new {size}\\ünïcode.bin")
    courier.get(f"{FOLDER}\\new {size}\\ünïcode.bin", back)
    assert back.read_bytes() == source.read_bytes()


def test_a_file_that_is_not_there_leaves_no_half_of_it_here(running: Machine, lab_site: Site, tmp_path: Path) -> None:
    """The target appears whole or not at all."""
    with pytest.raises(DeliveryFailed, match="there is no such file or folder"):
        running.get(lab_site.accounts["administrator"], "C:\\nothing\\here.txt", tmp_path / "target")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_guest_password_is_the_accounts_fault(running: Machine, lab_site: Site, tmp_path: Path) -> None:
    """The guest's refusal is told apart from the vCenter's, and the password shows nowhere."""
    (tmp_path / "secret").write_text(PASSWORD)
    wrong = lab_site.accounts["administrator"].model_copy(update={"password": Secret(file=tmp_path / "secret")})
    with pytest.raises(GuestRefused) as raised:
        running.put(wrong, Path(__file__), "C:\\x.py")
    assert_one_line_without_secret(raised.value)


def test_a_standard_user_is_denied_what_windows_denies(running: Machine, lab_site: Site) -> None:
    """A transfer has the rights of its account and no more."""
    with pytest.raises(DeliveryFailed):
        running.put(lab_site.accounts["standard"], Path(__file__), "C:\\Windows\\denied.txt")


def test_a_transfer_into_a_machine_that_is_off_is_said_so(machine: Machine, lab_site: Site) -> None:
    """Nobody waits for the Tools of a machine without power."""
    machine.power_off()
    with pytest.raises(DeliveryFailed, match="it is powered off"):
        machine.put(lab_site.accounts["administrator"], Path(__file__), "C:\\x.txt")


def test_a_snapshot_that_is_not_there(machine: Machine, vcenter: VCenter) -> None:
    """The line names the snapshots that exist."""
    other = vcenter.machine(machine.entry.model_copy(update={"snapshot": "cleam"}))
    with pytest.raises(MachineMissing, match=r"no snapshot 'cleam'; it has clean"):
        other.revert()


def test_a_machine_that_is_not_there(vcenter: VCenter, lab_site: Site) -> None:
    """The line names the nearest machine."""
    path = lab_site.machines[0].path
    with pytest.raises(MachineMissing, match=f"did you mean .*{path}"):
        vcenter.machine(lab_site.machines[0].model_copy(update={"path": path + "x"}))


def test_a_plain_name_finds_the_machine(vcenter: VCenter, lab_site: Site) -> None:
    """A name that only one machine has is as good as its path."""
    path = lab_site.machines[0].path
    entry = lab_site.machines[0].model_copy(update={"path": path.rsplit("/", 1)[-1]})
    assert vcenter.machine(entry).path == path


def test_a_wrong_password_is_one_line(lab_site: Site, tmp_path: Path) -> None:
    """The line says where the password is, and nothing shows it."""
    (tmp_path / "secret").write_text(PASSWORD)
    address = lab_site.vcenter.model_copy(update={"password": Secret(file=tmp_path / "secret")})
    with pytest.raises(SiteRefused) as raised, connected(lab_site.model_copy(update={"vcenter": address})):
        pytest.fail("it connected")
    assert f"refuses the log-in of {address.user!r}; check vcenter.user" in str(raised.value)
    assert_one_line_without_secret(raised.value)


def assert_one_line_without_secret(error: SiteError) -> None:
    """Look into the message and into every variable of every frame."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert "\n" not in str(error)
    assert PASSWORD not in "".join(told.format())


def test_threads_share_a_connection(lab_site: Site, vcenter: VCenter) -> None:
    """Two machines are reverted at once over one log-in, each thread waiting for its own tasks."""
    builds = sorted({entry.windows for entry in lab_site.machines})[:2]

    def revert(number: int) -> bool:
        with leased(lab_site, builds[number], holder=f"thread {number}") as lease:
            entry = lease.entry
            machine = vcenter.machine(entry)
            machine.revert()
            on = machine.power().on
            machine.power_off()
            return on

    with ThreadPoolExecutor(len(builds)) as pool:
        assert all(pool.map(revert, range(len(builds))))
    assert vcenter.calls["Login"] == 1


def through(lab_site: Site, port: int) -> Site:
    """Go to the lab's vCenter by way of a relay on another address, which its certificate does not name."""
    return lab_site.model_copy(
        update={
            "vcenter": lab_site.vcenter.model_copy(update={"port": port, "host": "127.0.0.1", "verify": False}),
            "budgets": lab_site.budgets.model_copy(update={"request": 5.0}),
        }
    )


def test_a_connection_that_breaks_after_the_request_asks_no_second_time(machine: Machine, lab_site: Site) -> None:
    """The revert that was asked for is looked up and waited for; a second one could hit a machine in use."""
    cutter = Cutter(lab_site.vcenter.host, lab_site.vcenter.port)
    with listening(cutter.serve) as port, connected(through(lab_site, port)) as relayed:
        same = relayed.machine(machine.entry)
        now = same._session.read(same._vm, "snapshot", "recentTask")
        snapshot = now["snapshot"].rootSnapshotList[0].snapshot

        def ask() -> Any:
            cutter.armed.set()
            return snapshot.RevertToSnapshot_Task()

        task = same._tasks.start(same._vm, ask, kind="revert", known=now.get("recentTask", ()))
        same._tasks.wait(task, within=60)
        assert cutter.cut.is_set()
        assert relayed.calls["RevertToSnapshot_Task"] == 1


def test_a_read_survives_a_connection_that_the_vcenter_closed(machine: Machine, lab_site: Site) -> None:
    """A kept connection that died in the meantime is no reason to block a cell."""
    cutter = Cutter(lab_site.vcenter.host, lab_site.vcenter.port)
    with listening(cutter.serve) as port, connected(through(lab_site, port)) as relayed:
        same = relayed.machine(machine.entry)
        cutter.armed.set()
        same.power()
        assert cutter.cut.is_set()


def test_a_vcenter_that_goes_away_is_one_line(machine: Machine, lab_site: Site) -> None:
    """Whatever was going on, the line names the vCenter and what was being done; leaving still works."""
    cutter = Cutter(lab_site.vcenter.host, lab_site.vcenter.port)
    with ExitStack() as relay:
        port = relay.enter_context(listening(cutter.serve))
        with connected(through(lab_site, port)) as relayed:
            same = relayed.machine(machine.entry)
            relay.close()
            with pytest.raises(SiteUnreachable, match=r"asking for its power state: .*refused"):
                same.power()
