"""Every foreign error becomes one line of ours that says whose fault it is and what to do."""

from __future__ import annotations

import traceback
from http.client import RemoteDisconnected
from pathlib import Path

import pytest
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
from harness.machines.border import Outlived, crossing
from harness.machines.stub import NeverSent, NotUnderstood

from .sites import PASSWORD, site

MEANINGS = [
    (vim.fault.InvalidLogin(), SiteRefused, "refuses the log-in of 'tester'; check vcenter.user and the password in /"),
    (
        vim.fault.NoPermission(privilegeId="VirtualMachine.State.RevertToSnapshot"),
        SiteRefused,
        "'tester' lacks the privilege VirtualMachine.State.RevertToSnapshot; add the privilege",
    ),
    (vim.fault.NotAuthenticated(), SiteRefused, "the session was ended"),
    (vmodl.fault.ManagedObjectNotFound(), MachineMissing, "no longer in the inventory"),
    (vim.fault.InvalidGuestLogin(), GuestRefused, "check the account and its password in [accounts] of the site file"),
    (vim.fault.GuestOperationsUnavailable(), DeliveryFailed, "VMware Tools do not answer"),
    (vim.fault.GuestPermissionDenied(), DeliveryFailed, "denies this account the access"),
    (vim.fault.InvalidPowerState(existingState="poweredOff"), MachineFailed, "it is powered off"),
    (
        vim.fault.GenericVmConfigFault(msg="No space\n left"),
        MachineFailed,
        "No space left (vim.fault.GenericVmConfigFault)",
    ),
    (vmodl.fault.NotSupported(), MachineFailed, "vmodl.fault.NotSupported"),
    (
        ConnectionResetError(104, "Connection reset by peer"),
        SiteUnreachable,
        "Connection reset by peer; check vcenter.host",
    ),
    (RemoteDisconnected("closed"), SiteUnreachable, "closed"),
    (NeverSent("no route"), SiteUnreachable, "no route"),
    (TimeoutError("timed out"), SiteUnreachable, "no answer within 30 s"),
    (NotUnderstood("odd"), SiteUnreachable, "check that vcenter.host and vcenter.port name a vCenter"),
    (Outlived("still running after 10 s"), MachineFailed, "still running after 10 s; look at its tasks and events"),
]


@pytest.mark.parametrize(
    ("foreign", "kind", "words"), MEANINGS, ids=[type(foreign).__name__ for foreign, _, _ in MEANINGS]
)
def test_a_foreign_error_has_one_meaning(tmp_path: Path, foreign: Exception, kind: type[SiteError], words: str) -> None:
    """The kind says whose fault it is; the line names the machine or the vCenter, and the next move."""
    with pytest.raises(kind) as raised, crossing(site(tmp_path), "win10-a", "reverting"):
        raise foreign
    line = str(raised.value)
    assert type(raised.value) is kind
    assert words in line
    assert line.startswith(("win10-a: ", "vCenter 127.0.0.1:443: "))
    assert "\n" not in line
    assert raised.value.__cause__ is foreign


def test_a_fault_that_says_nothing_of_whose_it_is_takes_the_kind_of_the_work(tmp_path: Path) -> None:
    """A file that is not there is a failed delivery in a transfer, and a failed machine in a task."""
    for kind in (DeliveryFailed, MachineFailed):
        with pytest.raises(kind), crossing(site(tmp_path), "win10-a", "working", otherwise=kind):
            raise vim.fault.FileNotFound(file="C:\\x")


def test_our_own_errors_and_bugs_pass_untouched(tmp_path: Path) -> None:
    """The border hides neither a harness bug nor an error that already says what it means."""
    for own in (GuestRefused("x", machine="m", advice="y"), AttributeError("a bug")):
        with pytest.raises(type(own)) as raised, crossing(site(tmp_path), "win10-a", "working"):
            raise own
        assert raised.value is own


def test_no_frame_of_a_client_library_survives_the_border(tmp_path: Path) -> None:
    """Test runners print the variables of frames, and those of a client library hold the password."""

    def log_in(password: str) -> None:
        raise vim.fault.InvalidLogin()

    with pytest.raises(SiteRefused) as raised, crossing(site(tmp_path), "win10-a", "connecting"):
        log_in(PASSWORD)
    told = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
    assert PASSWORD not in "".join(told.format())
