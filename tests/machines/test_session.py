"""One log-in for a long run: what a task costs, what an ended session costs, and what silence never costs."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.errors import MachineFailed, SiteUnreachable
from harness.machines.border import crossing
from harness.machines.keepalive import KeepAlive
from harness.machines.machine import Machine
from harness.machines.vcenter import VCenter, connected
from harness.site import Budgets, Secret, Site
from tests.waiting import until

from ..lab.vcenter.vcenter_served import PASSWORD, Served
from ..lab.vcenter.vcenter_standin import StandIn
from .impatience import hurried, when_sent
from .sites import site
from .sockets import Cutter, Swallower, listening
from .standing_in import standing_in

MACHINES = (("Lab/vm/Windows/a", 19044), ("Lab/vm/Windows/b", 22631))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve the lab's vCenter over machines without a guest, whose operations take as long as a test says."""
    with standing_in(tmp_path_factory.mktemp("vcenter")) as served:
        yield served


@pytest.fixture
def there(served: Served, tmp_path: Path) -> Site:
    """Describe that vCenter as a site."""
    wanted = site(tmp_path, port=served.port, ca_file=served.ca, machines=MACHINES)
    (tmp_path / "password").write_text(PASSWORD)
    address = {"user": "administrator@lab.local", "password": Secret(file=tmp_path / "password")}
    return wanted.model_copy(update={"vcenter": wanted.vcenter.model_copy(update=address)})


@pytest.fixture
def vcenter(there: Site) -> Iterator[VCenter]:
    """Log in."""
    with connected(there) as vcenter:
        yield vcenter


@pytest.fixture
def machine(vcenter: VCenter) -> Machine:
    """Find the first machine."""
    return vcenter.machine(vcenter.site.machines[0])


def power_cycle(machine: Machine) -> None:
    """Do two tasks and nothing else."""
    for ask in (machine._vm.PowerOnVM_Task, machine._vm.PowerOffVM_Task):
        machine._tasks.wait(ask(), within=60)


def spent(vcenter: VCenter, work: Callable[[], Any]) -> Counter[str]:
    """Count the SOAP calls of a piece of work."""
    before = vcenter.calls
    work()
    return vcenter.calls - before


def end_sessions(there: Site, of: VCenter) -> None:
    """End a session from another one, as a person at vSphere does."""
    with connected(there) as other:
        sessions = other._session.content.sessionManager
        own = sessions.currentSession.key
        keys = [each.key for each in sessions.sessionList if each.key != own]
        assert keys, of
        sessions.TerminateSession(keys)


def test_a_task_costs_at_most_four_calls(vcenter: VCenter, machine: Machine) -> None:
    """Ask, filter, and two looks: what it is now, and its end; the collector is kept from task to task."""
    power_cycle(machine)  # makes this thread's collector

    def work() -> None:
        for _ in range(5):
            power_cycle(machine)

    calls = spent(vcenter, work)
    assert calls["CreateFilter"] == 10
    assert calls["CreatePropertyCollector"] == 0
    assert calls.total() <= 4 * 10
    assert set(calls) == {"PowerOnVM_Task", "PowerOffVM_Task", "CreateFilter", "WaitForUpdatesEx"}


def test_each_thread_has_one_collector_of_its_own(vcenter: VCenter) -> None:
    """Threads wait for their own tasks at once, over one log-in."""
    machines = [vcenter.machine(entry) for entry in vcenter.site.machines]
    together = threading.Barrier(2)

    def work(machine: Machine) -> None:
        together.wait(30)
        for _ in range(3):
            power_cycle(machine)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, machines))
    assert vcenter.calls["CreatePropertyCollector"] == 2
    assert vcenter.calls["Login"] == 1


def through(there: Site, port: int) -> Site:
    """Go to the vCenter by way of a relay."""
    vcenter = there.vcenter.model_copy(update={"port": port})
    return there.model_copy(update={"vcenter": vcenter, "budgets": there.budgets.model_copy()})


