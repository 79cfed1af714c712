"""The address that VMware Tools tell: which one is the guest's, and when it is to be believed."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from ipaddress import IPv4Address, ip_address
from typing import Any

from harness.errors import GuestUnreachable
from harness.machines.session import Session
from harness.machines.watching import changing

PATHS = ("guest.net", "guest.ipAddress", "guest.toolsRunningStatus")

# adapters that programs in the guest make for themselves: Docker and Hyper-V give them addresses of this beginning
_BRIDGES = ("02:42:", "00:15:5d:")


def told(guest: Mapping[str, Any]) -> list[str]:
    """List the addresses by which a guest can be reached, the likeliest first.

    Of the adapters only those that vSphere knows count, for a bridge of Docker's or Hyper-V's leads nowhere; and of
    addresses none of the link alone.
    """
    if str(guest.get("guest.toolsRunningStatus", "")) == "guestToolsNotRunning":
        return []
    adapters = guest.get("guest.net") or ()
    if not adapters:  # old Tools tell the one address and nothing else
        return [one for one in (guest.get("guest.ipAddress"),) if one and _useful(one)]
    found = [
        one
        for nic in adapters
        if nic.deviceConfigId >= 0 and not str(nic.macAddress or "").lower().startswith(_BRIDGES)
        for one in nic.ipAddress or ()
        if _useful(one)
    ]
    first = guest.get("guest.ipAddress")
    return sorted(dict.fromkeys(found), key=lambda one: (one != first, not isinstance(ip_address(one), IPv4Address)))


def _useful(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return not (address.is_link_local or address.is_unspecified or address.is_multicast)


class Settling:
    """Decides when an address is believed: after it has stayed for ``settle`` seconds.

    One of those told ``before`` the revert may be the last report of a Windows that is gone: it has to go away first,
    or to stay for ``report`` seconds, longer than Tools need for the next one. One that is ``never`` the guest's,
    because it is another machine's, is not believed at all.
    """

    def __init__(
        self,
        *,
        before: Collection[str] = (),
        never: Collection[str] = (),
        settle: float,
        report: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._before = frozenset(before)
        self._never = frozenset(never)
        self._settle = settle
        self._report = report
        self._clock = clock
        self._since = clock()
        self.candidate: str | None = None

    def see(self, guest: Mapping[str, Any]) -> str | None:
        """Take in what Tools tell now, and give the address that is believed."""
        found = told(guest)
        if not found:
            self._before = frozenset()  # whatever is told from now on is told anew
        candidate = next((one for one in found if one not in self._never), None)
        if candidate != self.candidate:
            self.candidate, self._since = candidate, self._clock()
        return candidate if candidate is not None and self.left() <= 0 else None

    def left(self) -> float:
        """Say how many seconds the candidate still has to stay."""
        needed = self._report if self.candidate in self._before else self._settle
        return self._since + needed - self._clock()


def settled_address(
    session: Session,
    vm: Any,
    machine: str,
    settling: Settling,
    *,
    within: float,
    clock: Callable[[], float] = time.monotonic,
) -> str:
    """Wait for an address that is to be believed; raises GuestUnreachable when none is told in time."""
    deadline = clock() + within

    def patience() -> float:
        left = deadline - clock()
        return left if settling.candidate is None else min(left, max(settling.left(), 0.05))

    for guest in changing(session, vm, *PATHS, patience=patience):
        if (address := settling.see(guest)) is not None:
            return address
    last = f"; the last was {settling.candidate}" if settling.candidate else ""
    raise GuestUnreachable(
        f"VMware Tools tell no address to be believed within {within:g} s{last}",
        machine=machine,
        advice="look whether Tools run in the guest and its network is up, or write its address into the site file",
    )
