"""Checks of what a guest lets its accounts do, and of what it has: rights, quotas, room, state, programs."""

from __future__ import annotations

import re

from harness.doctor import quotas
from harness.doctor.check import Check
from harness.doctor.finding import Answer, fail, ok, warn
from harness.doctor.guest import COMMAND
from harness.doctor.vcenter import KNOCK
from harness.doctor.visit import MachineVisit
from harness.guest.environment import NOT_TOLD

GIB = 1 << 30

# opening a file of Windows for writing, and writing nothing: who may do that is more than a standard user
_WRITABLE = r"if exist %SystemRoot%\win.ini (type nul >> %SystemRoot%\win.ini) else (echo missing)"
_GROUPS = "whoami /groups /fo csv /nh"
_POLICY = r"reg query HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System /v LocalAccountTokenFilterPolicy"
_NO_UPDATES = (
    r"in the guest, before its snapshot: reg add HKLM\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate\AU "
    "/v NoAutoUpdate /t REG_DWORD /d 1 /f"
)

_SKEWED = 300.0  # seconds from which on a wrong clock breaks certificates and licences

_HIGH, _SYSTEM, _ADMINISTRATORS = "S-1-16-12288", "S-1-16-16384", "S-1-5-32-544"

_UNFILTER = (
    r"in the guest, before its snapshot: reg add HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System "
    "/v LocalAccountTokenFilterPolicy /t REG_DWORD /d 1 /f"
)


def _token(visit: MachineVisit) -> Answer:
    writable, groups, policy = visit.inside.run_each((_WRITABLE, _GROUPS, _POLICY), deadline=COMMAND)
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


def _limits(visit: MachineVisit) -> Answer:
    user = visit.site.accounts["standard"].user
    writable, groups = visit.inside.as_account("standard").run_each((_WRITABLE, _GROUPS), deadline=COMMAND)
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
    free = visit.inside.facts().environment.free_disk
    if free is None:
        return warn("it does not tell its free disk", r"run 'dir C:\' in the guest")
    words = f"{free / GIB:.1f} GiB free on the system's drive"
    if free < GIB:
        return fail(f"{words}: installers would fail for want of room", "grow the disk, and take the snapshot again")
    return warn(words, "grow the disk, and take the snapshot again") if free < 5 * GIB else ok(words)


def _environment(visit: MachineVisit) -> Answer:
    seen = visit.inside.facts().environment
    odd: list[tuple[str, str]] = []
    if seen.pending:
        odd.append((f"waits for a restart: {'; '.join(seen.pending)}", "restart it, and take the snapshot again"))
    if seen.updates == "on":
        odd.append(("Windows Update may change it and restart it in the middle of a cell", _NO_UPDATES))
    if seen.installer_rollback == "off":
        odd.append(("a policy keeps Windows Installer from rolling back", "take the policy DisableRollback away"))
    skew = visit.inside.skew()
    if skew is not None and skew.least > _SKEWED:
        odd.append((f"its clock is {skew}", "have it ask a time server, or let VMware Tools set it after a revert"))
    if odd:
        return warn("; ".join(words for words, _ in odd), "; ".join(advice for _, advice in odd))
    return ok(", ".join(f"{name} {words}" for name, words in seen.as_text().items() if words != NOT_TOLD))


_WITHOUT = {
    "tar": "zip packages are brought file by file",
    "certutil": "what is brought is read back to verify it",
}


def _programs(visit: MachineVisit) -> Answer:
    facts = visit.inside.facts()
    lacks = [program for program in _WITHOUT if program not in facts.has]
    words = ", ".join(sorted(facts.has)) or "none of those that help"
    if lacks:
        words += "; slower without " + ", ".join(f"{program}: {_WITHOUT[program]}" for program in lacks)
    return ok(words)


def _written(exit_code: int, complaint: str) -> bool:
    return exit_code == 0 and not complaint.strip()


CHECKS: tuple[Check[MachineVisit], ...] = (
    Check("guest token", ("guest administrator",), _token),
    Check("guest limits", ("guest standard",), _limits),
    Check("guest quotas", ("guest administrator",), _quotas),
    Check("guest disk", ("guest administrator",), _disk),
    Check("guest environment", ("guest administrator",), _environment),
    Check("guest programs", ("guest administrator",), _programs),
)
