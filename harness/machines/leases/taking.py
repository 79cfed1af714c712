"""Taking a machine for a cell, and giving it back whatever happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from harness.builds import Build
from harness.errors import LeaseLost, NoMachine
from harness.machines.leases.clock import uptime
from harness.machines.leases.lease import Lease
from harness.machines.leases.line import AllQuarantined, Place, Taken
from harness.machines.leases.register import key_of
from harness.machines.leases.store import Store, open_store
from harness.machines.leases.waits import AllHeld, until_a_machine_is_free
from harness.site import Site, SiteMachine


@contextmanager
def leased(
    site: Site,
    build: Build,
    *,
    holder: str,
    entries: Sequence[SiteMachine] | None = None,
    store: Store | None = None,
    clock: Callable[[], float] = uptime,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Lease]:
    """Hold one machine of this build alone until the block ends; of several free ones, the one unused for longest.

    ``holder`` says who holds it, to those who wait; ``entries`` are the machines that serve, those of the site file
    with this build unless given. Raises NoMachine at once when there are none or all are in quarantine, and after
    ``site.budgets.lease`` seconds when none came free, naming who holds them; LeasesUnreachable when the store does
    not answer; LeaseLost at the end when the lease was lost meanwhile.
    """
    entries = serving(site, build) if entries is None else entries
    ours = store if store is not None else open_store(site)
    try:
        lease = _first_free(site, build, entries, ours, holder, clock, sleep)
        try:
            lease.start()
            yield lease
        except BaseException as error:
            try:
                lease.give_back()
            except LeaseLost as lost:
                error.add_note(str(lost))
            raise
        lease.give_back()
    finally:
        if ours is not store:
            ours.close()


def serving(site: Site, build: Build) -> list[SiteMachine]:
    """Find the machines of a site with this build; raises NoMachine naming the builds that it has."""
    fits = [entry for entry in site.machines if entry.carries(build)]
    if not fits:
        has = ", ".join(str(known) for known in sorted({entry.windows for entry in site.machines}))
        raise NoMachine(
            f"no machine of site {site.name!r} carries it",
            machine=f"build {build}",
            advice=f"the site has {has}; add a [[machines]] entry or leave the build out",
        )
    return fits


def _first_free(
    site: Site,
    build: Build,
    entries: Sequence[SiteMachine],
    store: Store,
    holder: str,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Lease:
    expires = site.leases.expires
    named = {key_of(site, entry): entry for entry in entries}
    place = Place(store, list(named), holder=holder, expires=expires, within=site.budgets.lease, clock=clock)

    def attempt() -> tuple[float, Taken]:
        return clock(), place.attempt()

    try:
        asked, taken = until_a_machine_is_free(site.budgets.lease, patient=place.patient, sleep=sleep)(attempt)
    except AllHeld:
        raise NoMachine(
            f"no machine came free in {site.budgets.lease:g} s: {'; '.join(place.others())}",
            machine=f"build {build}",
            advice="wait for them, add machines to the site, or raise budgets.lease",
        ) from None
    except AllQuarantined:
        raise NoMachine(
            f"no machine may be used: {'; '.join(place.others())}",
            machine=f"build {build}",
            advice=f"mend them, then: wincompat leases release MACHINE{store.option}; "
            "one that is kept: wincompat release SITE MACHINE",
        ) from None
    finally:
        place.leave()
    return Lease(store, named[taken.key], taken, expires=expires, asked=asked, clock=clock)
