"""Checks of the way into a guest: port, certificate, WS-Man, accounts, and whether it is the one that we mean."""

from __future__ import annotations

import ssl

from harness.doctor import network, wsman
from harness.doctor.check import Check
from harness.doctor.finding import Answer, fail, ok, skip
from harness.doctor.vcenter import KNOCK
from harness.doctor.visit import MachineVisit
from harness.site import WinRM

COMMAND = 30.0
"""Seconds for a command in the guest: a Windows that has just come up, or whose host is busy, takes its time."""


def _port(visit: MachineVisit) -> Answer:
    port = visit.site.winrm.listening_port
    return network.port_opens(
        visit.address,
        port,
        within=KNOCK,
        advice=f"check the address, that WinRM listens on {port} in the guest, and the firewalls of both",
    )


def trust(winrm: WinRM) -> ssl.SSLContext:
    """Trust whom the WinRM client trusts: the site's CA file, or else what requests takes along."""
    import certifi

    if not winrm.verify:
        return network.unverified()
    return ssl.create_default_context(cafile=str(winrm.ca_file or certifi.where()))


def _certificate(visit: MachineVisit) -> Answer:
    winrm = visit.site.winrm
    if winrm.scheme == "http":
        return ok("no TLS: NTLM seals the messages" if winrm.auth != "basic" else "no TLS")
    how = "verified" if winrm.verify else ""
    port = winrm.listening_port
    return network.trusted(visit.address, port, tls=trust(winrm), within=KNOCK, part="winrm", how=how)


def _wsman(visit: MachineVisit) -> Answer:
    winrm = visit.site.winrm
    tls = trust(winrm) if winrm.scheme == "https" else None
    return wsman.identified(visit.address, winrm.listening_port, tls=tls, within=KNOCK)


def _administrator(visit: MachineVisit) -> Answer:
    from harness.guest.guest import Guest

    entry = visit.entry.model_copy(update={"address": visit.address, "path": visit.found.path})
    visit.guest = Guest.of(visit.site, entry)
    visit.held.callback(visit.guest.close)
    # one question, asked once: an account that is refused again and again is locked
    return ok(f"{visit.guest.facts().account} is logged in")


def _build(visit: MachineVisit) -> Answer:
    facts, wanted = visit.inside.facts(), visit.entry.windows
    if facts.build.number != wanted.number or wanted.revision not in (0, facts.build.revision):
        return fail(
            f"it carries build {facts.build}, not {wanted}", "correct 'build', or the snapshot if Windows updated"
        )
    return ok(f"{facts.build.name} ({facts.build}), {facts.provenance}")


def _name(visit: MachineVisit) -> Answer:
    here = visit.inside.run("echo %COMPUTERNAME%", deadline=COMMAND).stdout.strip()
    told = visit.seen.host_name.partition(".")[0]
    if told and here[:15].casefold() != told[:15].casefold():
        return fail(
            f"{visit.address} is the Windows {here!r}, and VMware Tools call this machine's {told!r}",
            "correct the address: it leads to another machine",
        )
    return ok(here)


def _standard(visit: MachineVisit) -> Answer:
    if "standard" not in visit.site.accounts:
        return skip("the site has no standard account")
    guest = visit.inside.as_account("standard")
    return ok(f"{guest.facts().account} is logged in")


CHECKS: tuple[Check[MachineVisit], ...] = (
    Check("guest port", ("address",), _port),
    Check("guest certificate", ("guest port",), _certificate),
    Check("guest ws-man", ("guest certificate",), _wsman),
    Check("guest administrator", ("secret administrator", "guest ws-man"), _administrator),
    Check("guest name", ("guest administrator",), _name),
    Check("guest build", ("guest administrator",), _build),
    Check("guest standard", ("secret standard", "guest administrator"), _standard),
)
