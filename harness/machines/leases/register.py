"""How each machine stands: free, leased, kept or in quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, insert, select

from harness.machines.leases.store import Turn
from harness.machines.leases.tables import machines
from harness.site import Site, SiteMachine


class Key(NamedTuple):
    """What a machine is called in the store: its vCenter as host:port, and its path there."""

    vcenter: str
    machine: str


def key_of(site: Site, entry: SiteMachine) -> Key:
    """Name a machine of a site; sites that share machines should name them alike."""
    return Key(vcenter_of(site), entry.lease_name)


def vcenter_of(site: Site) -> str:
    """Name a site's vCenter as the store does, whatever its site file is called."""
    return f"{site.vcenter.host.lower()}:{site.vcenter.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One machine in the store; times are seconds since 1970 by the store's clock."""

    vcenter: str
    machine: str
    token: int
    holder: str | None
    controller: str | None
    since: float | None
    expires: float | None
    kept: str | None
    used: float
    quarantined: str | None
    quarantined_since: float | None
    quarantined_until: float | None

    def held(self, now: float) -> bool:
        """Whether somebody has it, and not longer than the lease lasts."""
        return self.expires is not None and self.expires > now

    def in_quarantine(self, now: float) -> bool:
        """Whether it is kept from everybody."""
        return self.quarantined is not None and (self.quarantined_until is None or self.quarantined_until > now)

    def is_away(self, now: float, *, within: float) -> bool:
        """Whether it is in quarantine, or kept for a person for longer than so many seconds."""
        return self.in_quarantine(now) or (self.kept is not None and self.held(now + within))

    def free(self, now: float) -> bool:
        """Whether it may be leased."""
        return not self.held(now) and not self.in_quarantine(now)

    def told(self, now: float) -> str:
        """Say in half a sentence why it is not free, or that it is."""
        if self.in_quarantine(now):
            until = f" until {clock_time(self.quarantined_until)}" if self.quarantined_until else ""
            return f"{self.machine} is in quarantine{until}: {self.quarantined}"
        if not self.held(now):
            return f"{self.machine} is free"
        if self.kept is not None:
            return f"{self.machine} is kept until {clock_time(self.expires)}: {self.kept}"
        return f"{self.machine} by {self.holder} since {clock_time(self.since)} ({self.controller})"


def standings(turn: Turn, vcenter: str | None = None) -> list[Standing]:
    """Read how every machine of a vCenter stands, or of all."""
    query = select(machines).order_by(machines.c.vcenter, machines.c.machine)
    if vcenter is not None:
        query = query.where(machines.c.vcenter == vcenter)
    return [Standing(**row) for row in turn.connection.execute(query).mappings()]


def standing(turn: Turn, key: Key) -> Standing | None:
    """Read how one machine stands; None when the store has never heard of it."""
    row = turn.connection.execute(select(machines).where(this(key))).mappings().one_or_none()
    return None if row is None else Standing(**row)


def enter(turn: Turn, keys: Sequence[Key]) -> None:
    """Add the machines that the store has not heard of."""
    known = {(one.vcenter, one.machine) for one in standings(turn)}
    first = int(turn.now * 1000)  # in a store that was made anew, no token may be one of those that were given before
    missing = [{**key._asdict(), "token": first} for key in dict.fromkeys(keys) if key not in known]
    if missing:
        turn.connection.execute(insert(machines), missing)


def this(key: Key) -> ColumnElement[bool]:
    """Select the row of a machine."""
    return and_(machines.c.vcenter == key.vcenter, machines.c.machine == key.machine)


def clock_time(seconds: float | None) -> str:
    """Show a time by this host's clock, with the day when it is not today."""
    if seconds is None:
        return "?"
    then = datetime.fromtimestamp(seconds).astimezone()
    today = then.date() == datetime.now().astimezone().date()
    return f"{then:%H:%M:%S}" if today else f"{then:%Y-%m-%d %H:%M}"
