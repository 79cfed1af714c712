"""Where the faults that a lab was asked for meet the tasks of a machine, once the machine is theirs alone."""

from __future__ import annotations

from harness.lab.faults.asked import Faults, until_cleared
from harness.lab.vcenter.soap import vmodl
from harness.lab.vcenter.tasks import Task


async def hit(faults: Faults, task: Task, method: str, machine: str) -> None:
    """Let a task be hit before it has done anything; raises the fault that it ends with."""
    if (never := faults.strikes("task-never-ends", machine, method=method)) is not None:
        task.note(progress=1)
        await until_cleared(never)
    if faults.strikes("task-fails", machine, method=method):
        reason = "The lab was asked to let this task fail"
        raise vmodl.fault.SystemError(reason=reason, msg=f"A general system error occurred: {reason}")