@contextmanager
def held(guest: StandIn) -> Iterator[None]:
    """Have what is asked of a machine go on and on, unless the test lets it end earlier."""
    guest.is_held = True
    try:
        yield
    finally:
        guest.is_held = False


def test_a_vcenter_that_falls_silent_in_the_middle_of_a_wait_hangs_nothing(served: Served, there: Site) -> None:
    """The task has a minute; the silence ends with the request budget, and leaving takes no longer than it either."""
    relay = Swallower("127.0.0.1", served.port)
    with (
        held(served.guests["a"]),
        listening(relay.serve) as port,
        connected(through(there, port)) as relayed,
    ):
        machine = relayed.machine(there.machines[0])

        def falls_silent() -> None:
            hurried(relayed, request=2.0)
            relay.armed.set()

        when_sent(relayed, "WaitForUpdatesEx", falls_silent, nth=2)
        with pytest.raises(SiteUnreachable, match=r"powering on: no answer within 2 s"):
            machine.power_on()
        assert relayed.calls["PowerOnVM_Task"] == 1
    assert relay.cut.is_set()
    with connected(there) as again:
        again.machine(there.machines[0]).power_off()


def test_a_vcenter_that_is_out_of_breath_is_waited_for(served: Served, there: Site) -> None:
    """One answer that never came is no dead vCenter: it is asked once more, and what it did meanwhile is heard."""
    relay = Swallower("127.0.0.1", served.port)
    with (
        held(served.guests["a"]),
        listening(relay.serve) as port,
        connected(through(there, port)) as relayed,
    ):
        machine = relayed.machine(there.machines[0])

        def falls_silent() -> None:
            hurried(relayed, request=2.0)
            relay.armed.set()

        def has_its_breath_again() -> None:
            hurried(relayed, request=60.0)
            relay.armed.clear()
            served.guests["a"].is_held = False

        when_sent(relayed, "WaitForUpdatesEx", falls_silent, nth=2)
        when_sent(relayed, "CurrentTime", has_its_breath_again)
        machine.power_on()
        assert relay.cut.is_set()
        assert relayed.calls["PowerOnVM_Task"] == 1
        assert relayed.calls["CurrentTime"] == 1
        machine.power_off()


def test_a_vcenter_that_falls_silent_between_calls_hangs_nothing(served: Served, there: Site) -> None:
    """Whatever is asked next, the answer is one line after the request budget."""
    relay = Swallower("127.0.0.1", served.port)
    with listening(relay.serve) as port, connected(through(there, port)) as relayed:
        machine = relayed.machine(there.machines[0])
        hurried(relayed, request=2.0)
        relay.armed.set()
        with pytest.raises(SiteUnreachable, match=r"asking for its power state: no answer within 2 s"):
            machine.power()


def test_a_task_that_never_ends_is_given_up_with_its_budget(there: Site, served: Served) -> None:
    """The budget is the task's, not the connection's: the vCenter is in good health and goes on answering."""
    brief = there.model_copy(update={"budgets": Budgets(task=3.0)})
    with held(served.guests["b"]), connected(brief) as vcenter:
        machine = vcenter.machine(there.machines[1])
        ends_after_all = threading.Timer(15, setattr, (served.guests["b"], "is_held", False))
        ends_after_all.start()
        with pytest.raises(MachineFailed, match=r"b: powering on: still running after 3 s"):
            machine.power_on()
        ends_after_all.cancel()


def test_a_session_that_is_ended_in_the_middle_of_a_wait_is_renewed(served: Served, there: Site) -> None:
    """The wait goes on with a new collector, and the task is not asked for twice."""
    with held(served.guests["a"]), connected(there) as vcenter:
        machine = vcenter.machine(there.machines[0])

        def end() -> None:
            end_sessions(there, vcenter)
            served.guests["a"].is_held = False

        ending = threading.Timer(0.1, end)
        when_sent(vcenter, "WaitForUpdatesEx", ending.start, nth=2)
        machine.power_on()
        ending.join()
        assert machine.power().on
        machine.power_off()
        assert vcenter.calls["Login"] == 2
        assert vcenter.calls["PowerOnVM_Task"] == 1
        assert spent(vcenter, lambda: power_cycle(machine))["CreatePropertyCollector"] == 0


