"""Checks of the way into a guest: port, certificate, WS-Man, accounts, and what Windows allows them."""

from __future__ import annotations

import re
import ssl

from harness.doctor import network, quotas, wsman
from harness.doctor.check import Check
from harness.doctor.finding import Answer, fail, ok, skip, warn
from harness.doctor.vcenter import KNOCK
from harness.doctor.visit import MachineVisit
from harness.site import WinRM

GIB = 1 << 30

# opening a file of Windows for writing, and writing nothing: who may do that is more than a standard user
_WRITABLE = r"if exist %SystemRoot%\win.ini (type nul >> %SystemRoot%\win.ini) else (echo missing)"
_GROUPS = "whoami /groups /fo csv /nh"
_POLICY = r"reg query HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System /v LocalAccountTokenFilterPolicy"
_HIGH, _SYSTEM, _ADMINISTRATORS = "S-1-16-12288", "S-1-16-16384", "S-1-5-32-544"

_UNFILTER = (
    r"in the guest, before its snapshot: reg add HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System "
    "/v LocalAccountTokenFilterPolicy /t REG_DWORD /d 1 /f"
)


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
    here = visit.inside.run("echo %COMPUTERNAME%", deadline=KNOCK).stdout.strip()
    told = visit.seen.host_name.partition(".")[0]
    if told and here[:15].casefold() != told[:15].casefold():
        return fail(
            f"{visit.address} is the Windows {here!r}, and VMware Tools call this machine's {told!r}",
            "correct the address: it leads to another machine",
        )
    return ok(here)


def _token(visit: MachineVisit) -> Answer:
    writable, groups, policy = visit.inside.run_each((_WRITABLE, _GROUPS, _POLICY), deadline=KNOCK)
    filtered = _ADMINISTRATORS in groups.stdout and not {_HIGH, _SYSTEM} & set(re.findall(r"S-[\d-]+", groups.stdout))
    if filtered or not _written(writable.exit_code, writable.stderr):
        user = visit.site.accounts["administrator"].user
        if _ADMINISTRATORS not in groups.stdout and "S-1-" in groups.stdout:
            return fail(f"{user} is no administrator of this Windows", "add it to the Administrators, or name another")
        is_set = bool(re.search(r"\b0x1\b", policy.stdout))
        return fail(
            f"{user} has a filtered token over WinRM: it cannot install",
            "log on with the account once and look at UAC" if is_set else _UNFILTER,
        )
    return ok("full: may write where only administrators may")


def _standard(visit: MachineVisit) -> Answer:
    if "standard" not in visit.site.accounts:
        return skip("the site has no standard account")
    guest = visit.inside.as_account("standard")
    return ok(f"{guest.facts().account} is logged in")


def _limits(visit: MachineVisit) -> Answer:
    user = visit.site.accounts["standard"].user
    writable, groups = visit.inside.as_account("standard").run_each((_WRITABLE, _GROUPS), deadline=KNOCK)
    if _ADMINISTRATORS in groups.stdout or _written(writable.exit_code, writable.stderr):
        return fail(
            f"{user} may write where only administrators may: the scenario 'denied' would prove nothing",
            "take it out of the Administrators in the guest, before its snapshot, or name another account",
        )
    if writable.stdout.strip() == "missing":
        return warn("cannot be told: there is no win.ini to try it on", "look at the account's groups in the guest")
    return ok("is refused where only administrators may write")


def _quotas(visit: MachineVisit) -> Answer:
    from harness.guest.advice import site_error
    from harness.guest.transport import Endpoint, Fault, Transport, TransportError

    account = visit.site.accounts["administrator"]
    endpoint = Endpoint(visit.address, visit.site.winrm, account.user, account.password.read())
    transport = Transport(endpoint)
    try:
        return quotas.judged(transport.settings(within=KNOCK))
    except Fault as fault:
        return warn(f"the guest does not tell them: {fault}", "look at 'winrm get winrm/config' in the guest")
    except TransportError as error:
        raise site_error(error, visit.found.name, endpoint, "asking for quotas") from error
    finally:
        transport.disconnect()


def _disk(visit: MachineVisit) -> Answer:
    said = visit.inside.run(r"dir /-c %SystemDrive%\ | findstr /v /r ^$", deadline=KNOCK)
    numbers = re.findall(r"\d{4,}", said.stdout.strip().rpartition("\n")[2])
    if not numbers:
        return warn("it does not tell its free disk", r"run 'dir C:\' in the guest")
    free = int(numbers[-1]) / GIB
    words = f"{free:.1f} GiB free on the system's drive"
    if free < 1:
        return fail(f"{words}: installers will fail with 1632 or 112", "grow the disk, and take the snapshot again")
    return warn(words, "grow the disk, and take the snapshot again") if free < 5 else ok(words)


_LOSING = {
    "curl": "files come by WinRM or VMware Tools instead of HTTP",
    "tar": "zip products cannot be unpacked",
    "certutil": "delivered files are not verified in the guest",
    "wevtutil": "event logs are no evidence",
}


def _tools(visit: MachineVisit) -> Answer:
    facts = visit.inside.facts()
    lacks = [tool for tool in _LOSING if tool not in facts.has]
    if lacks and not facts.is_lab:
        losing = "; ".join(f"{tool}: {_LOSING[tool]}" for tool in lacks)
        return warn(f"without {losing}", "Windows has them in System32 since 17063: see who removed them")
    return ok(", ".join(sorted(facts.has)) + (f"; a lab guest has no {', '.join(lacks)}" if lacks else ""))


def _written(exit_code: int, complaint: str) -> bool:
    return exit_code == 0 and not complaint.strip()


CHECKS: tuple[Check[MachineVisit], ...] = (
    Check("guest port", ("address",), _port),
    Check("guest certificate", ("guest port",), _certificate),
    Check("guest ws-man", ("guest certificate",), _wsman),
    Check("guest administrator", ("secret administrator", "guest ws-man"), _administrator),
    Check("guest name", ("guest administrator",), _name),
    Check("guest build", ("guest administrator",), _build),
    Check("guest token", ("guest administrator",), _token),
    Check("guest standard", ("secret standard", "guest administrator"), _standard),
    Check("guest limits", ("guest standard",), _limits),
    Check("guest quotas", ("guest administrator",), _quotas),
    Check("guest disk", ("guest administrator",), _disk),
    Check("guest tools", ("guest administrator",), _tools),
)
