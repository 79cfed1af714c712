"""Quarantine: a machine that cannot give what its cells need is kept from them until somebody has looked at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyVmomi import vim, vmodl
from sqlalchemy import update

from harness.errors import (
    Drifted,
    GuestUnreachable,
    LeasesUnreachable,
    MachineFailed,
    MachineMissing,
    NotTold,
    SiteError,
)
from harness.machines.border import Forgotten, Outlived
from harness.machines.leases.lease import Lease
from harness.machines.leases.register import Key, enter, key_of, standing, this
from harness.machines.leases.store import Store, Turn, open_store
from harness.machines.leases.tables import machines
from harness.site import Site, SiteMachine

PASSING = 1800.0
"""Seconds for what may be over by itself: a slow datastore, a network that was down."""

# what a task on one machine fails with when it is the host, the cluster or a person that is the reason
_NOT_THE_MACHINES = (
    vim.fault.InsufficientResourcesFault,
    vim.fault.HostConnectFault,
    vim.fault.NoDiskSpace,
    vim.fault.Timedout,
    vim.fault.TaskInProgress,
    vmodl.fault.HostCommunication,
    vmodl.fault.RequestCanceled,
    vmodl.fault.NotEnoughLicenses,
    vmodl.fault.NotSupported,
)


@dataclass(frozen=True, slots=True)
class Term:
    """Why a machine is put into quarantine, and for how many seconds; None is until somebody releases it."""

    reason: str
    seconds: float | None


def deserved(error: SiteError) -> Term | None:
    """Judge what went wrong between the lease and the guest's first answer; None when it was not the machine.

    A vCenter that does not answer, a right that is lacking and an account that is refused are no machine's fault: they
    would send every machine of the site into quarantine, one after the other.
    """
    reason = error.problem
    match error:
        case GuestUnreachable():
            return Term(reason, PASSING)  # or the network between it and us
        case MachineFailed() if isinstance(error.__cause__, Forgotten):
            return None
        case MachineFailed() if isinstance(error.__cause__, Outlived):
            return Term(reason, PASSING)
        case MachineFailed() if isinstance(error.__cause__, _NOT_THE_MACHINES):
            return None
        case NotTold():
            return None
        case MachineFailed() | MachineMissing() | Drifted():
            return Term(reason, None)
        case _:
            return None


@contextmanager
def on_trial(lease: Lease, *, tell: Callable[[str], object]) -> Iterator[None]:
    """Judge what goes wrong inside, and keep a machine that is to blame from the cells that follow."""
    try:
        yield
    except SiteError as error:
        term = deserved(error)
        if term is not None and lease.entry.strategy == "revert":  # a clone is thrown away anyhow
            name = lease.entry.lease_name
            until = "until it is released" if term.seconds is None else f"for {term.seconds / 60:g} minutes"
            try:
                lease.quarantine(term.reason, term.seconds)
                tell(f"{name} is in quarantine {until}; once it is mended: {lease.way_out}")
            except LeasesUnreachable as unreachable:
                tell(f"{name} belongs in quarantine: {unreachable}")
        raise


def quarantine(
    site: Site, entry: SiteMachine, reason: str, seconds: float | None = None, *, store: Store | None = None
) -> None:
    """Keep a machine of a site from everybody for some seconds, or until it is released; raises LeasesUnreachable."""
    ours = store if store is not None else open_store(site)
    try:
        put_away(ours, key_of(site, entry), reason, seconds)
    finally:
        if ours is not store:
            ours.close()


def put_away(store: Store, key: Key, reason: str, seconds: float | None = None) -> None:
    """Keep a machine from everybody who comes from now on; who has it keeps it."""
    with store.changing() as turn:
        enter(turn, [key])
        until = None if seconds is None else turn.now + seconds
        values = {"quarantined": reason, "quarantined_since": turn.now, "quarantined_until": until}
        turn.connection.execute(update(machines).where(this(key)).values(values))


def release(store: Store, key: Key) -> str | None:
    """End the quarantine of a machine, or the time that it is kept for a person; gives why it was so, or None."""
    with store.changing() as turn:
        now = standing(turn, key)
        why = None
        if now is not None and now.in_quarantine(turn.now):
            why = now.quarantined
        if now is not None and now.kept is not None and now.held(turn.now):
            why = why or now.kept
            _end_the_lease(turn, key)
        nothing = {"quarantined": None, "quarantined_since": None, "quarantined_until": None}
        turn.connection.execute(update(machines).where(this(key)).values(nothing))
    return why


def break_lease(store: Store, key: Key) -> str | None:
    """Take a machine from whoever has it, who finds out before his next command; gives who that was, or None."""
    with store.changing() as turn:
        now = standing(turn, key)
        if now is None or not now.held(turn.now):
            return None
        _end_the_lease(turn, key)
    return f"{now.holder} ({now.controller})"


def _end_the_lease(turn: Turn, key: Key) -> None:
    nobody = {"holder": None, "controller": None, "since": None, "expires": None, "kept": None}
    later = {"token": machines.c.token + 1, "used": turn.now}
    turn.connection.execute(update(machines).where(this(key)).values({**nobody, **later}))
