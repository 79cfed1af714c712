"""What pyVmomi's users have stumbled over, and vCenters answer now and then: none of it may cost a cell its verdict."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from harness.doctor.finding import Mark
from harness.doctor.machine import CHECKS as OF_A_MACHINE
from harness.doctor.vcenter import CHECKS as OF_THE_VCENTER
from harness.doctor.visit import MachineVisit, SiteVisit
from harness.errors import DeliveryFailed, MachineFailed, SiteUnreachable
from harness.machines.clones import clones_of
from harness.machines.inventory import find_machine
from harness.machines.vcenter import VCenter, connected
from harness.site import Account, Secret, Site
from tests.lab.vcenter.vcenter_served import Served

from .forging import Forger, forging
from .impatience import looking_briefly
from .sockets import Cutter, listening
from .standing_in import FOLDER, site_of


@pytest.fixture
def site(served: Served, tmp_path: Path) -> Site:
    """Write its site, with the account of the stand-ins' guests."""
    (tmp_path / "guest.secret").write_text("correct horse")
    account = Account(user="tester", password=Secret(file=tmp_path / "guest.secret"))
    return site_of(served, tmp_path).model_copy(update={"accounts": {"administrator": account}})


@pytest.fixture
def forger(served: Served) -> Iterator[Forger]:
    """Stand between."""
    with forging(served.port, served.tls) as forger:
        yield forger


@pytest.fixture
def forged(site: Site, forger: Forger) -> Iterator[VCenter]:
    """Log in by way of the forger."""
    address = site.vcenter.model_copy(update={"port": forger.port})
    with connected(site.model_copy(update={"vcenter": address})) as vcenter:
        yield vcenter


@pytest.fixture
def vcenter(site: Site) -> Iterator[VCenter]:
    """Log in."""
    with connected(site) as vcenter:
        yield vcenter


def becomes(old: str, new: str) -> Callable[[bytes], bytes]:
    """Rewrite words, which have to be there."""

    def rewrite(content: bytes) -> bytes:
        assert old.encode() in content, content
        return content.replace(old.encode(), new.encode())

    return rewrite


@pytest.mark.parametrize("status", [408, 504])
def test_a_time_out_of_what_stands_before_the_vcenter_is_ridden_out(
    forged: VCenter, forger: Forger, status: int
) -> None:
    """A proxy that ends a long wait says nothing of the task; the wait is begun again."""
    machine = forged.machine(forged.site.machines[0])
    forgery = forger.refuse("<WaitForUpdatesEx ", status)
    machine.power_on()
    assert forgery.struck == 1
    assert forged.calls["PowerOnVM_Task"] == 1


def test_a_change_whose_answer_was_a_proxys_is_not_asked_for_again(forged: VCenter, forger: Forger) -> None:
    """Whether the vCenter got the question is not known: the task is looked for, and not asked for twice."""
    machine = forged.machine(forged.site.machines[0])
    forger.refuse("<PowerOnVM_Task ", 504)
    looking_briefly(forged, request=2)
    with pytest.raises(MachineFailed, match="no such task shows; it was not asked again"):
        machine.power_on()
    assert forged.calls["PowerOnVM_Task"] == 1


def test_an_answer_that_pyvmomi_cannot_read_costs_one_call(forged: VCenter, forger: Forger) -> None:
    """Newer vCenters send values that pyVmomi's strict types refuse, and it drops its connections: that is one line.

    What is asked next is answered.
    """
    machine = forged.machine(forged.site.machines[0])
    forger.rewrite("runtime.powerState", answer=becomes(">poweredOff<", "><"))
    with pytest.raises(SiteUnreachable, match="RetrievePropertiesEx was answered with what pyVmomi cannot read"):
        machine.power()
    assert not machine.power().on


