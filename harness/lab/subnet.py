"""The part of loopback that a lab has to itself."""

from __future__ import annotations

import contextlib
import socket
import zlib
from collections.abc import Iterator

PORT = 8443
_FIRST_GUEST, _LAST_GUEST = 11, 250
_PARTS = 120 * 254
#: Addresses beside those of the machines, for clones.
_SPARE = 60


class Subnet:
    """A part of loopback that no other lab uses, for as long as its sockets are open; room for so many machines."""

    def __init__(self, name: str, machines: int = 0) -> None:
        count = -(-(machines + _SPARE) // (_LAST_GUEST - _FIRST_GUEST + 1))
        first = zlib.crc32(name.encode())
        for attempt in range(200):
            place = first + attempt * 7919
            self._prefixes = [_prefix(place + part) for part in range(count)]
            try:
                self.vcenter, *self._reserved = _taken(self._prefixes)
            except OSError:
                continue
            break
        else:
            raise OSError(f"no free address for the vCenter: port {PORT} is taken on every loopback address tried")
        guests = [f"{prefix}.{last}" for prefix in self._prefixes for last in range(_FIRST_GUEST, _LAST_GUEST + 1)]
        self._free = guests[::-1]

    @property
    def host(self) -> str:
        """The vCenter's address."""
        return f"{self._prefixes[0]}.1"

    def all(self) -> Iterator[str]:
        """List every address that the lab may come to use, for its certificate."""
        yield self.host
        yield from reversed(self._free)

    def take(self, wanted: str = "") -> str:
        """Take the next free address, or a certain one; raises LookupError when it is not to be had."""
        if not self._free:
            raise LookupError("the lab has no address left for another machine")
        if not wanted:
            return self._free.pop()
        if wanted not in self._free:
            some = ", ".join(f"{prefix}.{_FIRST_GUEST} to .{_LAST_GUEST}" for prefix in self._prefixes)
            raise LookupError(f"{wanted} is not a free address of the lab, which has {some}")
        self._free.remove(wanted)
        return wanted

    def give_back(self, address: str) -> None:
        """Let an address be used again."""
        self._free.append(address)

    def close(self) -> None:
        """Leave it to others."""
        for held in (self.vcenter, *self._reserved):
            held.close()


def _prefix(place: int) -> str:
    place %= _PARTS
    return f"127.{100 + place // 254}.{1 + place % 254}"


def _taken(prefixes: list[str]) -> list[socket.socket]:
    """Take the vCenter's port in each part: listening in the first, only held in the others."""
    with contextlib.ExitStack() as taken:
        sockets = [taken.enter_context(socket.create_server((f"{prefixes[0]}.1", PORT), backlog=128))]
        for prefix in prefixes[1:]:
            # without SO_REUSEADDR, which would let another lab hold it as well
            sockets.append(taken.enter_context(socket.socket()))
            sockets[-1].bind((f"{prefix}.1", PORT))
        taken.pop_all()
        return sockets
