"""Logging in and out, with the real client over verified HTTPS."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from .vcenter_served import PASSWORD, Served, disconnect, vim, vmodl


def test_the_vcenter_says_that_it_is_a_lab(si: Any) -> None:
    """A client can tell a lab from a vSphere site by the name and the product line."""
    about = si.content.about
    assert (about.name, about.productLineId, about.apiType) == (
        "pytest-wincompat lab",
        "wincompat-lab",
        "VirtualCenter",
    )


def test_a_wrong_password_is_an_invalid_login(served: Served) -> None:
    """Neither a wrong password nor an unknown user gets in, and both hear the same."""
    with served.stranger() as si:
        with pytest.raises(vim.fault.InvalidLogin) as wrong:
            si.content.sessionManager.Login("administrator@lab.local", "guess", None)
        with pytest.raises(vim.fault.InvalidLogin) as unknown:
            si.content.sessionManager.Login("nobody", PASSWORD, None)
    assert wrong.value.msg == unknown.value.msg


def test_a_session_ends_with_its_log_out(si: Any) -> None:
    """After Logout nothing is answered but what anybody may ask."""
    session_manager = si.content.sessionManager
    assert session_manager.currentSession.userName == "administrator@lab.local"
    session_manager.Logout()
    with pytest.raises(vim.fault.NotAuthenticated):
        si.CurrentTime()
    with pytest.raises(vim.fault.NotAuthenticated):
        _ = si.content.rootFolder.name
    assert session_manager.currentSession is None


def test_a_session_ends_when_nobody_uses_it(served: Served, si: Any) -> None:
    """Half an hour without a call ends a session."""
    assert served.vcenter is not None
    sessions = served.vcenter.sessions
    assert si.CurrentTime().tzinfo is not None
    now = sessions.clock()
    sessions.clock = lambda: now + 1799
    assert abs((si.CurrentTime() - datetime.now(UTC)).total_seconds()) < 60
    sessions.clock = lambda: now + 3 * 1801
    with pytest.raises(vim.fault.NotAuthenticated):
        si.CurrentTime()


def test_a_second_log_in_over_the_same_session_is_refused(si: Any) -> None:
    """A session that is open cannot be logged in again."""
    with pytest.raises(vim.fault.InvalidLogin):
        si.content.sessionManager.Login("administrator@lab.local", "whatever", None)


def test_an_auditor_may_look_and_not_touch(connect: Callable[..., Any]) -> None:
    """A read-only user is refused by the privilege's name, before anything happens."""
    si = connect("auditor@lab.local", "only looks")
    vm = si.content.searchIndex.FindByInventoryPath("Lab/vm/Windows/a")
    assert vm.name == "a"
    with pytest.raises(vim.fault.NoPermission) as refused:
        vm.PowerOn()
    assert refused.value.privilegeId == "VirtualMachine.Interact.PowerOn"
    with pytest.raises(vim.fault.NoPermission):
        vm.Destroy()
    assert vm.runtime.powerState == "poweredOff"


def test_sessions_do_not_see_each_others_collectors(connect: Callable[..., Any]) -> None:
    """A view or collector belongs to the session that made it."""
    one, other = connect(), connect()
    view = one.content.viewManager.CreateContainerView(one.content.rootFolder, [vim.VirtualMachine], True)
    theirs = vim.view.ContainerView(view._moId, other._stub)
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        _ = theirs.view
    disconnect(one)
