"""Who switched or restarted a guest in a cell: the product, which fails for it, or somebody at vSphere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING

from harness.errors import GuestUnreachable, MachineFailed, ProductFailed, SiteError

if TYPE_CHECKING:
    from harness.guest.guest import Guest
    from harness.machines.machine import Machine

UNASKED = "restarted the machine unasked: Windows started anew, and nobody at vSphere had a hand in it"

LOOK = 15.0
"""Seconds between two looks at the power of a machine whose guest is waited for."""


class Fence:
    """What is asked before every command, and while a guest is waited for, whether it is on at all."""

    def __init__(
        self,
        check: Callable[[], None],
        machine: Machine,
        since: datetime,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._check, self._machine, self._since, self._clock = check, machine, since, clock
        self._next: float | None = None

    def __call__(self) -> None:
        """Raise LeaseLost, or MachineFailed when the machine was switched off while it is waited for."""
        self._check()
        if self._next is not None and self._clock() >= self._next:
            self._next = self._clock() + LOOK
            with suppress(SiteError):  # a vCenter that does not tell is no reason to give the guest up
                if self._machine.power().on:
                    return
            self._blame()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Wait for the guest: what was done to its power meanwhile is the reason, should it not come."""
        self._next = self._clock() + LOOK
        try:
            yield
        except GuestUnreachable:
            self._blame()
            raise
        finally:
            self._next = None

    def _blame(self) -> None:
        cause: MachineFailed | None = None
        with suppress(SiteError):
            cause = self._machine.disturbance(self._since, meanwhile="while Windows was waited for")
        if cause is not None:
            raise cause


def why_lost(machine: Machine, guest: Guest, *, since: datetime, within: float) -> ProductFailed | SiteError | None:
    """Explain a guest that was lost: ProductFailed when the product restarted it, None when nothing is known of it.

    ``since`` is when the machine was powered on, by the vCenter's clock. A guest that is restarting is waited for,
    ``within`` seconds at most.
    """
    try:
        if (disturbance := machine.disturbance(since)) is not None:
            return disturbance
        if not guest.has_restarted(within):
            return None
        # asked once more: a reset may have been under way when nothing was written down of it yet
        return machine.disturbance(since) or ProductFailed(UNASKED, code="restarted-unasked")
    except SiteError:
        return None
