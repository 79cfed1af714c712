"""Whether a guest can be looked into: on already or, when asked to, brought about as a cell would have it."""

from __future__ import annotations

import socket
import time

from harness.doctor import network, wsman
from harness.doctor.check import Check
from harness.doctor.finding import Answer, Mark, fail, ok, skip
from harness.doctor.visit import MachineVisit
from harness.doctor.waits import NotUpYet, until_the_guest_is_up
from harness.site import FROM_TOOLS

_KNOCK = 2.0


def _up(visit: MachineVisit) -> Answer:
    if visit.in_use:
        return skip("in use", "look again when it is free")
    if visit.whole.start:
        return _started(visit) if visit.entry.strategy == "revert" else _cloned(visit)
    if visit.seen.frozen:
        return skip("frozen: a source of clones answers nobody", "--start makes a clone and looks")
    if not visit.seen.on and visit.entry.strategy != "revert":
        return skip("off; its guest is seen in clones only", "--start makes one and looks")
    if not visit.seen.on:
        return skip("off", "--start reverts it and looks")
    return ok("powered on")


def _started(visit: MachineVisit) -> Answer:
    machine = visit.found
    began = time.monotonic()
    if not visit.seen.on:
        visit.held.callback(machine.power_off)  # left as it was found
    machine.revert()
    return _looked_for(visit, began, "reverted")


def _cloned(visit: MachineVisit) -> Answer:
    """Make a clone, which goes when all is looked at; what is looked at from here on is the clone."""
    from harness.machines.strategies import Asked, supplying

    lease = visit.lease
    assert lease is not None  # noqa: S101 - the table says that this check needs the lease
    holder = f"wincompat doctor on {socket.gethostname()}"
    asked = Asked(vcenter=visit.whole.connected, entry=lease.entry, run=holder, holder=holder, fence=lease.confirm)
    began = time.monotonic()
    visit.machine = visit.held.enter_context(supplying(asked)).machine
    address = visit.machine.entry.address
    visit.address = "" if address == FROM_TOOLS else address
    return _looked_for(visit, began, f"cloned as {visit.machine.name}")


def _looked_for(visit: MachineVisit, began: float, how: str) -> Answer:
    """Knock until WS-Man answers, and say how long each part took."""
    machine, ready = visit.found, visit.site.budgets.ready
    took = time.monotonic() - began
    try:
        until_the_guest_is_up(ready)(lambda: _knock(visit))
    except NotUpYet as silence:
        return fail(
            f"{how} and powered on, but not up within {ready:g} s: {silence}",
            "look at its console in vSphere; is the address right, does WinRM listen?",
        )
    visit.condition = machine.condition()
    return ok(f"{how} in {took:.1f} s, up {time.monotonic() - began - took:.1f} s later")


def _knock(visit: MachineVisit) -> None:
    """Raise NotUpYet unless WS-Man answers where the guest is to be."""
    winrm = visit.site.winrm
    addresses = (visit.address,) if visit.address else visit.found.condition().addresses
    if not addresses:
        raise NotUpYet("VMware Tools tell no address")
    address, port = addresses[0], winrm.listening_port
    door = network.port_opens(address, port, within=_KNOCK, advice="")
    if door.mark is Mark.FAIL:
        raise NotUpYet(door.words)
    # without looking at the certificate, which is another check's to judge
    tls = network.unverified() if winrm.scheme == "https" else None
    if wsman.identified(address, port, tls=tls, within=_KNOCK).mark is Mark.FAIL:
        raise NotUpYet(f"{address}:{port} takes connections, and WS-Man does not answer")


UP: Check[MachineVisit] = Check("up", ("power", "lease"), _up)
