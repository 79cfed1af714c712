"""A vCenter whose answers come a byte at a time: no wait for one is longer than the site's budget for an answer."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.client import HTTPResponse
from pathlib import Path

import pytest

from harness.errors import SiteError, SiteUnreachable
from harness.machines import stub
from harness.machines.stub import https
from harness.machines.vcenter import connected
from harness.overdue import Overdue, broken_off
from tests.lab.vcenter.vcenter_served import Served
from tests.machines.sockets import listening
from tests.machines.standing_in import site_of, standing_in


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run a vCenter with stand-ins."""
    with standing_in(tmp_path_factory.mktemp("vcenter")) as running:
        yield running


class Trickle:
    """Hands everything on between a client and a vCenter, and once armed the vCenter's words a byte at a time."""

    def __init__(self, served: Served) -> None:
        self.armed = threading.Event()
        self._served = served

    def serve(self, connection: socket.socket) -> None:
        """Serve one connection, both ends of it encrypted, so that each byte travels alone.

        In one thread: two at once, one that reads and one that writes, may lock up what OpenSSL keeps of a connection.
        """
        onward = ssl.create_default_context(cafile=self._served.ca)
        with (
            self._served.tls.wrap_socket(connection, server_side=True) as client,
            socket.create_connection(("127.0.0.1", self._served.port)) as plain,
            onward.wrap_socket(plain, server_hostname="127.0.0.1") as server,
        ):
            while True:
                for here, there in _readable(client, server):
                    piece = _read(here)
                    if piece == b"":
                        return
                    if here is server and self.armed.is_set():
                        for byte in piece or b"":
                            there.sendall(bytes([byte]))
                            if select.select([there], [], [], 0.2)[0] and _read(there) == b"":
                                return  # nobody listens any more
                    elif piece:
                        there.sendall(piece)


def _readable(one: ssl.SSLSocket, other: ssl.SSLSocket) -> list[tuple[ssl.SSLSocket, ssl.SSLSocket]]:
    ready = [end for end in (one, other) if end.pending()] or select.select([one, other], [], [])[0]
    return [(end, other if end is one else one) for end in ready]


def _read(end: ssl.SSLSocket) -> bytes | None:
    """Read what has come; b"" at the end, None where it was only for OpenSSL itself."""
    end.setblocking(False)
    try:
        return end.recv(1 << 16)
    except ssl.SSLWantReadError:
        return None
    finally:
        end.setblocking(True)


@contextmanager
def _budget(most: float) -> Iterator[None]:
    """Tell a wait that ends from one for all the bytes of an answer, which takes minutes."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < most


def _thirty_times_faster(after: float, connection: Callable[[], socket.socket | None]) -> AbstractContextManager[None]:
    # only the whole answer's time: connecting and each read keep theirs, so that a slow machine meets this end alone
    return broken_off(after / 30, connection)


def test_no_answer_is_waited_for_longer_than_its_budget(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading, tasks, tags and leaving: each is given up after the budget, though the vCenter never falls silent."""
    trickle = Trickle(served)
    with listening(trickle.serve) as port:
        site = site_of(served, tmp_path, request=30)
        site = site.model_copy(update={"vcenter": site.vcenter.model_copy(update={"port": port})})
        with connected(site) as vcenter:
            machine = vcenter.machine(site.machines[0])
            monkeypatch.setattr(stub, "broken_off", _thirty_times_faster)
            trickle.armed.set()
            for ask in (machine.power, machine.revert, machine.screenshot):
                with _budget(60), pytest.raises(SiteError, match=r"not complete after 1 s"):
                    ask()
        with _budget(60), pytest.raises(SiteUnreachable, match="not complete after 1 s"), connected(site):
            pass


def test_what_was_cut_off_is_not_taken_for_whole() -> None:
    """To a reader a connection that was broken off has ended, and so may the answer have."""
    near, far = socket.socketpair()
    with near, far:
        far.sendall(b"HTTP/1.1 200 OK\r\n")
        answer = HTTPResponse(near)
        with pytest.raises(Overdue, match=r"not complete after 0\.1 s"), broken_off(0.1, lambda: near):
            answer.begin()
        assert answer.status == 200
        answer.close()


def test_a_connection_of_our_own_ends_with_its_budget(served: Served) -> None:
    """As those that carry files and tags: all that is said on it has one budget, which its bytes do not renew."""
    trickle = Trickle(served)
    trickle.armed.set()

    def ask(port: int) -> None:
        with https("127.0.0.1", port, tls=served.trust, timeout=30, within=1) as connection:
            connection.request("GET", "/sdk/vimServiceVersions.xml")
            connection.getresponse().read()

    with listening(trickle.serve) as port, _budget(60), pytest.raises(TimeoutError, match="not complete after 1 s"):
        ask(port)
