"""The waits for a site that are no events: each has a name, a budget and one reason to try again."""

from __future__ import annotations

import time
from collections.abc import Callable

import tenacity
from pyVmomi import vim

from harness.machines.stub import NeverSent


class NoTaskYet(Exception):
    """The task that may or may not have been started does not show."""


class NoCloneYet(Exception):
    """The clone that may or may not come into being does not show."""


class NameTaken(Exception):
    """A clone of a living run has the name that ours is to have."""


def until_the_task_shows(within: float, *, sleep: Callable[[float], None] = time.sleep) -> tenacity.Retrying:
    """Keep looking for a task after the connection that asked for it broke."""
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type((NoTaskYet, NeverSent)),
        wait=tenacity.wait_exponential(multiplier=0.2, max=3),
        stop=tenacity.stop_before_delay(within),
        sleep=sleep,
        reraise=True,
    )


def less_than_a_second(seconds: float, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Let a part of a second pass: a vCenter waits for changes in whole seconds only."""
    sleep(seconds)


def until_the_clone_shows(
    within: float, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> tenacity.Retrying:
    """Keep looking for a clone after the connection that asked for it broke."""
    started = clock()
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type((NoCloneYet, NeverSent)),
        wait=tenacity.wait_exponential(multiplier=0.2, max=3),
        stop=lambda _: clock() - started >= within,
        sleep=sleep,
        reraise=True,
    )


def until_the_name_is_free(
    within: float, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> tenacity.Retrying:
    """Wait for a clone of another run to go, or for the time until which its run wanted it to pass."""
    started = clock()
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(NameTaken),
        wait=tenacity.wait_exponential(multiplier=0.5, max=5),
        stop=lambda _: clock() - started >= within,
        sleep=sleep,
        reraise=True,
    )


def until_the_machine_is_idle(within: float, *, sleep: Callable[[float], None] = time.sleep) -> tenacity.Retrying:
    """Keep asking while another task, such as a backup or one of a run that was killed, has the machine."""
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(vim.fault.TaskInProgress),
        wait=tenacity.wait_exponential(multiplier=0.2, max=3),
        stop=tenacity.stop_before_delay(within),
        sleep=sleep,
        reraise=True,
    )


def until_guest_operations_answer(within: float, *, sleep: Callable[[float], None] = time.sleep) -> tenacity.Retrying:
    """Keep asking while VMware Tools come up or are busy: such a fault proves that nothing has started."""
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(_not_started),
        wait=tenacity.wait_exponential(multiplier=0.2, max=3),
        stop=tenacity.stop_before_delay(within),
        sleep=sleep,
        reraise=True,
    )


def _not_started(error: BaseException) -> bool:
    # InvalidState is raised at random under load; its kinds, such as InvalidPowerState, mean what they say
    return isinstance(error, vim.fault.GuestOperationsUnavailable) or type(error) in (
        vim.fault.InvalidState,
        vim.fault.TaskInProgress,
    )
