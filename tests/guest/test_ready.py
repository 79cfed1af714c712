"""Waiting for a booting guest: what is tried again, what is not, and what is said in the end."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Literal

import pytest
from pydantic import SecretStr

from harness.errors import GuestLost, GuestRefused, GuestUnreachable, Hung
from harness.guest.guest import Guest
from harness.guest.knocking import Knocks
from harness.guest.transport import Endpoint
from harness.site import WinRM
from tests.waiting import until

from .scripted_wsman import Mishap, ScriptedWSMan, serving


@pytest.fixture
def script() -> Iterator[ScriptedWSMan]:
    """Serve a guest that tells its facts."""
    script = ScriptedWSMan()
    script.prepare = script.tells_facts
    with serving(script):
        yield script


def _guest(endpoint: Endpoint) -> Guest:
    return Guest(endpoint, machine="win-a")


def test_readiness_and_facts_cost_three_messages(script: ScriptedWSMan) -> None:
    """The first command that proves the guest ready is the one that asks for its facts."""
    with _guest(script.endpoint) as guest:
        guest.wait_until_ready(120)
        assert guest.facts().build.number == 19045
        assert guest.round_trips == 3
    assert not script.shells


@pytest.mark.parametrize("auth", ["ntlm", "basic"])
def test_nothing_is_sent_before_the_port_is_open(auth: Literal["ntlm", "basic"]) -> None:
    """Where NTLM seals the messages itself, its key is made by sending something, which has its time."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = int(reserved.getsockname()[1])
    endpoint = Endpoint("127.0.0.1", WinRM(scheme="http", port=port, auth=auth), "tester", SecretStr("right"))
    with pytest.raises(GuestUnreachable, match=r"nothing answers on 127\.0\.0\.1"), _guest(endpoint) as guest:
        guest.wait_until_ready(0.5)


def test_a_booting_guest_may_stumble_in_every_known_way() -> None:
    """Nobody listens, then the service is not there yet, drops us, fails, and refuses a right password for a moment."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = int(reserved.getsockname()[1])
    script = ScriptedWSMan(port=port)
    script.prepare = script.tells_facts
    script.mishaps["Create"] = [Mishap(status=503), Mishap(), Mishap(status=500), Mishap(status=401), Mishap(fault=995)]
    ready = threading.Event()
    over = threading.Event()

    def boot() -> None:
        ready.wait(300)
        with serving(script):
            over.wait(300)

    booting = threading.Thread(target=boot)
    booting.start()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        ready.set()
        threading.Event().wait(min(seconds, 0.05))

    endpoint = Endpoint("127.0.0.1", WinRM(scheme="http", port=port, auth="basic"), "tester", SecretStr("right"))
    try:
        with Guest(endpoint, machine="win-a", sleep=sleep) as guest:
            guest.wait_until_ready(300)
    finally:
        over.set()
        booting.join()
    assert script.count("Create") == 6
    assert max(slept) == 2.0  # after the refusal, and only then


def test_a_question_of_ours_that_does_not_end_is_no_products_fault(script: ScriptedWSMan) -> None:
    """A guest that is too busy for its own reg blocks the cell; only a command of the product's can hang."""
    with _guest(script.endpoint) as guest:
        guest.wait_until_ready(120)
        script.runs_on, script.prepare = True, len
        for questions in (["reg query HKLM"], ["reg query HKLM", "ver"]):
            with pytest.raises(GuestLost, match=r"did not answer our own questions within 2 s: reg query HKLM"):
                guest.run_each(questions, deadline=2)
        with pytest.raises(Hung):
            guest.run("setup.exe /S", deadline=2)
    ended = [line.rpartition(" ")[2] for line in script.started if "taskkill" in line]
    assert ended == ["reg.exe", "setup.exe"]  # of several together none is known to be the one


def test_a_refusal_that_lasts_is_fatal_before_an_account_is_locked_out(script: ScriptedWSMan) -> None:
    """A wrong password is not tried until the budget ends; Windows locks accounts after ten tries."""
    script.mishaps["Create"] = [Mishap(status=401)] * 100
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    guest = Guest(script.endpoint, machine="win-a", clock=lambda: now[0], sleep=sleep)
    with pytest.raises(GuestRefused, match="win-a: WinRM refuses the account 'tester'"):
        guest.wait_until_ready(600)
    assert script.count("Create") <= 6
    assert now[0] <= 12


