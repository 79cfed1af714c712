"""Where the faults that a lab was asked for meet the tasks of a machine, once the machine is theirs alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.lab.faults.asked import Asked, until_cleared
from harness.lab.vcenter import description
from harness.lab.vcenter.entities import Task
from harness.lab.vcenter.soap import vim, vmodl

if TYPE_CHECKING:
    from harness.lab.vcenter.virtualmachine import VirtualMachine


async def hit(task: Task, method: str, vm: VirtualMachine) -> None:
    """Let a task be hit before it has done anything; raises the fault that it ends with."""
    faults = vm.premises.faults
    if faults.strikes("host-lost", vm.name):
        raise host_lost()
    if (invalid := faults.strikes("invalid-state", vm.name, method=method)) is not None:
        raise _invalid(vm, invalid)
    if (slow := faults.strikes("slow-datastore", vm.name, method=method)) is not None:
        await until_cleared(slow, slow.seconds)
    if (never := faults.strikes("task-never-ends", vm.name, method=method)) is not None:
        task.note(progress=1)
        await until_cleared(never)
    if faults.strikes("task-fails", vm.name, method=method):
        reason = "The lab was asked to let this task fail"
        raise vmodl.fault.SystemError(reason=reason, msg=f"A general system error occurred: {reason}")


def host_lost() -> Any:
    """Make the fault of a host that is disconnected, worded as vCenter words it."""
    return vmodl.fault.HostNotConnected(msg="Unable to communicate with the remote host, since it is disconnected.")


def _invalid(vm: VirtualMachine, asked: Asked) -> Any:
    if asked.options.get("state") != "InvalidPowerState":
        return vim.fault.InvalidState(msg="The operation is not allowed in the current state.")
    now = description.power_state(vm)
    words = f"The attempted operation cannot be performed in the current state ({now})."
    wanted = "poweredOff" if now == "poweredOn" else "poweredOn"
    return vim.fault.InvalidPowerState(requestedState=wanted, existingState=now, msg=words)
