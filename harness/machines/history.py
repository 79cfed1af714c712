"""What was done to a machine's power in vSphere: its events, read when something has to be explained."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pyVmomi import vim

from harness.machines.session import Session

MOST = 1000
"""How many events are looked at, the newest: as many as a vCenter hands out at a time."""

# What ends or restarts a Windows from outside. A guest that restarts by itself leaves none of them; a reset changes
# neither the power state nor the time since when it is on. Moving to another host is not here: nothing restarts.
_DISTURBING = {
    vim.event.VmPoweredOffEvent: "was powered off",
    vim.event.VmResettingEvent: "was reset",  # by a person, or by vSphere HA when the guest seemed dead
    vim.event.VmGuestRebootEvent: "was restarted by way of VMware Tools",
    vim.event.VmGuestShutdownEvent: "was shut down by way of VMware Tools",
    vim.event.VmGuestStandbyEvent: "was sent to sleep by way of VMware Tools",
    vim.event.VmSuspendedEvent: "was suspended",
    vim.event.VmRestartedOnAlternateHostEvent: "was restarted on another host",
}


def disturbances(session: Session, vm: Any, since: datetime) -> list[str]:
    """Tell what vSphere did to a machine's power after a moment of its own clock: what, by whom, when; oldest first."""
    manager = session.content.eventManager
    found = manager.QueryEvents(
        vim.event.EventFilterSpec(
            entity=vim.event.EventFilterSpec.ByEntity(entity=vm, recursion="self"),
            time=vim.event.EventFilterSpec.ByTime(beginTime=since),
            maxCount=MOST,
        )
    )
    told = []
    for event in sorted(found or (), key=lambda event: (event.createdTime, event.key)):
        # which kinds are asked for is decided here: their names are written in two ways by vCenters
        words = next((words for kind, words in _DISTURBING.items() if isinstance(event, kind)), None)
        if words is not None and event.createdTime > since:
            who = f" by {event.userName}" if event.userName else ""
            told.append(f"{words}{who} at {event.createdTime:%H:%M:%S}")
    return told
