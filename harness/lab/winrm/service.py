"""The WinRM ports of one guest: they open when its Windows is up and are cut off when it is not."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import ssl
import struct
import time
from email.utils import formatdate
from typing import Final
from weakref import WeakKeyDictionary

from aiohttp import web

from harness.lab.guest import LabGuest
from harness.lab.winrm import faults, names, sealing
from harness.lab.winrm.authentication import Connection
from harness.lab.winrm.command import PowerCut
from harness.lab.winrm.credentials import USER_FILE_VARIABLE, Credentials
from harness.lab.winrm.endpoint import Answer, Caller, Endpoint
from harness.lab.winrm.envelope import parse, read_request, write_answer
from harness.lab.winrm.quotas import Policy, Quotas
from harness.lab.winrm.shells import Shells
from harness.lab.winrm.trouble import Trouble

HTTP_PORT: Final = 5985
HTTPS_PORT: Final = 5986

_log = logging.getLogger(__name__)
_IDLE: Final = 120.0  # seconds; after which Windows' HTTP service drops a silent connection
_SEALING: Final = 1024  # bytes that sealing adds to a message
_SERVER: Final = "Microsoft-HTTPAPI/2.0 (pytest-wincompat lab)"
_IDENTIFY: Final = f"{{{names.IDENTITY}}}Identify"
_RESET: Final = struct.pack("ii", 1, 0)  # linger for no time: closing resets the connection


class _Door(web.Server):
    """The connections of one boot; once shut, what was only being accepted is reset as it comes in."""

    is_shut = False

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if self.is_shut:
            _reset(transport)

    def shut(self) -> None:
        self.is_shut = True
        for connection in self.connections:
            _reset(connection.transport)


class WinRMService:
    """WS-Man and WinRS of one guest, on ports 5985 and 5986 of its address, for as long as the guest is up.

    It follows ``guest.observers``: when the guest goes away every connection is reset, unanswered, and its shells are
    gone.
    """

    def __init__(
        self,
        guest: LabGuest,
        *,
        address: str,
        tls: ssl.SSLContext,
        quotas: Quotas = Quotas(),  # noqa: B008 - frozen
        policy: Policy = Policy(),  # noqa: B008 - frozen
        trouble: Trouble | None = None,
    ) -> None:
        self._guest = guest
        self._address = address
        self._tls = tls
        self._quotas = quotas
        self._policy = policy
        self._trouble = trouble or Trouble()
        self._credentials = Credentials(guest.accounts.values(), guest.name)
        self._connections: WeakKeyDictionary[asyncio.Transport, Connection] = WeakKeyDictionary()
        self._sockets: list[socket.socket] = []
        self._listeners: list[asyncio.Server] = []
        self._opening: asyncio.Task[None] | None = None
        self._shells: Shells | None = None
        self._door: _Door | None = None
        self._endpoint: Endpoint | None = None

    async def start(self) -> None:
        """Follow the guest from now on; listens when this returns if the guest is up.

        Raises OSError when a port is taken, and RuntimeError when no user file was written (see ``credentials``).
        """
        if not os.environ.get(USER_FILE_VARIABLE):
            raise RuntimeError(f"{USER_FILE_VARIABLE} is not set: call write_user_file before starting a WinRM service")
        self._shells = Shells(self._guest, self._quotas)
        self._endpoint = Endpoint(self._guest, self._shells, self._quotas, self._policy)
        self._guest.observers.append(self._follow)
        if self._guest.is_up:
            self._bind()
            await self._listen()

    async def stop(self) -> None:
        """Stop following, end every shell and close the ports."""
        with contextlib.suppress(ValueError):
            self._guest.observers.remove(self._follow)
        if self._shells is not None:
            await self._shells.close_all()
        door = self._door
        self._cut()
        if door is not None:
            await door.shutdown(0)

    def _follow(self, guest: LabGuest) -> None:
        if not guest.is_up:
            self._cut()
        elif not self._sockets:
            try:
                self._bind()
            except OSError as error:
                _log.error("the WinRM ports of %s cannot be opened: %s", guest.name, error)
                return
            self._opening = asyncio.create_task(self._listen(), name=f"winrm listens for {guest.name}")

    def _bind(self) -> None:
        """Take both ports at once: whoever is told that the guest is up finds them open."""
        self._door = _Door(self._serve, access_log=None, keepalive_timeout=_IDLE)
        try:
            for port in (HTTP_PORT, HTTPS_PORT):
                self._sockets.append(socket.create_server((self._address, port), backlog=100))
        except OSError:
            self._cut()
            raise

    async def _listen(self) -> None:
        assert self._door is not None  # noqa: S101 - made in _bind
        loop = asyncio.get_running_loop()
        for opened, tls in zip(list(self._sockets), (None, self._tls), strict=True):
            opened.setblocking(False)
            self._listeners.append(await loop.create_server(self._door, sock=opened, ssl=tls, backlog=100))

    def _cut(self) -> None:
        """Close the ports and reset every connection, at once: what a power cut looks like from outside."""
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        for listener in self._listeners:
            listener.close()
        for opened in self._sockets:
            opened.close()
        self._listeners.clear()
        self._sockets.clear()
        if self._door is not None:
            self._door.shut()
            self._door = None
        if self._shells is not None:
            self._shells.lose_all()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return self._dated(await self._respond(request))
        except PowerCut:
            _reset(request.transport)
            return _plain(500)  # goes nowhere: its connection was reset
        except ConnectionError:
            return _plain(500)  # goes nowhere: its client has hung up
        except Exception:  # noqa: BLE001 - a client gets a fault, never a page with a traceback
            _log.exception("a WinRM request broke the service")
            return _soap(
                write_answer(faults.internal("see its log").body(self._address), action="", relates_to=""), 500
            )

    async def _respond(self, request: web.BaseRequest) -> web.Response:
        path = request.path.rstrip("/").lower()
        if path not in ("/wsman", "/wsman-anon/identify"):
            return _plain(404)
        if request.method != "POST":
            return _plain(405, Allow="POST")
        await self._trouble.arriving()
        content = await self._read(request)
        if content is None:
            return _plain(413, Connection="close")
        if path == "/wsman-anon/identify" or "WSMANIDENTIFY" in request.headers:
            authenticated = bool(request.headers.get("Authorization"))
            if path == "/wsman-anon/identify" or not authenticated:
                return self._identify(content, authenticated=False)
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client has gone")
        connection = self._connections.setdefault(
            transport,
            Connection(
                self._credentials, basic=self._policy.basic and (request.secure or self._policy.allow_unencrypted)
            ),
        )
        verdict = connection.judge(request.headers.get("Authorization", ""))
        if verdict.account is None:
            return self._ask(request, verdict.header)
        if self._trouble.refuses():
            del self._connections[transport]
            return self._ask(request, None)
        greeting = {"WWW-Authenticate": verdict.header} if verdict.header else {}
        sealed = sealing.is_sealed(request.content_type)
        if sealed:
            if connection.context is None:
                return _plain(400, Connection="close")
            try:
                content = sealing.unseal(connection.context, content)
            except sealing.NotSealed:
                del self._connections[transport]
                return _plain(400, Connection="close")
            if len(content) > self._quotas.max_envelope:
                return _plain(413, Connection="close")
        if not content:
            return _soap(b"", 200, **greeting)  # how a client makes the key before its first sealed message
        if not (sealed or request.secure or self._policy.allow_unencrypted):
            return _plain(500, **greeting)
        if "WSMANIDENTIFY" in request.headers:
            return self._identify(content, authenticated=True)
        caller = Caller(
            account=verdict.account,
            client=request.remote or "",
            endpoint=f"{request.scheme}://{request.host}/wsman",
        )
        reply, status, answer = await self._answer(request, content, caller)
        if not self._guest.is_up:
            raise PowerCut
        if sealed and connection.context is not None:
            response = _soap(sealing.seal(connection.context, reply), status, media_type=sealing.MEDIA_TYPE, **greeting)
        else:
            response = _soap(reply, status, **greeting)
        return await _deliver(request, self._dated(response), answer)

    def _dated(self, response: web.Response) -> web.Response:
        """Show the guest's own time, as Windows does, where it is not the host's."""
        if self._guest.ahead and not response.prepared:
            response.headers["Date"] = formatdate(time.time() + self._guest.ahead, usegmt=True)
        return response

    async def _answer(
        self, request: web.BaseRequest, content: bytes, caller: Caller
    ) -> tuple[bytes, int, Answer | None]:
        assert self._endpoint is not None  # noqa: S101 - made in start
        message_id = ""
        try:
            asked = read_request(content, request.charset or "utf-8")
            if asked.body is not None and asked.body.tag == _IDENTIFY:  # asked for without the header that tells so
                return self._identity(authenticated=True), 200, None
            message_id = asked.message_id
            self._trouble.asking(request, asked, caller.account.name)
            answer = await self._endpoint.answer(asked, caller)
            if self._trouble.answered(asked):
                if answer.unsent is not None:
                    answer.unsent()
                raise PowerCut
        except faults.Fault as fault:
            reply = write_answer(fault.body(self._address), action=fault.action, relates_to=message_id)
            return reply, 500, None
        return write_answer(answer.body, action=answer.action, relates_to=message_id), 200, answer

    def _identify(self, content: bytes, *, authenticated: bool) -> web.Response:
        try:
            root = parse(content)
            if root.find(f"{{{names.SOAP}}}Body/{_IDENTIFY}") is None:
                raise faults.malformed("The body should hold wsmid:Identify.")
        except faults.Fault as fault:
            return _soap(write_answer(fault.body(self._address), action=fault.action, relates_to=""), 500)
        return _soap(self._identity(authenticated=authenticated), 200)

    def _identity(self, *, authenticated: bool) -> bytes:
        assert self._endpoint is not None  # noqa: S101 - made in start
        body = self._endpoint.identify(authenticated=authenticated)
        head = f'<s:Envelope xml:lang="en-US" xmlns:s="{names.SOAP}"><s:Header/><s:Body>'
        return f"{head}{body}</s:Body></s:Envelope>".encode()

    def _ask(self, request: web.BaseRequest, challenge: str | None) -> web.Response:
        response = _plain(401)
        if challenge is not None:
            response.headers["WWW-Authenticate"] = challenge
            return response
        response.headers.add("WWW-Authenticate", "Negotiate")
        if self._policy.basic and (request.secure or self._policy.allow_unencrypted):
            response.headers.add("WWW-Authenticate", 'Basic realm="WSMAN"')
        return response

    async def _read(self, request: web.BaseRequest) -> bytes | None:
        """Read the request's body, or None as soon as it is too large."""
        limit = self._quotas.max_envelope + (_SEALING if sealing.is_sealed(request.content_type) else 0)
        if (request.content_length or 0) > limit:
            return None
        if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        parts: list[bytes] = []
        size = 0
        async for part in request.content.iter_any():
            size += len(part)
            if size > limit:
                return None
            parts.append(part)
        return b"".join(parts)


async def _deliver(request: web.BaseRequest, response: web.Response, answer: Answer | None) -> web.Response:
    """Send a response here and now, so that an answer whose client has gone can be taken back."""
    try:
        if request.transport is None or request.transport.is_closing():
            raise ConnectionResetError("the client has gone")
        await response.prepare(request)
        await response.write_eof()
    except ConnectionError:
        if answer is not None and answer.unsent is not None:
            answer.unsent()
        raise
    return response


def _plain(status: int, **headers: str) -> web.Response:
    return web.Response(status=status, headers={"Server": _SERVER, **headers})


def _soap(content: bytes, status: int, *, media_type: str = names.SOAP_MEDIA_TYPE, **headers: str) -> web.Response:
    return web.Response(body=content, status=status, headers={"Server": _SERVER, "Content-Type": media_type, **headers})


def _reset(transport: asyncio.Transport | None) -> None:
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()
