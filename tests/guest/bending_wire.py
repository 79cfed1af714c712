"""A wire to a guest that reads along, without encryption, and bends what the guest answers."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.serving import aside

_ACTION = re.compile(rb"<a:Action[^>]*>[^<]*/(\w+)</a:Action>")
_HEADERS = ("Content-Type", "Authorization", "WWW-Authenticate", "Date")


@dataclass(kw_only=True)
class Bend:
    """What becomes of so many answers to one action (any unless named).

    With ``status`` the guest never sees the request; ``body`` makes another content of the answer's; ``pace`` is how
    many seconds each byte of it takes, headers and all.
    """

    action: str = ""
    times: int = 1
    status: int | None = None
    body: Callable[[bytes], bytes] | None = None
    pace: float = 0.0


@dataclass
class BendingWire:
    """Where it leads, what becomes of the answers, and which actions went by."""

    target: tuple[str, int]
    port: int = 0
    bends: list[Bend] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    answers: dict[str, bytes] = field(default_factory=dict)  # the last whole answer to each action

    def bend(self, request: bytes) -> tuple[str, Bend | None]:
        """Find out what a request asks, and what becomes of its answer."""
        found = _ACTION.search(request)
        action = found[1].decode() if found else ""
        self.asked.append(action)
        for bend in self.bends:
            if bend.action in ("", action) and bend.times > 0:
                bend.times -= 1
                return action, bend
        return action, None


@contextmanager
def bending(address: str, port: int) -> Iterator[BendingWire]:
    """Lay a wire to an HTTP port, for clients that say everything aloud."""
    wire = BendingWire((address, port))

    class Relay(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            action, bend = wire.bend(request)
            if bend is not None and bend.status is not None:
                self._tell(bend.status, {}, b"", bend.pace)
                return
            onward = HTTPConnection(*wire.target, timeout=60)
            onward.request("POST", self.path, request, {n: v for n, v in self.headers.items() if n in _HEADERS})
            answer = onward.getresponse()
            content = answer.read()
            onward.close()
            wire.answers[action] = content
            if bend is not None and bend.body is not None:
                content = bend.body(content)
            told = {name: value for name, value in answer.getheaders() if name in _HEADERS}
            self._tell(answer.status, told, content, bend.pace if bend is not None else 0.0)

        def _tell(self, status: int, headers: dict[str, str], content: bytes, pace: float) -> None:
            lines = [f"HTTP/1.1 {status} said", *(f"{name}: {value}" for name, value in headers.items())]
            whole = "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""]).encode() + content
            for start in range(0, len(whole), 1 if pace else len(whole)):
                self.wfile.write(whole[start : start + 1] if pace else whole)
                time.sleep(pace)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Say nothing: a client that has had enough is what these tests are about."""

    with Server(("127.0.0.1", 0), Relay) as server:
        wire.port = server.server_address[1]
        with aside(server):
            yield wire
