"""A machine that cannot serve is kept from the cells, and only for what is its own fault."""

from __future__ import annotations

import pytest
from pyVmomi import vim, vmodl

from harness.builds import Build
from harness.errors import (
    GuestRefused,
    GuestUnreachable,
    LeaseLost,
    MachineFailed,
    MachineMissing,
    NoMachine,
    SiteError,
    SiteRefused,
    SiteUnreachable,
)
from harness.machines.border import Outlived
from harness.machines.leases import deserved, leased, on_trial, quarantine
from harness.machines.leases.quarantine import PASSING, release
from harness.machines.leases.register import key_of
from harness.machines.leases.store import Store
from harness.site import Site

from .lives import Clock, held

WIN10, ONLY = Build(19044), Build(22631)


def raised(kind: type[SiteError], cause: Exception | None = None) -> SiteError:
    """Make an error as the border does."""
    error = kind("reverting to 'clean': it went wrong", machine="a", advice="look at it")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (raised(MachineFailed, vim.fault.InvalidState()), None),
        (raised(MachineFailed, vmodl.fault.SystemError()), None),
        (raised(MachineFailed), None),
        (raised(MachineMissing), None),
        (raised(GuestUnreachable), PASSING),
        (raised(MachineFailed, Outlived("still running after 300 s")), PASSING),
    ],
)
def test_a_machine_answers_for_itself(error: SiteError, seconds: float | None) -> None:
    """A task that fails on it, a snapshot that is missing: until released; what may pass by itself: for a time."""
    term = deserved(error)
    assert term is not None
    assert term.reason == "reverting to 'clean': it went wrong"
    assert term.seconds == seconds


@pytest.mark.parametrize(
    "error",
    [
        raised(SiteUnreachable),
        raised(SiteRefused),
        raised(GuestRefused),
        raised(LeaseLost),
        raised(MachineFailed, vim.fault.InsufficientResourcesFault()),
        raised(MachineFailed, vmodl.fault.HostNotConnected()),
        raised(MachineFailed, vim.fault.NoDiskSpace()),
        raised(MachineFailed, vmodl.fault.RequestCanceled()),
    ],
    ids=lambda error: type(error.__cause__ or error).__name__,
)
def test_a_machine_does_not_answer_for_its_site(error: SiteError) -> None:
    """A vCenter that is gone, a right that is lacking, a host without memory: no machine is to blame."""
    assert deserved(error) is None


def test_nobody_gets_a_machine_in_quarantine(store: Store, lease_site: Site) -> None:
    """Others of its build serve; when all are away the cell is refused at once, with each reason and the way out."""
    quarantine(lease_site, lease_site.machines[0], "no snapshot 'clean'", store=store)
    for _ in range(2):
        with leased(lease_site, WIN10, holder="x", store=store) as lease:
            assert lease.entry.path == "DC/vm/b"
    quarantine(lease_site, lease_site.machines[1], "drifted", store=store)
    with pytest.raises(NoMachine) as refused, leased(lease_site, WIN10, holder="x", store=store):
        pytest.fail("a machine came out of quarantine")
    assert str(refused.value) == (
        "build 19044: no machine may be used: DC/vm/a is in quarantine: no snapshot 'clean'; "
        "DC/vm/b is in quarantine: drifted; mend them, then: wincompat leases release MACHINE; "
        "one that is kept: wincompat release SITE MACHINE"
    )
    assert release(store, key_of(lease_site, lease_site.machines[0])) == "no snapshot 'clean'"
    with leased(lease_site, WIN10, holder="x", store=store) as lease:
        assert lease.entry.path == "DC/vm/a"


def test_a_quarantine_may_end_by_itself(store: Store, lease_site: Site, clock: Clock) -> None:
    """One with a time limit is over when that has passed."""
    quarantine(lease_site, lease_site.machines[2], "the network was down", 60, store=store)
    with (
        pytest.raises(NoMachine, match=r"in quarantine until .*: the network was down"),
        leased(lease_site, ONLY, holder="x", store=store),
    ):
        pytest.fail("too early")
    clock.passes(60)
    with leased(lease_site, ONLY, holder="x", store=store) as lease:
        assert lease.entry.path == "DC/vm/c"


def test_a_machine_on_trial(store: Store, lease_site: Site, clock: Clock) -> None:
    """What it is to blame for puts it away, tells the cell so, and is raised all the same."""
    told: list[str] = []
    lease = held(store, lease_site, clock, holder="x", entry=lease_site.machines[2])
    with pytest.raises(SiteUnreachable), on_trial(lease, tell=told.append):
        raise raised(SiteUnreachable)
    assert told == []
    with pytest.raises(MachineFailed), on_trial(lease, tell=told.append):
        raise raised(MachineFailed)
    assert told == [
        "DC/vm/c is in quarantine until it is released; once it is mended: wincompat leases release DC/vm/c"
    ]
    lease.confirm()  # whoever has it keeps it
    lease.give_back()
    with pytest.raises(NoMachine, match="it went wrong"), leased(lease_site, ONLY, holder="y", store=store):
        pytest.fail("a machine came out of quarantine")
