"""A vCenter that is stopped and started again in the middle of a task: sessions and tasks of before are gone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.errors import MachineFailed, SiteError, SiteUnreachable
from harness.machines.leases import deserved
from harness.machines.machine import Machine
from harness.machines.strategies import Asked, supplying
from harness.machines.tasks import Tasks
from harness.machines.vcenter import VCenter, connected
from tests.lab.vcenter.vcenter_served import Served
from tests.machines.impatience import looking_briefly
from tests.machines.standing_in import cloning, names, site_of

GONE = r"(refused|reset|closed|no longer knows the task; it may have restarted)"


class Restart:
    """Stops the vCenter when a wait for a task begins, and starts another one with the same machines."""

    def __init__(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done = False
        self._served = served
        self._wait = Tasks.wait
        self._patch = monkeypatch

    def in_the_middle_of(self, nth: int) -> None:
        """Restart it when a task is waited for as the nth from now on."""
        waits = iter(range(1, 1000))

        def wait(tasks: Tasks, task: Any, *, within: float) -> Any:
            if next(waits) == nth:
                self()
            return self._wait(tasks, task, within=within)

        self._patch.setattr(Tasks, "wait", wait)

    def __call__(self) -> None:
        """Stop it and start it again."""
        served = self._served

        async def restart() -> None:
            assert served.vcenter is not None
            await served.vcenter.stop()
            served.listening = socket.create_server(("127.0.0.1", served.port))
            await served._start()

        asyncio.run_coroutine_threadsafe(restart(), served.loop).result(60)
        self.done = True


@pytest.fixture
def restart(served: Served, monkeypatch: pytest.MonkeyPatch) -> Restart:
    """Have a vCenter that can be restarted."""
    return Restart(served, monkeypatch)


@pytest.fixture
def vcenter(served: Served, tmp_path: Path) -> Iterator[VCenter]:
    """Be connected to it."""
    with connected(site_of(served, tmp_path)) as vcenter:
        yield vcenter


@pytest.mark.parametrize(
    ("work", "method", "nth"),
    [
        (lambda machine: machine.revert(), "RevertToSnapshot_Task", 1),
        (lambda machine: machine.revert(), "PowerOnVM_Task", 2),
        (lambda machine: machine.snapshot("kept"), "CreateSnapshot_Task", 1),
    ],
)
def test_a_task_of_before_the_restart_is_told_and_not_asked_again(
    vcenter: VCenter, restart: Restart, work: Callable[[Machine], object], method: str, nth: int
) -> None:
    """The line names it, the machine is not put away for it, and the next cell has it: the session is renewed."""
    machine = vcenter.machine(vcenter.site.machines[0])
    restart.in_the_middle_of(nth)
    with pytest.raises((MachineFailed, SiteUnreachable), match=GONE) as told:
        work(machine)
    assert restart.done
    assert deserved(told.value) is None
    assert vcenter.calls[method] == 1
    assert machine.revert().startswith("reverted to 'clean'")


def test_a_clone_of_before_the_restart_is_not_made_twice(served: Served, tmp_path: Path, restart: Restart) -> None:
    """Whatever came into being is destroyed, and the next cell gets a clone."""
    site = site_of(served, tmp_path, cloning())
    with connected(site) as vcenter:
        looking_briefly(vcenter, request=3)
        asked = Asked(vcenter=vcenter, entry=site.machines[0], run="run", holder="cell")
        restart.in_the_middle_of(1)
        with pytest.raises(SiteError, match=GONE), supplying(asked):
            pytest.fail("there is a clone that nobody knows the end of")
        assert restart.done
        assert vcenter.calls["CloneVM_Task"] == 1
        assert names(vcenter) == ["a", "b"]
        with supplying(asked):
            assert len(names(vcenter)) == 3
        assert names(vcenter) == ["a", "b"]


@pytest.mark.parametrize("nth", [1, 2], ids=["power off", "destroy"])
def test_a_clone_is_destroyed_by_the_vcenter_that_comes_back(
    served: Served, tmp_path: Path, restart: Restart, nth: int
) -> None:
    """To destroy twice does no harm; one that a restart has taken along is gone, too."""
    site = site_of(served, tmp_path, cloning())
    told: list[str] = []
    with connected(site) as vcenter:
        asked = Asked(vcenter=vcenter, entry=site.machines[0], run="run", holder="cell", tell=told.append)
        with supplying(asked):
            restart.in_the_middle_of(nth)
        assert restart.done
        assert names(vcenter) == ["a", "b"]
    assert told == []
