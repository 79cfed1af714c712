"""Checks of the leases: the store answers, and nobody else is at work in the machine that we look into."""

from __future__ import annotations

import os
import socket
from contextlib import closing

from harness.doctor.check import Check
from harness.doctor.controller import room_in
from harness.doctor.finding import Answer, ok, skip, warn
from harness.doctor.visit import MachineVisit, SiteVisit
from harness.errors import NoMachine

_NOW = 0.1  # seconds: a machine that is busy is left alone, not waited for


def _store(visit: SiteVisit) -> Answer:
    """Open the store and read from it."""
    from harness.machines.leases.register import standings
    from harness.machines.leases.store import leases_folder, open_store

    visit.store = visit.held.enter_context(closing(open_store(visit.site)))
    with visit.store.reading() as turn:
        known = standings(turn)
        busy = sum(one.held(turn.now) for one in known)
        away = sum(one.in_quarantine(turn.now) for one in known)
    if visit.site.leases.url is None:
        room = room_in(leases_folder(), "to keep leases in", "name another store in leases.url")
        if room.advice:
            return room
    return ok(f"{visit.store.shown} answers: {busy} leased, {away} in quarantine")


def _lease(visit: MachineVisit) -> Answer:
    """Lease the machine for as long as we look into it; of a source of clones only a clone is leased, to be made."""
    from harness.machines.leases.register import key_of, standing
    from harness.machines.leases.taking import leased

    if visit.entry.strategy != "revert" and not visit.whole.start:
        return ok("a source of clones is leased by nobody")
    with visit.whole.opened.reading() as turn:
        now = standing(turn, key_of(visit.site, visit.entry))
        if now is not None and now.in_quarantine(turn.now):
            name = visit.found.name
            return warn(f"in quarantine: {now.quarantined}", f"mend it, then: wincompat leases release {name}")
    budgets = visit.site.budgets.model_copy(update={"lease": _NOW})
    site = visit.site.model_copy(update={"budgets": budgets})
    holder = f"wincompat doctor on {socket.gethostname()} (process {os.getpid()})"
    entries = visit.whole.connected.slots(visit.entry)
    try:
        visit.lease = visit.held.enter_context(
            leased(site, visit.entry.windows, holder=holder, entries=entries, store=visit.whole.opened)
        )
    except NoMachine as error:
        visit.in_use = error.problem.partition(": ")[2] or error.problem
        return skip(f"in use: {visit.in_use}", "look again when it is free; wincompat leases")
    return ok("free; leased for as long as this looks")


STORE: Check[SiteVisit] = Check("leases", (), _store)
LEASE: Check[MachineVisit] = Check("lease", ("leases", "machine"), _lease)