def test_an_inventory_that_comes_in_pages_is_read_to_its_end(forged: VCenter, forger: Forger) -> None:
    """A vCenter hands out as much as it likes at a time, and a token for the rest."""
    page = becomes("></options>", "><maxObjects>1</maxObjects></options>")
    forger.rewrite("<RetrievePropertiesEx ", question=page, times=100)
    assert find_machine(forged._session, "b").path == f"{FOLDER}/b"
    assert forged.calls["ContinueRetrievePropertiesEx"] > 2


@pytest.mark.parametrize("fault", ["InvalidState", "GuestOperationsUnavailable", "TaskInProgress"])
def test_guest_operations_that_fail_under_load_are_asked_for_again(
    forged: VCenter, forger: Forger, served: Served, tmp_path: Path, fault: str
) -> None:
    """Such a fault says that nothing has begun; "trying again almost always works"."""
    machine = forged.machine(forged.site.machines[0])
    machine.power_on()
    forgery = forger.refuse("<InitiateFileTransferToGuest ", 500, fault, times=2)
    source = tmp_path / "source.txt"
    source.write_text("content")
    machine.put(forged.site.accounts["administrator"], source, "C:\\target.txt")
    assert forgery.struck == 2
    assert served.guests["a"].disk["C:\\target.txt"] == b"content"


def test_a_transfer_that_ends_early_leaves_no_file(forged: VCenter, forger: Forger, tmp_path: Path) -> None:
    """Some versions of VMware Tools hand out the first hundred bytes of a file and call it whole."""
    machine = forged.machine(forged.site.machines[0])
    machine.power_on()
    account = forged.site.accounts["administrator"]
    source = tmp_path / "source.txt"
    source.write_bytes(b"x" * 1000)
    machine.put(account, source, "C:\\log.txt")
    (tmp_path / "got").mkdir()
    here, there = f":{forger.target[1]}/", f":{forger.port}/"
    forger.rewrite("<InitiateFileTransferFromGuest ", answer=becomes(here, there), times=2)
    forger.rewrite("GET /guest", answer=lambda content: content[:100])
    with pytest.raises(DeliveryFailed, match="100 of 1000 bytes arrived"):
        machine.get(account, "C:\\log.txt", tmp_path / "got" / "log.txt")
    assert list((tmp_path / "got").iterdir()) == []
    machine.get(account, "C:\\log.txt", tmp_path / "got" / "log.txt")
    assert (tmp_path / "got" / "log.txt").read_bytes() == source.read_bytes()


def test_a_question_that_holds_a_task_up_is_told(served: Served, forged: VCenter, forger: Forger) -> None:
    """A power-on is stopped to ask whether the machine was moved or copied, and vSphere waits for days."""
    asked = (
        "<propSet><name>runtime.question</name>"
        '<val xsi:type="VirtualMachineQuestionInfo"><id>1</id><text>Was it moved\nor copied?</text></val></propSet>'
    )
    forger.rewrite(">runtime.question<", answer=becomes("</objects>", asked + "</objects>"))
    short = forged.site.budgets.model_copy(update={"task": 0.5})
    machine = forged.machine(forged.site.machines[0])
    machine._site = forged.site.model_copy(update={"budgets": short})
    served.fault("task-never-ends")
    try:
        with pytest.raises(MachineFailed, match=r"vSphere asks 'Was it moved or copied.' and waits for an answer"):
            machine.power_on()
    finally:
        served.clear()


def test_a_lone_host_and_a_template_are_found_out_beforehand(site: Site, forger: Forger, tmp_path: Path) -> None:
    """An ESXi host alone cannot clone, and a template cannot be reverted: the doctor says so before a cell does."""
    forger.rewrite("<RetrieveServiceContent ", answer=becomes(">VirtualCenter<", ">HostAgent<"))
    forger.rewrite(
        ">config.template<", answer=lambda told: re.sub(rb"(config\.template</name><val[^>]*>)false", rb"\1true", told)
    )
    address = site.vcenter.model_copy(update={"port": forger.port})
    there = site.model_copy(update={"vcenter": address})
    with connected(there) as vcenter:
        whole = SiteVisit(there, tmp_path, vcenter=vcenter)
        told = next(check for check in OF_THE_VCENTER if check.name == "vcenter api").look(whole)
        assert (told.mark, "which cannot clone" in told.words) == (Mark.WARN, True)
        visit = MachineVisit(whole, there.machines[0], machine=vcenter.machine(there.machines[0]))
        told = next(check for check in OF_A_MACHINE if check.name == "power").look(visit)
        assert (told.mark, "it is a template" in told.words) == (Mark.FAIL, True)


