"""The client against a vCenter simulator that nobody here wrote; skipped where Debian's govmomi is not installed."""

from __future__ import annotations

import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.errors import MachineFailed, MachineMissing, SiteRefused
from harness.machines.keepalive import KeepAlive
from harness.machines.machine import Machine
from harness.machines.vcenter import VCenter, connected
from harness.site import Secret, Site, SiteMachine
from tests.go_program import built

from .sites import PASSWORD, site
from .sockets import certificate

SOURCE = Path(__file__).parent / "vcsim" / "main.go"
VM, OTHER = "DC0/vm/DC0_H0_VM0", "DC0/vm/DC0_H0_VM1"


@pytest.fixture(scope="session")
def vcsim(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the simulator once; go keeps what it compiled for the next time."""
    return built(SOURCE, "vcsim", "github.com/vmware/govmomi/simulator", pytestconfig, tmp_path_factory)


@contextmanager
def simulating(vcsim: Path, folder: Path, *words: str) -> Iterator[Site]:
    """Run a simulator with a certificate that is verified, and with what its command line is told."""
    pem = certificate(folder)
    with subprocess.Popen(
        [vcsim, *words, pem], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline().rpartition(":")[2])
            wanted = site(folder, port=port, ca_file=pem, machines=((VM, 19044), (OTHER, 22631)))
            (folder / "vcenter.secret").write_text("secret")
            yield wanted
        finally:
            process.kill()


@pytest.fixture
def simulated(vcsim: Path, tmp_path: Path) -> Iterator[Site]:
    """Start a simulator of its own for each test."""
    with simulating(vcsim, tmp_path) as wanted:
        yield wanted


def snapshot(machine: Machine, name: str) -> None:
    """Take a snapshot, which the harness itself never does."""
    task = machine._vm.CreateSnapshot_Task(name, "", False, False)
    machine._tasks.wait(task, within=60)


def spent(vcenter: VCenter, work: Any) -> Counter[str]:
    """Count the SOAP calls of a piece of work."""
    before = vcenter.calls
    work()
    return vcenter.calls - before


def test_a_machine_is_reverted_and_powered_on(simulated: Site) -> None:
    """Revert and power on wait for their tasks, with at most four calls each besides one look at the machine."""
    with connected(simulated) as vcenter:
        assert not vcenter.about.is_lab
        machine = vcenter.machine(simulated.machines[0])
        snapshot(machine, "clean")
        assert spent(vcenter, machine.revert).total() <= 6
        machine.power_off()
        assert not machine.power().on
        calls = spent(vcenter, machine.revert)
        assert machine.power().on
    assert calls["RevertToSnapshot_Task"] == calls["PowerOnVM_Task"] == 1
    assert calls.total() <= 10


def test_collectors_are_renewed_and_many_tasks_leave_nothing_behind(simulated: Site) -> None:
    """A long session keeps few filters on the vCenter."""
    with connected(simulated) as vcenter:
        machine = vcenter.machine(simulated.machines[0])
        for _ in range(25):
            machine.power_off()
            machine.power_on()
        assert vcenter.calls["CreateFilter"] == 50
        assert vcenter.calls["CreatePropertyCollector"] == vcenter.calls["DestroyPropertyCollector"] + 1 == 3


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("DC0/vm/DC0_H0_VM7", "no such machine in the inventory; did you mean DC0/vm/"),
        ("DC0_H0_VM7", "no such machine in the inventory; did you mean DC0/vm/"),
        ("Q", "no such machine in the inventory; the inventory has DC0/vm/DC0_C0_RP0_VM0, "),
        (VM, "it has no snapshot; take one named 'clean' in vSphere"),
    ],
)
def test_what_is_missing_is_named_with_what_is_there(simulated: Site, path: str, words: str) -> None:
    """A wrong path or snapshot is answered with the nearest right ones."""
    entry = SiteMachine(path=path, build=19044, snapshot="clean", address="127.0.0.9")
    with connected(simulated) as vcenter, pytest.raises(MachineMissing) as raised:
        vcenter.machine(entry).revert()
    assert words in str(raised.value)


def test_a_plain_name_is_enough_when_only_one_machine_has_it(simulated: Site) -> None:
    """The full path is found out, because the screenshot needs the datacenter."""
    with connected(simulated) as vcenter:
        entry = simulated.machines[0].model_copy(update={"path": "DC0_C0_RP0_VM1"})
        assert vcenter.machine(entry).path == "DC0/vm/DC0_C0_RP0_VM1"


def test_a_session_that_was_ended_is_renewed(simulated: Site) -> None:
    """An idle session dies on the vCenter; the next call logs in again and no task is asked for twice."""
    with connected(simulated) as vcenter:
        machine = vcenter.machine(simulated.machines[0])
        machine.power_off()
        machine._session.content.sessionManager.Logout()
        machine.power_on()
        assert machine.power().on
        machine._session.content.sessionManager.Logout()
        assert machine.power().on
        assert vcenter.calls["Login"] == 3


def test_a_refused_log_in_says_where_the_password_is(simulated: Site, tmp_path: Path) -> None:
    """The line names the user and the place of the secret, never the secret."""
    nobody = simulated.vcenter.model_copy(update={"user": " ", "password": Secret(file=tmp_path / "vcenter.secret")})
    (tmp_path / "vcenter.secret").write_text(PASSWORD)
    with pytest.raises(SiteRefused) as raised, connected(simulated.model_copy(update={"vcenter": nobody})):
        pytest.fail("it connected")
    assert f"check vcenter.user and the password in {tmp_path / 'vcenter.secret'}" in str(raised.value)
    assert PASSWORD not in str(raised.value)


def test_a_session_that_somebody_terminated_is_renewed(simulated: Site) -> None:
    """To a session that was terminated vcsim answers reads with nothing at all, and no fault: not to be believed."""
    with connected(simulated) as vcenter, connected(simulated) as other:
        machine = vcenter.machine(simulated.machines[0])
        sessions = other._session.content.sessionManager
        own = sessions.currentSession.key
        sessions.TerminateSession([each.key for each in sessions.sessionList if each.key != own])
        assert machine.power().on
        assert vcenter.calls["Login"] == 2


def test_threads_renew_a_session_once_and_wait_for_their_own_tasks(simulated: Site) -> None:
    """Two machines are switched at once over one log-in that had ended."""
    with connected(simulated) as vcenter:
        machines = [vcenter.machine(entry) for entry in simulated.machines]
        machines[0]._session.content.sessionManager.Logout()
        together = threading.Barrier(2)

        def work(machine: Machine) -> bool:
            together.wait(30)
            machine.power_off()
            machine.power_on()
            return machine.power().on

        with ThreadPoolExecutor(2) as pool:
            assert all(pool.map(work, machines))
        assert vcenter.calls["Login"] == 2
        assert vcenter.calls["PowerOffVM_Task"] == vcenter.calls["PowerOnVM_Task"] == 2


def test_an_idle_session_ends_and_is_renewed_unless_it_is_kept_alive(vcsim: Path, tmp_path: Path) -> None:
    """The vCenter's own idle time-out strikes a session that nobody uses, and none that the background call touches."""
    idle = threading.Event()
    with simulating(vcsim, tmp_path, "-idle", "3s") as wanted, connected(wanted) as vcenter:
        machine = vcenter.machine(wanted.machines[0])
        with KeepAlive(vcenter._session, every=0.3):
            idle.wait(7.5)
            assert machine.power().on
            assert vcenter.calls["Login"] == 1
        idle.wait(7.5)
        assert machine.power().on
        assert vcenter.calls["Login"] == 2


def test_a_machine_that_is_busy_is_asked_again(vcsim: Path, tmp_path: Path) -> None:
    """A task that ended because another one had the machine has done nothing; it is safe to ask once more."""
    with simulating(vcsim, tmp_path, "-busy", "2") as wanted, connected(wanted) as vcenter:
        machine = vcenter.machine(wanted.machines[0])
        machine.power_off()
        assert not machine.power().on
        assert vcenter.calls["PowerOffVM_Task"] == 3


def test_a_machine_in_an_invalid_state_is_named(vcsim: Path, tmp_path: Path) -> None:
    """Nothing says that asking again would help: the line names the machine and the fault."""
    with simulating(vcsim, tmp_path, "-busy", "1", "-fault", "InvalidState") as wanted, connected(wanted) as vcenter:
        machine = vcenter.machine(wanted.machines[0])
        with pytest.raises(MachineFailed, match=r"DC0_H0_VM0: powering off: .*InvalidState.*; look at its tasks"):
            machine.power_off()
        assert vcenter.calls["PowerOffVM_Task"] == 1


def test_what_was_done_to_a_machine_is_read_from_its_events(simulated: Site) -> None:
    """A machine that runs on tells of nothing; one that somebody switched tells what, by whom and when."""
    with connected(simulated) as vcenter:
        machine, other = (vcenter.machine(entry) for entry in simulated.machines)
        machine.power_off()
        machine.power_on()
        since = vcenter.now()
        assert machine.disturbance(since) is None
        other.power_off()
        other.power_on()
        assert machine.disturbance(since) is None
        machine._tasks.wait(machine._vm.ResetVM_Task(), within=60)
        told = machine.disturbance(since)
        assert told is not None
        assert "DC0_H0_VM0: was powered off by tester at " in str(told)
