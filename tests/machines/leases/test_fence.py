"""A controller that lost its lease cannot touch the machine any more: every change asks first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.builds import Build
from harness.errors import LeaseLost, SiteError
from harness.guest.guest import Guest
from harness.machines.leases import Lease, leased
from harness.machines.leases.quarantine import break_lease
from harness.machines.leases.register import key_of
from harness.machines.leases.store import Store, open_store
from harness.machines.vcenter import connected
from harness.site import Site


def lose(site: Site, name: str) -> None:
    """Break somebody's lease."""
    store: Store = open_store(site)
    (entry,) = (entry for entry in site.machines if entry.lease_name == name)
    assert break_lease(store, key_of(site, entry))
    store.close()


@contextmanager
def losing(site: Site, build: Build) -> Iterator[Lease]:
    """Take a machine that is lost by the end of the block."""
    with pytest.raises(LeaseLost), leased(site, build, holder="loses it") as lease:
        yield lease


def test_nothing_is_asked_of_the_vcenter(lab_site: Site, tmp_path: Path) -> None:
    """Revert, power, snapshot, screenshot and files are refused before anything is sent."""
    (tmp_path / "file").write_text("x")
    build = lab_site.machines[0].windows
    with connected(lab_site) as vcenter, losing(lab_site, build) as lease:
        machine = vcenter.machine(lease.entry, fence=lease.confirm)
        lose(lab_site, lease.entry.lease_name)
        before = vcenter.calls
        changes: list[Callable[[], object]] = [
            machine.revert,
            machine.power_off if machine.power().on else machine.power_on,
            lambda: machine.snapshot("never"),
            machine.screenshot,
            lambda: machine.put(lab_site.accounts["administrator"], tmp_path / "file", r"C:\never.txt"),
        ]
        for change in changes:
            with pytest.raises(LeaseLost, match="its lease was broken"):
                change()
        sent = vcenter.calls - before
    assert not {method for method in sent if method.endswith(("_Task", "InGuest", "FromGuest", "ToGuest"))}


def test_nothing_is_asked_of_the_guest(lab_site: Site) -> None:
    """No command is sent, nothing is waited for, and nothing is ended by its name."""

    def lost() -> None:
        raise LeaseLost("its lease was broken", machine="a", advice="run the cell again")

    def never(seconds: float) -> None:
        pytest.fail("it waited for a guest that is another's")

    entry = lab_site.machines[0]
    with Guest.of(lab_site, entry, fence=lost) as guest:
        vars(guest)["_sleep"] = never
        touches: list[Callable[[], object]] = [
            lambda: guest.run("ver"),
            lambda: guest.run_each(["ver", "vol"]),
            guest.wait_until_ready,
            guest.state,
            lambda: guest.as_account("standard").run("ver"),
        ]
        for touch in touches:
            with pytest.raises(SiteError, match="its lease was broken"):
                touch()
        assert guest.round_trips == 0
