"""The one border where what pyVmomi, sockets and TLS raise becomes what it means for the cell."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

from pyVmomi import vim, vmodl

from harness.errors import (
    DeliveryFailed,
    GuestRefused,
    MachineFailed,
    MachineMissing,
    SiteError,
    SiteRefused,
    SiteUnreachable,
)
from harness.machines.pinning import Mispinned
from harness.machines.stub import NeverSent, NotUnderstood
from harness.overdue import Overdue
from harness.site import Secret, Site

LOOK = "look at its tasks and events in vSphere"


class Outlived(Exception):
    """A wait used up its budget; says what was still going on."""


class Forgotten(Outlived):
    """A task whose end nobody can tell any more: the vCenter was restarted in the middle of it."""


class Refused(Exception):
    """The other end of a transfer said no, or sent less than it promised; says how it put it."""


@contextmanager
def crossing(site: Site, machine: str, doing: str, *, otherwise: type[SiteError] = MachineFailed) -> Iterator[None]:
    """Translate every foreign error raised inside; ``otherwise`` is for faults that say nothing of whose they are.

    The cause is kept without its traceback: frames of the client libraries hold passwords and cookies, and test
    runners print the variables of frames.
    """
    try:
        yield
    except (OSError, HTTPException) as error:
        raise _lost(error, site, doing) from _without_frames(error)
    except (vmodl.MethodFault, NotUnderstood, Outlived, Refused) as error:
        raise _meaning(error, site, machine, doing, otherwise) from _without_frames(error)


@contextmanager
def transferring(site: Site, machine: str, doing: str, *, peer: str) -> Iterator[None]:
    """Translate what a connection raises whose other end need not be the vCenter: an ESXi host hands files over."""
    try:
        yield
    except (OSError, HTTPException) as error:
        raise DeliveryFailed(
            f"{doing}: {peer}: {_why(error, site)}",
            machine=machine,
            advice="check that this address is reachable from here, and that vcenter.ca_file vouches for it",
        ) from _without_frames(error)


def _meaning(error: Exception, site: Site, machine: str, doing: str, otherwise: type[SiteError]) -> SiteError:
    match error:
        case Outlived() | Refused():
            return otherwise(f"{doing}: {error}", machine=machine, advice=LOOK)
        case NotUnderstood():
            return SiteUnreachable(
                one_line(str(error)),
                machine=where(site),
                advice="check that vcenter.host and vcenter.port name a vCenter",
            )
        case vim.fault.InvalidLogin():
            return SiteRefused(
                f"refuses the log-in of {site.vcenter.user!r}",
                machine=where(site),
                advice=f"check vcenter.user and the password in {place(site.vcenter.password)}",
            )
        case vim.fault.NotAuthenticated():  # a kind of NoPermission
            return SiteRefused(
                f"{doing}: the session was ended",
                machine=where(site),
                advice="run again; look who ends sessions in vSphere",
            )
        case vim.fault.NoPermission():
            return SiteRefused(
                f"{doing}: {site.vcenter.user!r} lacks the privilege {error.privilegeId}",
                machine=machine,
                advice="add the privilege to the role of that user in vSphere",
            )
        case vim.fault.HostConnectFault():
            return SiteUnreachable(
                f"{doing}: {words(error)}", machine=where(site), advice="look at its hosts in vSphere"
            )
        case vmodl.fault.HostCommunication():
            return otherwise(
                f"{doing}: {words(error)}", machine=machine, advice="look at the host that it runs on in vSphere"
            )
        case vmodl.fault.ManagedObjectNotFound():
            return MachineMissing(
                f"{doing}: it is no longer in the inventory",
                machine=machine,
                advice="run again; look who removes it in vSphere",
            )
        case _:
            return _guest_or_machine(error, machine, doing, otherwise)


def _guest_or_machine(error: Exception, machine: str, doing: str, otherwise: type[SiteError]) -> SiteError:
    match error:
        case vim.fault.InvalidGuestLogin() | vim.fault.GuestAuthenticationChallenge():
            return GuestRefused(
                f"{doing}: the guest refuses the account",
                machine=machine,
                advice="check the account and its password in [accounts] of the site file",
            )
        case vim.fault.GuestPermissionDenied():
            return DeliveryFailed(
                f"{doing}: the guest denies this account the access",
                machine=machine,
                advice="choose another path or account",
            )
        case vim.fault.GuestOperationsUnavailable():
            return DeliveryFailed(
                f"{doing}: VMware Tools do not answer", machine=machine, advice="look whether Tools run in the guest"
            )
        case vim.fault.InvalidPowerState():
            return otherwise(
                f"{doing}: it is {_power(error.existingState)}",
                machine=machine,
                advice="look who switches it in vSphere",
            )
        case vim.fault.FileNotFound() if issubclass(otherwise, DeliveryFailed):
            return otherwise(
                f"{doing}: there is no such file or folder", machine=machine, advice="check the guest path"
            )
        case _:
            return otherwise(f"{doing}: {words(error)}", machine=machine, advice=LOOK)


def _lost(error: Exception, site: Site, doing: str) -> SiteUnreachable:
    if isinstance(_root(error), Mispinned):
        advice = "compare it with the certificate in vSphere's own pages before you change vcenter.thumbprint to it"
    elif isinstance(_root(error), ssl.SSLCertVerificationError):
        ca = site.vcenter.ca_file
        advice = "name the file of its CA in vcenter.ca_file" if ca is None else f"check that {ca} is its CA"
    else:
        advice = "check vcenter.host and vcenter.port, and that the vCenter is up and reachable from here"
    return SiteUnreachable(f"{doing}: {_why(error, site)}", machine=where(site), advice=advice)


def _why(error: Exception, site: Site) -> str:
    match root := _root(error):
        case Mispinned():
            return f"it is not the pinned vCenter: {root.verify_message}"
        case ssl.SSLCertVerificationError():
            return f"its certificate does not verify: {root.verify_message}"
        case Overdue():
            return str(root)
        case TimeoutError():
            return f"no answer within {site.budgets.request:g} s"
        case _:
            return one_line(str(root)) or type(root).__name__


def _root(error: Exception) -> BaseException:
    return (error.__cause__ or error) if isinstance(error, NeverSent) else error


def where(site: Site) -> str:
    """Name the site's vCenter for a message."""
    return f"vCenter {site.vcenter.host}:{site.vcenter.port}"


def place(secret: Secret) -> str:
    """Say where a secret is, never what it is."""
    return secret.place


def words(fault: Exception) -> str:
    """Say what a vSphere fault says, in one line with its kind."""
    text = one_line(str(getattr(fault, "msg", None) or ""))
    kind = type(fault).__name__
    return f"{text} ({kind})" if text else kind


def one_line(text: str) -> str:
    """Join the lines of a foreign message, cut to a length that a terminal bears."""
    joined = " ".join(text.split())
    return joined if len(joined) <= 300 else joined[:297] + "..."


def _power(state: object) -> str:
    return {"poweredOn": "powered on", "poweredOff": "powered off"}.get(str(state), str(state))


def _without_frames(error: BaseException) -> BaseException:
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error
