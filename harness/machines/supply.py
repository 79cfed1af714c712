"""A clean machine for a cell: leased, brought about by the strategy of the site file, given back at the end."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.builds import Build
from harness.errors import LeaseLost, MachineFailed, MachineMissing, SiteRefused
from harness.machines.leases import Lease, leased, on_trial
from harness.machines.strategies import Asked, Supplied, supplying
from harness.machines.strategies.supplying import STEPS
from harness.machines.vcenter import VCenter
from harness.site import SiteMachine

Step = Callable[[str], AbstractContextManager[None]]

# what another strategy may do better; a vCenter that is away, or a lease that is lost, is the same for all of them
_MAY_FALL_BACK = (MachineFailed, MachineMissing, SiteRefused)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a cell wants: a build, and what is told to whom.

    ``run`` and ``holder`` are what leases and clones are signed with; ``tell`` hears what befell a machine, ``warn``
    what is not as the site file has it. ``step`` names and times the parts; ``leased`` learns of each lease.
    """

    build: Build
    run: str
    holder: str
    step: Step
    leased: Callable[[Lease], None]
    tell: Callable[[str], None]
    warn: Callable[[str], None]


@contextmanager
def supplied(vcenter: VCenter, wanted: Wanted) -> Iterator[tuple[Supplied, Lease]]:
    """Have a clean machine of a build, with its lease, until the block ends; raises SiteError.

    Where the strategy of the entry fails and the entry names a fallback, that is taken, with a warning.
    """
    with ExitStack() as held:
        lease = held.enter_context(_lease(vcenter, wanted, None))
        try:
            ready = held.enter_context(_supplying(vcenter, wanted, lease))
        except _MAY_FALL_BACK as error:
            if lease.entry.fallback is None or isinstance(error, LeaseLost):
                raise
            held.close()
            entry = _instead(lease.entry)
            wanted.warn(f"{lease.entry.strategy} failed, fell back on {entry.strategy}: {error}")
            lease = held.enter_context(_lease(vcenter, wanted, entry))
            ready = held.enter_context(_supplying(vcenter, wanted, lease))
        yield ready, lease


@contextmanager
def _lease(vcenter: VCenter, wanted: Wanted, entry: SiteMachine | None) -> Iterator[Lease]:
    with ExitStack() as held:
        with wanted.step("lease a machine"):
            site = vcenter.offering(wanted.build)
            entries = None if entry is None else [entry]
            lease = held.enter_context(leased(site, wanted.build, holder=wanted.holder, entries=entries))
        wanted.leased(lease)
        yield lease


@contextmanager
def _supplying(vcenter: VCenter, wanted: Wanted, lease: Lease) -> Iterator[Supplied]:
    asked = Asked(
        vcenter=vcenter,
        entry=lease.entry,
        run=wanted.run,
        holder=wanted.holder,
        fence=lease.confirm,
        tell=wanted.warn,
    )
    with ExitStack() as held:
        with wanted.step(STEPS[lease.entry.strategy]), on_trial(lease, tell=wanted.tell):
            ready = held.enter_context(supplying(asked))
        yield ready


def _instead(entry: SiteMachine) -> SiteMachine:
    """Make the entry that is fallen back on: the same clone of the same source, or the machine itself."""
    assert entry.fallback is not None  # noqa: S101 - asked for before
    if entry.fallback != "revert":
        return entry.model_copy(update={"strategy": entry.fallback, "fallback": None})
    fields = {name: getattr(entry, name) for name in SiteMachine.model_fields}
    return SiteMachine.model_construct(**{**fields, "strategy": "revert", "fallback": None})


def name_of_run(folder: Path) -> str:
    """Name a run as no other run on any host is named."""
    return f"{folder.name}@{socket.gethostname()}"
