"""Checks of the way to the vCenter, and of what it lets us do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from harness.doctor import network
from harness.doctor.check import Check
from harness.doctor.finding import Answer, fail, ok, warn
from harness.doctor.visit import SiteVisit
from harness.errors import SiteError

if TYPE_CHECKING:
    from harness.machines.machine import Machine

KNOCK = 5.0
"""Seconds for a connection, or a handshake, that a server in good health answers at once."""

_LATE, _WRONG = 5.0, 300.0  # seconds of clock skew: lease times and events disagree; Kerberos and TLS fail
_OLDEST = (6, 5)


def _dns(visit: SiteVisit) -> Answer:
    return network.name_resolves(visit.site.vcenter.host, key="vcenter.host")


def _port(visit: SiteVisit) -> Answer:
    vcenter = visit.site.vcenter
    advice = "check vcenter.host and vcenter.port, and that the vCenter is up and reachable from here"
    return network.port_opens(vcenter.host, vcenter.port, within=KNOCK, advice=advice)


def _tls(visit: SiteVisit) -> Answer:
    from harness.machines.stub import trust

    vcenter = visit.site.vcenter
    how = "pinned" if vcenter.thumbprint else "verified" if vcenter.verify else ""
    return network.trusted(vcenter.host, vcenter.port, tls=trust(vcenter), within=KNOCK, part="vcenter", how=how)


def _log_in(visit: SiteVisit) -> Answer:
    from harness.machines.vcenter import connected

    visit.vcenter = visit.held.enter_context(connected(visit.site))
    return ok(f"{visit.site.vcenter.user} is logged in to {visit.vcenter.about.name}")


def _api(visit: SiteVisit) -> Answer:
    about = visit.connected.about
    words = f"vSphere API {about.api}"
    if about.kind != "VirtualCenter":
        return warn(
            f"{words} of a lone host ({about.kind}), which cannot clone",
            "name a vCenter in vcenter.host to have clones",
        )
    if tuple(int(part) for part in about.api.split(".")[:2] if part.isdecimal()) < _OLDEST:
        return warn(f"{words} is older than anything this was tried with", "update the vCenter to 6.5 or newer")
    return ok(words)


def _clock(visit: SiteVisit) -> Answer:
    before = datetime.now(UTC)
    theirs = visit.connected.now()
    took = datetime.now(UTC) - before
    ahead = (theirs.astimezone(UTC) - before - took / 2) / timedelta(seconds=1)
    words = f"the vCenter's clock is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} ours"
    if abs(ahead) < _LATE:
        return ok(words)
    advice = "have both ask the same time server (NTP)"
    return warn(words, advice) if abs(ahead) < _WRONG else fail(words, advice)


def _privileges(visit: SiteVisit) -> Answer:
    machines = list(_found(visit))
    try:
        lacks = visit.connected.lacks(machines)
    except SiteError as error:
        return warn(f"cannot be told: {error.problem}", f"look at the role of {visit.site.vcenter.user} in vSphere")
    user = visit.site.vcenter.user
    advice = f"add them in vSphere to the role that {user} has there"
    required = [lack for lack in lacks if not lack.privilege.optional]
    words = "; ".join(
        f"{lack.privilege.privilege} on {_some(lack.objects)} ({lack.privilege.why})" for lack in required or lacks
    )
    if required:
        return fail(f"{user} lacks {words}", advice)
    if lacks:
        return warn(f"cells run, though {user} lacks {words}", advice)
    several = f"{len(machines)} machines need" if len(machines) > 1 else "the machine needs"
    return ok(f"{user} has all that {several}" if machines else "no machine to ask about")


def _found(visit: SiteVisit) -> Iterator[Machine]:
    for entry in visit.site.machines:
        with suppress(SiteError):  # what is not there is said of the machine itself
            for one in visit.connected.drawn(entry):
                if visit.picks(one):
                    with suppress(SiteError):
                        machine = visit.connected.machine(one)
                        visit.connected.find_places(machine)
                        yield machine


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


CHECKS: tuple[Check[SiteVisit], ...] = (
    Check("vcenter name", (), _dns),
    Check("vcenter port", ("vcenter name",), _port),
    Check("vcenter certificate", ("vcenter port",), _tls),
    Check("vcenter log-in", ("secret vcenter", "vcenter certificate"), _log_in),
    Check("vcenter api", ("vcenter log-in",), _api),
    Check("vcenter clock", ("vcenter log-in",), _clock),
    Check("vcenter privileges", ("vcenter log-in",), _privileges),
)
