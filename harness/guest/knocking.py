"""Knocking on the port of a guest that boots, so that it is heard at once when it opens."""

from __future__ import annotations

import errno
import os
import selectors
import socket
from itertools import count
from types import TracebackType
from typing import Any, Self

from harness.guest.waits import BRISK, KNOCK, PATIENT, Clock, Sleep

_UNDER_WAY = {errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY}


class Knocks:
    """TCP connections tried side by side, a new one every ``KNOCK`` seconds, until one comes about.

    Windows without a network yet, and its firewall before a service listens, drop what is sent to them; the system
    repeats a lost knock only after a second, then after three. So no knock waits for the one before, most are given
    up soon, and one at a time is patient, for a guest that is far away.
    """

    def __init__(self, address: str, port: int, *, clock: Clock, sleep: Sleep) -> None:
        self.problem: OSError = TimeoutError("no answer")
        self._address, self._port = address, port
        self._clock, self._sleep = clock, sleep
        self._selector = selectors.DefaultSelector()
        self._ends: dict[socket.socket, float] = {}
        self._patient: socket.socket | None = None
        self._turn = count()
        self._places: list[tuple[int, Any]] = []
        self._looked_up = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for knock in list(self._ends):
            self._drop(knock)
        self._selector.close()

    def until_it_opens(self, until: float) -> None:
        """Return when the port takes connections; raises the last knock's OSError at ``until`` on the clock."""
        while True:
            next_one = self._clock() + KNOCK
            if self._knock() or self._listen(min(next_one, until)):
                return
            if self._clock() >= until:
                raise self.problem

    def _knock(self) -> bool:
        """Knock once more; true when it opens at once."""
        try:
            self._look_up()
            family, place = self._places[next(self._turn) % len(self._places)]
            knock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            self.problem = error
            return False
        knock.setblocking(False)
        code = knock.connect_ex(place)
        if code in _UNDER_WAY:
            # a neighbour's refusal is often here already; that it is not watched for halves the cost of a knock
            code = knock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or code
        if code not in _UNDER_WAY:
            knock.close()
            return self._opened(code)
        if self._patient is None:
            self._patient = knock
        self._ends[knock] = self._clock() + (PATIENT if knock is self._patient else BRISK)
        self._selector.register(knock, selectors.EVENT_WRITE)
        return False

    def _look_up(self) -> None:
        """Look the address up now and then: a name may come to mean something else while the guest boots."""
        if not self._places or self._clock() - self._looked_up >= PATIENT:
            found = socket.getaddrinfo(self._address, self._port, type=socket.SOCK_STREAM)
            self._places = [(family, place) for family, _, _, _, place in found]
            self._looked_up = self._clock()

    def _listen(self, until: float) -> bool:
        """Wait for an answer to any knock until it is time for the next one."""
        while (left := until - self._clock()) > 0:
            if not self._ends:
                self._sleep(left)
                return False
            for key, _ in self._selector.select(left):
                knock = key.fileobj
                assert isinstance(knock, socket.socket)  # noqa: S101 - nothing else is registered
                code = knock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                self._drop(knock)
                if self._opened(code):
                    return True
            for knock in [knock for knock, end in self._ends.items() if end <= self._clock()]:
                self._drop(knock)
        return False

    def _opened(self, code: int) -> bool:
        if code:
            self.problem = OSError(code, os.strerror(code))
        return code == 0

    def _drop(self, knock: socket.socket) -> None:
        self._selector.unregister(knock)
        del self._ends[knock]
        self._patient = None if knock is self._patient else self._patient
        knock.close()
