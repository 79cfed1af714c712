"""Waiting in line: whoever came first gets the first machine that serves him, across processes and hosts."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from harness.errors import LeasesUnreachable
from harness.machines.leases.register import Key, Standing, enter, standings, this
from harness.machines.leases.store import Store, Turn
from harness.machines.leases.tables import machines, tickets
from harness.machines.leases.waits import AllHeld


@dataclass(frozen=True, slots=True)
class Taken:
    """A machine that is ours: its name in the store, the token of the lease, and what it is ours for."""

    key: Key
    token: int
    holder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Somebody who waits for one of several machines of a vCenter; times are by the store's clock."""

    number: int
    vcenter: str
    wants: list[str]
    holder: str
    controller: str
    since: float
    expires: float


class AllQuarantined(Exception):
    """Nothing that serves will come free in time: every such machine is in quarantine or kept for a person."""


def shares(waiting: Mapping[int, Sequence[str]], free: Sequence[str]) -> dict[int, str]:
    """Say who of those that wait gets which machine.

    ``waiting`` is ticket to what it wants, in the order of arrival; ``free`` is in the order of preference.
    """
    left = list(free)
    given: dict[int, str] = {}
    for ticket, wants in waiting.items():
        fits = next((one for one in left if one in wants), None)
        if fits is not None:
            given[ticket] = fits
            left.remove(fits)
    return given


class Place:
    """A place in the line for any one of several machines of a vCenter; it lapses when nobody asks any more.

    ``expires`` is how long the place, and then the lease, lasts without being renewed (seconds); ``within``
    is how long one is ready to wait.
    """

    def __init__(
        self,
        store: Store,
        keys: Sequence[Key],
        *,
        holder: str,
        expires: float,
        within: float = 0.0,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._keys = list(keys)
        self._vcenter = keys[0].vcenter
        self._holder = holder
        self._expires = expires
        self._within = within
        self._clock = clock
        self._ticket: int | None = None
        self._renew_at = 0.0
        self._heard = clock()

    def attempt(self) -> Taken:
        """Take a machine when it is our turn; raises AllHeld, AllQuarantined, LeasesUnreachable."""
        asked = self._clock()
        # to look costs others nothing, and most of the time it is all there is to do
        taken = None if asked < self._renew_at and not self._may_be_served() else self._change(asked)
        self._heard = asked
        if taken is None:
            raise AllHeld
        return taken

    def patient(self, error: BaseException) -> bool:
        """Whether an error is ridden out: a store that answered a while ago may answer again."""
        return isinstance(error, LeasesUnreachable) and self._clock() - self._heard < self._expires

    def others(self) -> list[str]:
        """Say why each of the machines is not ours."""
        with self._store.reading() as turn:
            return [one.told(turn.now) for one in self._candidates(turn)]

    def leave(self) -> None:
        """Give the place up."""
        if self._ticket is not None:
            with contextlib.suppress(LeasesUnreachable), self._store.changing() as turn:  # else it lapses
                turn.connection.execute(delete(tickets).where(tickets.c.number == self._ticket))
            self._ticket = None

    def _may_be_served(self) -> bool:
        with self._store.reading() as turn:
            return self._share(turn) is not None

    def _change(self, asked: float) -> Taken | None:
        with self._store.changing() as turn:
            turn.connection.execute(delete(tickets).where(tickets.c.expires <= turn.now))
            enter(turn, self._keys)
            self._stand(turn)
            share = self._share(turn)
            taken = None if share is None else self._take(turn, share)
        # only now: the transaction has ended well
        if taken is not None:
            self._ticket = None
        self._renew_at = asked + self._expires / 3
        return taken

    def _stand(self, turn: Turn) -> None:
        until = turn.now + self._expires
        if self._ticket is not None:
            renewed = update(tickets).where(tickets.c.number == self._ticket).values(expires=until)
            if turn.connection.execute(renewed).rowcount:
                return
        made = turn.connection.execute(
            insert(tickets).values(
                vcenter=self._vcenter,
                wants=json.dumps([key.machine for key in self._keys]),
                holder=self._holder,
                controller=controller(),
                since=turn.now,
                expires=until,
            )
        )
        (self._ticket,) = made.inserted_primary_key or (None,)

    def _share(self, turn: Turn) -> str | None:
        """Say which machine would be ours now, or none."""
        candidates = self._candidates(turn)  # none are in a store that was made anew
        if candidates and all(one.is_away(turn.now, within=self._within) for one in candidates):
            raise AllQuarantined
        free = [one for one in standings(turn, self._vcenter) if one.free(turn.now)]
        free.sort(key=lambda one: one.used)  # machines wear evenly, and one that misbehaves is not met again at once
        line = {one.number: one.wants for one in waiting(turn, self._vcenter)}
        return shares(line, [one.machine for one in free]).get(self._ticket or 0)

    def _take(self, turn: Turn, machine: str) -> Taken:
        key = Key(self._vcenter, machine)
        turn.connection.execute(
            update(machines)
            .where(this(key))
            .values(
                token=machines.c.token + 1,
                holder=self._holder,
                controller=controller(),
                since=turn.now,
                expires=turn.now + self._expires,
                kept=None,
                used=turn.now,
                quarantined=None,
                quarantined_since=None,
                quarantined_until=None,
            )
        )
        turn.connection.execute(delete(tickets).where(tickets.c.number == self._ticket))
        token = turn.connection.execute(select(machines.c.token).where(this(key))).scalar_one()
        return Taken(key, int(token), self._holder)

    def _candidates(self, turn: Turn) -> list[Standing]:
        return [one for one in standings(turn, self._vcenter) if Key(one.vcenter, one.machine) in self._keys]


def waiting(turn: Turn, vcenter: str | None = None) -> list[Waiting]:
    """Read who waits for machines of a vCenter, or of all, in the order of arrival."""
    line = select(tickets).where(tickets.c.expires > turn.now).order_by(tickets.c.number)
    if vcenter is not None:
        line = line.where(tickets.c.vcenter == vcenter)
    rows = turn.connection.execute(line).mappings()
    return [Waiting(**{**row, "wants": json.loads(row["wants"])}) for row in rows]


def controller() -> str:
    """Name this process to people who look at the store."""
    return f"process {os.getpid()} on {socket.gethostname()}"
