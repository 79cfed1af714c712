"""Who waits for a guest hears that somebody switched its machine off, and does not wait on for what cannot come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import GuestUnreachable, MachineFailed
from harness.guest.guest import Guest
from harness.machines.machine import Machine
from harness.machines.vcenter import connected
from harness.plugin.restarts import LOOK, Fence
from harness.site import Site
from tests.lab.vcenter.vcenter_served import Served
from tests.machines.standing_in import site_of, standing_in


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Run a vCenter with stand-ins, behind which no Windows ever answers."""
    with standing_in(tmp_path) as running:
        yield running


@pytest.fixture
def site(served: Served, tmp_path: Path) -> Site:
    """Describe it."""
    return site_of(served, tmp_path)


@pytest.fixture
def machine(site: Site) -> Iterator[Machine]:
    """Find its first machine, and power it on."""
    with connected(site) as vcenter:
        machine = vcenter.machine(site.machines[0])
        machine.power_on()
        yield machine


def test_a_machine_that_was_switched_off_is_not_waited_for(served: Served, site: Site, machine: Machine) -> None:
    """Whoever knocks looks now and then whether there is power; who cut it is the reason, long before the end."""
    since = machine.power().since
    assert since is not None
    now = [0.0]
    asked: list[float] = []

    def clock() -> float:
        now[0] += LOOK / 2
        return now[0]

    fence = Fence(lambda: asked.append(now[0]), machine, since, clock=clock)
    fence()
    with fence.waiting():
        for _ in range(4):
            fence()  # it is on: nothing is said
    served.do(served.guests["a"].power_off())
    fence()  # nobody waits for it: whether it is on is not asked
    guest = Guest.of(site, site.machines[0], fence=fence)
    with pytest.raises(MachineFailed, match=r"was powered off .*while Windows was waited for"), fence.waiting():
        guest.wait_until_ready(600)
    assert asked


def test_a_guest_that_does_not_come_though_nobody_touched_it_is_told_as_such(site: Site, machine: Machine) -> None:
    """The error stays what it is when vSphere knows of nothing."""
    since = machine.power().since
    assert since is not None
    fence = Fence(lambda: None, machine, since)
    guest = Guest.of(site, site.machines[0], fence=fence)
    with pytest.raises(GuestUnreachable, match="not ready within 1 s"), fence.waiting():
        guest.wait_until_ready(1)
