"""Checks of a machine as vSphere shows it: found, snapshot, power, Tools, address."""

from __future__ import annotations

from harness.doctor import network
from harness.doctor.check import Check
from harness.doctor.finding import Answer, fail, ok, warn
from harness.doctor.visit import MachineVisit
from harness.site import FROM_TOOLS


def _machine(visit: MachineVisit) -> Answer:
    visit.machine = visit.whole.connected.machine(visit.entry)
    return ok(visit.machine.path)


def _snapshot(visit: MachineVisit) -> Answer:
    seen = visit.found.snapshot_seen()
    words = f"{seen.path}, taken on {seen.taken:%Y-%m-%d}"
    if visit.entry.strategy == "revert":
        comes_up = "with memory: comes back running" if seen.with_memory else "without memory: Windows boots each time"
        return ok(f"{words}, {comes_up}")
    return ok(words)


def _clones(visit: MachineVisit) -> Answer:
    if visit.entry.strategy == "revert":
        return ok("none: it is reverted")
    visit.whole.connected.find_places(visit.found)
    return ok(f"{visit.entry.strategy}, {visit.entry.clones.at_most} at most, and the places they go to are there")


def _condition(visit: MachineVisit) -> Answer:
    visit.condition = seen = visit.found.condition()
    if seen.connection != "connected":
        return fail(f"vSphere shows it as {seen.connection}", "look at the host that it runs on in vSphere")
    if seen.question:
        return fail(f"vSphere waits for an answer to {seen.question!r}", "answer it in vSphere")
    if seen.template:
        return fail("it is a template, which cannot be reverted", "convert it to a virtual machine in vSphere")
    if visit.entry.strategy == "instant-clone" and not seen.on:
        return fail("it is off; instant clones need a running source", "power it on and have its guest frozen")
    if not seen.on and visit.entry.strategy == "linked-clone":
        return ok("off, as a source of clones may be")
    if not seen.on:
        return ok("off; a lease reverts it and powers it on")
    return ok(f"on since {seen.since:%Y-%m-%d %H:%M}" if seen.since else "on")


def _tools(visit: MachineVisit) -> Answer:
    seen = visit.seen
    losing = "no file can be brought into the guest"
    if visit.entry.address == FROM_TOOLS and not visit.address:
        losing += ", and its address is to come from them"
    if seen.tools == "not installed":
        return fail(f"not installed: {losing}", "install VMware Tools and take the snapshot again")
    if seen.tools != "running":
        return fail(f"{seen.tools} though the machine is on: {losing}", "look at the VMware Tools service in the guest")
    if seen.tools_are_old:
        return warn("running, in an old version", "upgrade VMware Tools and take the snapshot again")
    return ok("running")


def _address(visit: MachineVisit) -> Answer:
    told = visit.seen.addresses
    if not visit.address:
        if not told:
            return fail("VMware Tools tell no address", "look at the guest's network, or write its address")
        visit.address = next((one for one in told if ":" not in one), told[0])
        return ok(f"{visit.address}, from VMware Tools")
    answer = network.name_resolves(visit.address, key="the machine's address")
    if answer.advice or not told:
        return answer
    if not set(network.resolved(visit.address)) & set(told):
        return warn(
            f"{answer.words}, and VMware Tools tell {', '.join(told[:4])}",
            "correct the address, unless there is a translating router between: another machine may have it",
        )
    return ok(
        f"{answer.words}, as VMware Tools tell"
        if visit.address not in told
        else f"{visit.address}, as VMware Tools tell"
    )


CHECKS: tuple[Check[MachineVisit], ...] = (
    Check("machine", ("vcenter log-in",), _machine),
    Check("snapshot", ("machine",), _snapshot),
    Check("clones", ("machine",), _clones),
    Check("power", ("machine",), _condition),
)

CHECKS_WHEN_UP: tuple[Check[MachineVisit], ...] = (
    Check("vmware tools", ("up",), _tools),
    Check("address", ("up",), _address),
)
