"""What a transport's answer means for the cell: the site error with machine, problem and next move."""

from __future__ import annotations

from harness.errors import GuestLost, GuestRefused, GuestUnreachable, SiteError
from harness.guest.transport import Endpoint, Fault, NotSent, Refused, TransportError, Unfit, Untrusted

ACCESS_DENIED = 5
SHELL_OR_COMMAND_MISSING = 2150858843
TOO_MANY_SHELLS = 2150859173
TOO_MANY_OPERATIONS = 2150859174
PROFILE_UNLOADED = 2147943418


def site_error(error: TransportError, machine: str, endpoint: Endpoint, doing: str) -> SiteError:
    """Say whose problem it is and what to do next."""
    if isinstance(error, Refused):
        return GuestRefused(
            f"WinRM refuses the account {endpoint.user!r}",
            machine=machine,
            advice="check its password and that it is not locked or expired; a local administrator other than the "
            "built-in one needs LocalAccountTokenFilterPolicy=1, an ordinary account membership of Remote Management "
            f"Users, and the service must allow {endpoint.winrm.auth} authentication",
        )
    if isinstance(error, Untrusted):
        vouching = f"winrm.ca_file ({endpoint.winrm.ca_file})" if endpoint.winrm.ca_file else "winrm.ca_file"
        return GuestUnreachable(
            f"{endpoint.url} shows a certificate that does not verify: {error}",
            machine=machine,
            advice=f"if the guest has a new one, as after a change of its name, have {vouching} "
            "vouch for it, or put the right one into the snapshot; it must name the guest's address",
        )
    if isinstance(error, Unfit):
        return GuestUnreachable(
            f"{endpoint.url} cannot be used as the site describes it: {error}",
            machine=machine,
            advice="check [winrm] in the site file: scheme and port",
        )
    if isinstance(error, Fault):
        return _for_fault(error, machine, endpoint, doing)
    if isinstance(error, NotSent):
        return GuestLost(
            f"{endpoint.url} does not answer while {doing}: {error}",
            machine=machine,
            advice="look at its console in vSphere: it may have restarted or hang; WinRM may have been stopped",
        )
    return GuestLost(
        f"the connection to {endpoint.url} broke while {doing}: {error}",
        machine=machine,
        advice="look at its console in vSphere, then run the cell again on a reverted machine",
    )


def _for_fault(fault: Fault, machine: str, endpoint: Endpoint, doing: str) -> SiteError:
    if fault.code == TOO_MANY_SHELLS:
        return GuestRefused(
            f"every shell that {endpoint.user!r} may have is in use (MaxShellsPerUser): {fault}",
            machine=machine,
            advice="restart the WinRM service in the guest or revert the machine, and see who leaves shells open",
        )
    if fault.code == ACCESS_DENIED:
        return GuestRefused(
            f"{endpoint.user!r} may log in but not open a remote shell: {fault}",
            machine=machine,
            advice="put the account into Remote Management Users, or grant it with 'winrm configSDDL default'",
        )
    if fault.code == SHELL_OR_COMMAND_MISSING:
        return GuestLost(
            f"the guest forgot the shell while {doing}",
            machine=machine,
            advice="it, or its WinRM service, was restarted in the middle; see its system event log",
        )
    return GuestLost(
        f"the guest answered with a fault while {doing}: {fault}",
        machine=machine,
        advice="look the fault up with 'winrm helpmsg', or at the guest's WinRM event log",
    )
