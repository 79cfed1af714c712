"""A machine of the lab and its guest, for every test here that wants a real one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.builds import Build
from harness.guest.guest import Guest
from harness.machines.leases import leased
from harness.machines.machine import Machine
from harness.machines.vcenter import connected
from harness.site import Site


@pytest.fixture(scope="module")
def machine(lab_site: Site) -> Iterator[Machine]:
    """Hold one machine of the lab for the tests of a file, reverted to its clean snapshot."""
    with leased(lab_site, Build(19045), holder="tests of the guest") as lease, connected(lab_site) as vcenter:
        machine = vcenter.machine(lease.entry)
        machine.revert()
        yield machine


@pytest.fixture
def guest(lab_site: Site, machine: Machine) -> Iterator[Guest]:
    """Drive that machine as its administrator."""
    machine.power_on()
    courier = machine.files(lab_site.accounts["administrator"])
    with Guest.of(lab_site, machine.entry, courier=courier) as guest:
        guest.wait_until_ready(300)
        yield guest