def test_parallel_threads_renew_a_session_once(there: Site, vcenter: VCenter) -> None:
    """Everybody finds the session ended at the same time, and one of them logs in for all."""
    machines = [vcenter.machine(entry) for entry in there.machines for _ in range(4)]
    together = threading.Barrier(len(machines))
    end_sessions(there, vcenter)

    def look(machine: Machine) -> str:
        together.wait(30)
        machine.power()
        return machine.name

    with ThreadPoolExecutor(len(machines)) as pool:
        assert list(pool.map(look, machines)) == [machine.name for machine in machines]
    assert vcenter.calls["Login"] == 2


def test_a_log_in_again_does_not_trip_over_a_session_that_lives(vcenter: VCenter) -> None:
    """A vCenter refuses a second log-in of one session as a wrong password; ours never looks like that."""
    stub = vcenter._session.stub
    stub.renew(stub.session)
    assert vcenter.calls["Login"] == 2
    vcenter._session.touch()


def test_a_late_answer_brings_no_foreign_cookie(vcenter: VCenter) -> None:
    """An answer to somebody who was not logged in yet carries a cookie, and may come after the new session's."""
    ours = vcenter._session.cookie
    vcenter._session.stub.cookie = 'vmware_soap_session="nobody"; Path=/'
    assert vcenter._session.cookie == ours


def test_a_task_that_the_vcenter_forgot_is_no_missing_machine(there: Site, vcenter: VCenter, machine: Machine) -> None:
    """After a restart of the vCenter a task's end cannot be known; the line says so and blames nobody's inventory."""
    task = type(machine._vm.PowerOnVM_Task())("task-12345", vcenter._session.stub)
    with (
        pytest.raises(MachineFailed, match=r"no longer knows the task; it may have restarted"),
        crossing(there, "a", "reverting"),
    ):
        machine._tasks.wait(task, within=60)
    machine.power_off()  # the thread's collector has survived it


def test_an_idle_session_is_kept_alive_and_a_busy_one_left_alone(vcenter: VCenter, machine: Machine) -> None:
    """One small call whenever nobody has called for the interval, and none at all while somebody does."""
    now = [0.0]
    vcenter._session.stub.used = 0.0
    with KeepAlive(vcenter._session, every=10.0, clock=lambda: now[0]) as keeper:
        assert keeper._left() == 10.0
        now[0] = 9.0
        vcenter._session.stub.used = 9.0  # somebody called
        now[0] = 18.0
        assert keeper._left() == 1.0
    assert vcenter.calls["CurrentTime"] == 0
    with KeepAlive(vcenter._session, every=0.05):
        until(lambda: vcenter.calls["CurrentTime"] >= 3)


def test_a_session_that_was_ended_while_idle_is_renewed_in_the_background(there: Site, vcenter: VCenter) -> None:
    """A long step finds its session alive, whatever became of it meanwhile."""
    end_sessions(there, vcenter)
    with KeepAlive(vcenter._session, every=0.05):
        until(lambda: vcenter.calls["Login"] == 2)
    vcenter._session.touch()
    assert vcenter.calls["Login"] == 2


def test_a_dead_vcenter_does_not_hold_the_keep_alive(served: Served, there: Site) -> None:
    """What the background call meets is nobody's error; leaving is said to whoever waits, within the budget."""
    relay = Cutter("127.0.0.1", served.port)
    with connected(there) as vcenter:
        before = threading.active_count()
        with listening(relay.serve) as port, connected(through(there, port)) as relayed:
            assert threading.active_count() > before
            relay.armed.set()
            with KeepAlive(relayed._session, every=0.01):
                assert relay.cut.wait(60)
        names = [thread.name for thread in threading.enumerate()]
        assert names.count("vcenter-keep-alive") == 1, vcenter