def test_a_snapshot_whose_answer_was_lost_is_taken_once(served: Served, site: Site) -> None:
    """Left to itself pyVmomi asks again, and there are two of them."""
    relay = Cutter("127.0.0.1", served.port)
    with listening(relay.serve) as port:
        address = site.vcenter.model_copy(update={"port": port})
        with connected(site.model_copy(update={"vcenter": address})) as vcenter:
            machine = vcenter.machine(site.machines[0], fence=relay.armed.set)
            machine.snapshot("wincompat-kept-once", memory=False)
            assert relay.cut.is_set()
            assert vcenter.calls["CreateSnapshot_Task"] == 1
    with connected(site) as vcenter:
        assert vcenter.machine(site.machines[0]).drop_kept() == ("wincompat-kept-once",)


def test_leaving_one_vcenter_leaves_the_others(site: Site, vcenter: VCenter) -> None:
    """Its SmartConnect keeps pyVmomi's last connection in a variable of its module; ours share nothing."""
    with connected(site) as other:
        assert not other.machine(site.machines[0]).power().on
    assert not vcenter.machine(site.machines[0]).power().on
    assert vcenter.calls["Login"] == 1


def test_threads_that_look_things_up_get_what_they_asked_for(vcenter: VCenter) -> None:
    """Many views at once have been answered with each other's objects; each is given back."""
    together = threading.Barrier(8)

    def look(number: int) -> list[str]:
        together.wait(30)
        return [find_machine(vcenter._session, "ab"[number % 2]).path for _ in range(5)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(look, range(8)))
    assert found == [[f"{FOLDER}/{'ab'[number % 2]}"] * 5 for number in range(8)]
    assert vcenter.calls["CreateContainerView"] == vcenter.calls["DestroyView"] == 40


def test_each_thread_keeps_its_connection(served: Served, site: Site) -> None:
    """Left to itself pyVmomi keeps five, and makes every other one anew for each call, with a handshake."""
    came: list[socket.socket] = []
    relay = Cutter("127.0.0.1", served.port)

    def serve(connection: socket.socket) -> None:
        came.append(connection)
        relay.serve(connection)

    threads, rounds = 16, 4
    together = threading.Barrier(threads)
    with listening(serve) as port:
        address = site.vcenter.model_copy(update={"port": port})
        with connected(site.model_copy(update={"vcenter": address})) as vcenter:

            def call(_: int) -> None:
                for _ in range(rounds):
                    together.wait(30)
                    vcenter.now()

            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(call, range(threads)))
            assert vcenter.calls["CurrentTime"] == threads * rounds
    assert len(came) <= threads + 2  # and the two of the log-in


def test_no_object_is_read_attribute_by_attribute(vcenter: VCenter, served: Served) -> None:
    """An attribute of pyVmomi's objects costs a call for the whole of its property, each time."""
    machine = vcenter.machine(vcenter.site.machines[0])
    work: list[Callable[[], Any]] = [machine.revert, machine.screenshot, machine.condition, machine.snapshot_seen]
    work += [lambda: machine.snapshot("wincompat-kept-1"), machine.drop_kept, machine.power_off]
    work += [lambda: machine.disturbance(vcenter.now()), lambda: clones_of(vcenter), lambda: vcenter.lacks([machine])]
    for each in work:
        each()
    assert vcenter.calls["Fetch"] == 0
    assert served.guests["a"].is_on is False
