"""The end of a clone: its power is cut and it is destroyed, by whoever comes first."""

from __future__ import annotations

from http.client import HTTPException
from typing import Any

from pyVmomi import vim, vmodl

from harness.machines.border import Forgotten
from harness.machines.session import Session
from harness.machines.stub import NeverSent, NotUnderstood
from harness.machines.tasks import Tasks
from harness.machines.waits import until_the_machine_is_idle


def destroy(session: Session, tasks: Tasks, vm: Any) -> None:
    """Power a clone off and destroy it; one that is gone already is fine. Foreign errors are the caller's.

    To destroy twice does no harm, so a broken connection, or a vCenter that was restarted
    meanwhile, is answered by a second try.
    """
    within = session.site.budgets.task

    def once() -> None:
        try:
            if session.read(vm, "runtime.powerState").get("runtime.powerState") != "poweredOff":
                _ended(tasks, vm.PowerOffVM_Task, within)
            _ended(tasks, vm.Destroy_Task, within)
        except vmodl.fault.ManagedObjectNotFound:
            return

    for last in (False, True):
        try:
            until_the_machine_is_idle(within)(once)
        except (NeverSent, TimeoutError):
            raise
        except (OSError, HTTPException, NotUnderstood, Forgotten):
            if last:
                raise
        else:
            return


def _ended(tasks: Tasks, ask: Any, within: float) -> None:
    try:
        tasks.wait(ask(), within=within)
    except vim.fault.InvalidPowerState as error:
        if error.existingState != "poweredOff":
            raise
