"""What happens to leases, in few words: time passes, someone takes a machine, someone waits."""

from __future__ import annotations

import time
from collections.abc import Sequence

import sqlalchemy

from harness.machines.leases.lease import Lease
from harness.machines.leases.line import Place, Taken
from harness.machines.leases.register import key_of
from harness.machines.leases.store import Store
from harness.site import Site, SiteMachine

EXPIRES = 60.0


class Clock:
    """A time that passes when it is told to."""

    def __init__(self) -> None:
        self.seconds = time.time()

    def __call__(self) -> float:
        """Tell the time."""
        return self.seconds

    def of_the_store(self, _: sqlalchemy.Connection) -> float:
        """Tell the time as a database would."""
        return self.seconds

    def passes(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


def line_up(store: Store, site: Site, clock: Clock, *, holder: str, entries: Sequence[SiteMachine] = ()) -> Place:
    """Make a place in the line; it lines up when it is first asked for a machine."""
    keys = [key_of(site, entry) for entry in entries or site.machines[:1]]
    return Place(store, keys, holder=holder, expires=EXPIRES, clock=clock)


def held(store: Store, site: Site, clock: Clock, *, holder: str, entry: SiteMachine | None = None) -> Lease:
    """Take a machine, and hold it without a heartbeat."""
    entry = entry or site.machines[0]
    asked = clock()
    taken: Taken = line_up(store, site, clock, holder=holder, entries=[entry]).attempt()
    return Lease(store, entry, taken, expires=EXPIRES, asked=asked, clock=clock)
