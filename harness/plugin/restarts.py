"""Who restarted a guest in the middle of a cell: the product, which fails for it, or somebody at vSphere."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from harness.errors import ProductFailed, SiteError

if TYPE_CHECKING:
    from harness.guest.guest import Guest
    from harness.machines.machine import Machine

UNASKED = "restarted the machine unasked: Windows started anew, and nobody at vSphere had a hand in it"


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
