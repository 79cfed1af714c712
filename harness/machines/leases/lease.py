"""A lease: the right to use one machine alone, kept up by a heartbeat and proven by a token that only grows."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from sqlalchemy import insert, update

from harness.errors import LeaseLost, LeasesUnreachable
from harness.machines.leases.clock import uptime
from harness.machines.leases.line import Taken, controller
from harness.machines.leases.register import standing, this
from harness.machines.leases.store import Store, Turn
from harness.machines.leases.tables import machines
from harness.site import SiteMachine

log = logging.getLogger(__name__)

BEATS = 3
"""How often a lease is renewed in the time that it lasts."""

_RETRIES = 15  # how often one would try to, while the store does not answer


class Lease:
    """One machine, ours alone until it is given back, lost or broken.

    ``expires`` is how many seconds it lasts without being renewed; ``asked`` is when it was asked for, on ``clock``.
    """

    def __init__(
        self,
        store: Store,
        entry: SiteMachine,
        taken: Taken,
        *,
        expires: float,
        asked: float,
        clock: Callable[[], float] = uptime,
    ) -> None:
        self.entry = entry
        self.token = taken.token
        self._key = taken.key
        self._holder = taken.holder
        self._store = store
        self._expires = expires
        self._clock = clock
        # counted from the question: the store began to count later, so it never gives away what we think is ours
        self._ours_until = asked + expires
        self._lost = ""
        self._trouble = ""
        self._file = store.file()
        self._kept = False
        self._alone = threading.Lock()
        self._end = threading.Event()
        self._heartbeat = threading.Thread(target=self._beat_on, name=f"lease of {self._key.machine}", daemon=True)

    @property
    def way_out(self) -> str:
        """The command that lets others have the machine again when it was kept or put away."""
        return f"wincompat leases release {self._key.machine}{self._store.option}"

    def __repr__(self) -> str:
        return f"<Lease of {self._key.machine}, token {self.token}>"

    def start(self) -> None:
        """Renew it from a thread of its own from now on."""
        self._heartbeat.start()

    def check(self) -> None:
        """Raise LeaseLost unless the machine is ours, by what was last heard from the store.

        Costs one look at the store's file: when that was deleted, or another one was put in its place, the store is
        asked.
        """
        if (there := self._store.file()) != self._file:
            self._file = there  # the heartbeat asks again
            self._renew()
        if not self._lost and self._clock() >= self._ours_until:
            said = f": {self._trouble}" if self._trouble else ""
            raise self._is_lost(f"its lease could not be renewed for {self._expires:g} s{said}")
        if self._lost:
            raise self._is_lost(self._lost)

    def confirm(self) -> None:
        """Renew it and raise LeaseLost unless the store says that the machine is ours.

        While the store does not answer, what was last heard from it holds. vSphere knows no tokens: a process that
        stands still after this answer and before its call is the one gap that is left.
        """
        self._renew()
        self.check()

    def beat(self) -> None:
        """Renew it, unless it is lost or kept; raises LeasesUnreachable."""
        with self._alone:
            if self._lost or self._kept or self._end.is_set():
                return
            asked = self._clock()
            with self._store.changing() as turn:
                # also when it has expired: as long as the token is ours, nobody has had the machine since
                ours = self._change(turn, expires=turn.now + self._expires)
                self._lost = "" if ours else self._why(turn)
            self._file, self._trouble = self._store.file(), ""
            if ours:
                self._ours_until = asked + self._expires

    def keep(self, seconds: float, reason: str) -> None:
        """Have the machine to ourselves for some seconds from now, also when this process is gone.

        ``wincompat leases release`` gives it back earlier. Raises LeaseLost, LeasesUnreachable.
        """
        with self._alone:
            asked = self._clock()
            with self._store.changing() as turn:
                ours = self._change(turn, expires=turn.now + seconds, kept=reason)
                self._lost = "" if ours else self._why(turn)
            if ours:
                self._kept, self._ours_until = True, asked + seconds
        self.check()

    def quarantine(self, reason: str, seconds: float | None = None) -> None:
        """Have nobody lease the machine after us, for some seconds or until somebody releases it.

        Nothing happens when the lease is lost: what went wrong may be another's doing. Raises LeasesUnreachable.
        """
        with self._alone, self._store.changing() as turn:
            until = None if seconds is None else turn.now + seconds
            self._change(turn, quarantined=reason, quarantined_since=turn.now, quarantined_until=until)

    def give_back(self) -> None:
        """End it; raises LeaseLost when it had been lost, so that nobody trusts what was seen meanwhile."""
        self._end.set()
        if self._heartbeat.ident is not None:
            self._heartbeat.join(1.0)  # it may be waiting for the store; what it does after us changes nothing
        if self._kept:
            return
        try:
            with self._store.changing() as turn:
                ours = self._change(turn, holder=None, controller=None, since=None, expires=None, used=turn.now)
                self._lost = self._lost if ours else self._lost or self._why(turn)
        except LeasesUnreachable as error:
            log.warning("%s; %s comes free when its lease expires", error, self._key.machine)
        self.check()

    def _renew(self) -> bool:
        """Renew it and tell whether the store answers; while it does not, the lease holds until it expires."""
        try:
            self.beat()
        except LeasesUnreachable as error:
            self._trouble = error.problem
            log.warning("%s", error)
            return False
        return True

    def _change(self, turn: Turn, **values: object) -> bool:
        held = machines.c.holder.is_not(None)
        mine = update(machines).where(this(self._key), machines.c.token == self.token, held).values(**values)
        if turn.connection.execute(mine).rowcount == 1:
            return True
        if standing(turn, self._key) is not None:
            return False
        # rows are never deleted: this is another store, and nobody has had the machine by it yet
        log.warning("%s was deleted or replaced; the lease of %s is entered anew", self._store.shown, self._key.machine)
        turn.connection.execute(
            insert(machines).values(
                vcenter=self._key.vcenter,
                machine=self._key.machine,
                token=self.token,
                holder=self._holder,
                controller=controller(),
                since=turn.now,
                expires=turn.now + self._expires,
                used=turn.now,
            )
        )
        return turn.connection.execute(mine).rowcount == 1

    def _why(self, turn: Turn) -> str:
        now = standing(turn, self._key)
        if now is None or now.holder is None:
            return "its lease was broken, or the store was deleted and another cell was faster"
        return f"its lease was not renewed in time, or broken, and {now.holder} has it now ({now.controller})"

    def _is_lost(self, why: str) -> LeaseLost:
        return LeaseLost(
            why,
            machine=self._key.machine.rpartition("/")[2],
            advice="run the cell again; see `wincompat leases`, and whether this host stood still or lost the store",
        )

    def _beat_on(self) -> None:
        pause = self._expires / BEATS
        while not self._end.wait(pause) and not self._lost and not self._kept:
            # a silence of the store is ridden out: the lease holds until it expires
            pause = self._expires / (BEATS if self._renew() else _RETRIES)