def test_a_guest_that_never_listens_is_unreachable_with_its_address() -> None:
    """The message names the machine, the address, the budget and where to look."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = int(reserved.getsockname()[1])
    endpoint = Endpoint("127.0.0.1", WinRM(scheme="http", port=port, auth="basic"), "tester", SecretStr("right"))
    with pytest.raises(GuestUnreachable, match=rf"win-a: not ready within 0\.2 s; .*127\.0\.0\.1:{port}.*console"):
        _guest(endpoint).wait_until_ready(0.2)


def test_a_guest_that_accepts_and_never_answers_is_unreachable_within_the_budget() -> None:
    """A hanging service is asked no longer than the budget allows."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        endpoint = Endpoint(
            "127.0.0.1", WinRM(scheme="http", port=deaf.getsockname()[1], auth="basic"), "tester", SecretStr("right")
        )
        with pytest.raises(GuestUnreachable, match="no answer in time"):
            _guest(endpoint).wait_until_ready(1.0)


def test_a_port_that_is_not_winrm_is_not_waited_for(script: ScriptedWSMan) -> None:
    """What the site file has wrong does not get better while one waits."""
    script.mishaps["Create"] = [Mishap(status=404)]
    with pytest.raises(GuestUnreachable, match="cannot be used as the site describes it"):
        _guest(script.endpoint).wait_until_ready(60)
    assert script.count("Create") == 1


def test_a_guest_from_before_the_revert_is_not_ready(script: ScriptedWSMan) -> None:
    """The old Windows may still answer for a moment; it is waited out, and nothing of it is taken for the new one."""
    with _guest(script.endpoint) as guest:
        guest.wait_until_ready(120)
    assert script.used
    looks: list[str] = []

    def reverted_in_the_end(line: str) -> None:
        looks.append(script.used)
        if len(looks) == 3:
            script.used = ""
        script.tells_facts(line)

    script.prepare = reverted_in_the_end
    with _guest(script.endpoint) as guest:
        guest.wait_until_ready(120, reverted=True)
    assert len(looks) == 3
    assert all(looks)


def test_a_guest_that_stays_as_it_was_before_the_revert_is_named(script: ScriptedWSMan) -> None:
    """It is given up after its grace, not after the whole budget, and the line says since when it has been in use."""
    script.used = "0123 since 2024-05-01 10:00:00 UTC"
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    guest = Guest(script.endpoint, machine="win-a", clock=lambda: now[0], sleep=sleep)
    with pytest.raises(GuestUnreachable, match=r"win-a: the Windows that answers is not as its snapshot: .* since 20"):
        guest.wait_until_ready(600, reverted=True)
    assert now[0] < 60


def test_a_guest_whose_first_answer_is_lost_is_not_taken_for_one_in_use(script: ScriptedWSMan) -> None:
    """The first question left the mark of use; that it was asked again says nothing about a revert."""
    script.mishaps["Receive"] = [Mishap()]
    asked: list[str] = []

    def prepare(line: str) -> None:
        asked.append(script.used)
        script.tells_facts(line)

    script.prepare = prepare
    with _guest(script.endpoint) as guest:
        guest.wait_until_ready(120, reverted=True)
    assert len(asked) == 2
    assert asked[1]


def test_a_guest_in_use_is_ready_when_nobody_reverted_it(script: ScriptedWSMan) -> None:
    """After a restart that was asked for the guest is the same, and used."""
    with _guest(script.endpoint) as guest:
        guest.wait_until_ready(120)
        first = script.used
        guest.wait_until_ready(120)
        assert guest.facts().build.number == 19045
    assert script.used == first, "who used it first stays known"


def test_a_guest_that_drops_what_is_sent_to_it_is_heard_at_once_when_it_comes_up() -> None:
    """Knocks do not wait for each other: the system would repeat a lost one only after a second, then after three."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = int(full.getsockname()[1])
        with contextlib.ExitStack() as crowd:
            # a full queue drops knocks without a word, as a firewall does
            for _ in range(4):
                client = crowd.enter_context(socket.socket())
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", port))
            with Knocks("127.0.0.1", port, clock=time.monotonic, sleep=time.sleep) as knocks:

                def under_way() -> int:
                    with pytest.raises(TimeoutError):
                        knocks.until_it_opens(time.monotonic() + 0.3)
                    return len(knocks._ends)

                until(lambda: under_way() > 3, else_say="one knock waits for another")
                full.accept()[0].close()
                knocks.until_it_opens(time.monotonic() + 60)
            assert not knocks._ends


def test_a_name_that_means_nothing_yet_is_looked_up_again() -> None:
    """A guest's name may come into the DNS only when it has booted."""
    with (
        Knocks("guest.invalid", 5985, clock=time.monotonic, sleep=time.sleep) as knocks,
        pytest.raises(socket.gaierror),
    ):
        knocks.until_it_opens(time.monotonic() + 0.1)
