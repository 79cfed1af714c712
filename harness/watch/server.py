"""A web page that follows a run: read-only, for this machine alone unless told otherwise, and then behind a token."""

from __future__ import annotations

import hmac
import json
import secrets
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from ipaddress import ip_address
from typing import Any

from harness.errors import AuthoringError
from harness.results.text import clipped, visible
from harness.watch.view import View

FILES = {
    "": ("page.html", "text/html; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
LONGEST = 1_000  # characters of any text
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # the address may hold the token
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class WatchServer(ThreadingHTTPServer):
    """Serves the page, what a run is at (``state.json``), and the same as text (``state.txt``)."""

    daemon_threads = True

    def __init__(self, look: Callable[[], View], text: Callable[[View], str], *, host: str, port: int) -> None:
        self.token = "" if _is_loopback(host) else secrets.token_urlsafe(24)
        self._look = look
        self._text = text
        self._one_at_a_time = threading.Lock()  # what was read of the journal is kept between looks
        try:
            super().__init__((host, port), _Answer)
        except OSError as error:
            raise AuthoringError(
                f"--serve: cannot listen on {host}:{port}: {error.strerror}; take another --port"
            ) from error

    @property
    def address(self) -> str:
        """The page's address, with the token where there is one."""
        host, port = self.server_address[0], self.server_address[1]
        return f"http://{host!s}:{port}/{self.token + '/' if self.token else ''}"

    def answer(self, path: str) -> tuple[str, bytes] | None:
        """Find what a path names: its type and content; None for what is not here or not for whoever asks."""
        asked = path.partition("?")[0].removeprefix("/")
        if self.token:
            token, _, asked = asked.partition("/")
            if not hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode()):
                return None
        if asked in FILES:
            name, kind = FILES[asked]
            return kind, files("harness.watch").joinpath("page", name).read_bytes()
        if asked not in ("state.json", "state.txt"):
            return None
        with self._one_at_a_time:
            view = self._look()
        if asked == "state.txt":
            return "text/plain; charset=utf-8", self._text(view).encode("utf-8", "replace")
        return "application/json", json.dumps(_shown(asdict(view))).encode()

    def is_meant(self, host: str) -> bool:
        """Whether a request's Host names this machine: another site's name that leads here must not read the run."""
        return bool(self.token) or host.rpartition(":")[0] in ("127.0.0.1", "localhost", "[::1]")

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that goes away; all else is a mistake here."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Answer(BaseHTTPRequestHandler):
    server: WatchServer
    server_version = "wincompat"
    sys_version = ""
    timeout = 10  # seconds that a silent client is waited for

    def do_GET(self) -> None:
        found = self.server.answer(self.path) if self.server.is_meant(self.headers.get("Host", "")) else None
        kind, content = found or ("text/plain; charset=utf-8", b"not here\n")
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET  # noqa: N815 - http.server's name

    def log_message(self, *_words: object) -> None:
        """Say nothing: the terminal shows the run."""


def _shown(value: Any) -> Any:
    """Make every text fit to be read: nothing in it acts, hides, or is longer than a line of a table can be."""
    if isinstance(value, str):
        return visible(clipped(value, LONGEST))
    if isinstance(value, dict):
        return {_shown(name): _shown(inside) for name, inside in value.items()}
    return [_shown(inside) for inside in value] if isinstance(value, list | tuple) else value


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
