"""How others wait for a machine, as their sources have it: each in its own rhythm, with pyVmomi as it comes.

What they do besides waiting (log-ins, look-ups, facts) is left out, so their calls are counted low rather than high.
"""

from __future__ import annotations

import random
import socket
import time
from typing import Any

from pyVmomi import vim, vmodl

_ENDED = (vim.TaskInfo.State.success, vim.TaskInfo.State.error)


class OneSecondPolls:
    """CAPEv2: the task's info twice a second at intervals of one second, then the agent's port once a second."""

    name = "1 s polls"

    def task(self, task: Any) -> None:
        """Wait for a task."""
        while task.info.state not in _ENDED:
            time.sleep(1)
        assert task.info.state == vim.TaskInfo.State.success

    def ready(self, vm: Any, address: str, port: int) -> None:  # noqa: ARG002 - all have the same signature
        """Wait for the guest."""
        while not _open(address, port):
            time.sleep(1)


class FiveSecondSleeps:
    """Rapid7's vm-automation: an update, then five seconds, twenty times; the address each second, then five more."""

    name = "5 s sleeps"

    def task(self, task: Any) -> None:
        """Wait for a task."""
        query = vmodl.query.PropertyCollector
        collector = vim.ServiceInstance("ServiceInstance", task._stub).content.propertyCollector
        own = collector.CreatePropertyCollector()
        own.CreateFilter(
            query.FilterSpec(
                objectSet=[query.ObjectSpec(obj=task)],
                propSet=[query.PropertySpec(type=vim.Task, pathSet=[], all=True)],
            ),
            True,
        )
        for _ in range(20):
            own.WaitForUpdates(None)
            if task.info.state in _ENDED:
                return
            time.sleep(5)
        raise TimeoutError("twenty looks were not enough")

    def ready(self, vm: Any, address: str, port: int) -> None:  # noqa: ARG002 - see above
        """Wait for the guest."""
        while not vm.guest.ipAddress:
            time.sleep(1)
        time.sleep(5)


class ExponentialPolls:
    """community.vmware: 1, 2, 4, ... 64 seconds and up to one more by chance; the address every fifteen seconds."""

    name = "2^n s and 15 s polls"

    def task(self, task: Any) -> None:
        """Wait for a task."""
        turn = 0
        while task.info.state not in _ENDED:
            time.sleep(min(2**turn + random.randint(1, 1000) / 1000, 64))  # noqa: S311 - jitter
            turn += 1
        assert task.info.state == vim.TaskInfo.State.success

    def ready(self, vm: Any, address: str, port: int) -> None:  # noqa: ARG002 - see above
        """Wait for the guest."""
        while not vm.guest.ipAddress:
            time.sleep(15)


def _open(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False


PEERS = (OneSecondPolls(), FiveSecondSleeps(), ExponentialPolls())
