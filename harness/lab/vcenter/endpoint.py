"""The vCenter as it is reached: HTTPS with /sdk for SOAP, /folder for the datastore and /guestFile for guest files."""

from __future__ import annotations

import inspect
import logging
import re
import secrets
import socket
import ssl
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from aiohttp import web
from aiohttp.typedefs import Handler

from harness.lab.audit import Audit
from harness.lab.faults.asked import Faults
from harness.lab.vcenter import soap
from harness.lab.vcenter.authorization import Authorization
from harness.lab.vcenter.guestoperations import Authentication, GuestFiles, GuestOperations
from harness.lab.vcenter.objects import Inventory, Served
from harness.lab.vcenter.rest import AutomationAPI
from harness.lab.vcenter.service import PRODUCT, SearchIndex, ServiceInstance, ViewManager
from harness.lab.vcenter.sessions import Session, Sessions, User
from harness.lab.vcenter.tagging import Carrier, Tagging
from harness.lab.vcenter.tree import Premises
from harness.lab.vcenter.trouble import Broken, Trouble
from harness.lab.vcenter.virtualmachine import VirtualMachine

if TYPE_CHECKING:
    from harness.lab.guest import LabGuest

_log = logging.getLogger(__name__)
_LARGEST_REQUEST = 4 * 1024**2
_COOKIE = re.compile(r'vmware_soap_session="?([^";\s]+)"?')


class VCenter:
    """A vCenter whose machines are lab guests.

    ``admit`` is asked for an address when a clone needs one, for a certain one if it names it, and raises LookupError
    when that is not to be had; ``dismiss`` is told when a guest goes; both are the lab's.
    """

    def __init__(
        self,
        users: list[User],
        *,
        url: str,
        release: str,
        admit: Callable[[LabGuest, str], Awaitable[str]],
        dismiss: Callable[[LabGuest], Awaitable[None]],
        audit: Audit | None = None,
        faults: Faults | None = None,
    ) -> None:
        self.inventory = Inventory()
        self.audit = audit or Audit()
        self.faults = faults or Faults(self.audit)
        self.faults.changed = lambda: self.inventory.changed(None)
        self.premises = Premises(self.inventory, admit=admit, dismiss=dismiss, audit=self.audit, faults=self.faults)
        self.sessions = Sessions(self.inventory, users, furnish=ViewManager)
        self.trouble = Trouble(self.faults, self.audit, self.sessions)
        self.tagging = Tagging(self._is_there)
        self.automation = AutomationAPI(self.tagging, self.sessions, self.audit, self.trouble.lacks)
        self.files = GuestFiles(self.inventory, url)
        self.instance = str(uuid.uuid4())
        root = self.premises.root
        service, operations = ServiceInstance(root, self.instance, release), GuestOperations()
        for thing in (
            service,
            *service.unserved.values(),
            SearchIndex(self.inventory, root),
            Authorization(self.sessions, self.trouble, root),
            operations,
            *operations.unserved.values(),
            Authentication(self.inventory),
            self.files,
        ):
            self.inventory.add(thing)
        self._runner: web.AppRunner | None = None

    def enrol(
        self, guest: LabGuest, address: str, snapshots: dict[str, str], *, of: str = "", made: datetime | None = None
    ) -> VirtualMachine:
        """Put a guest into the folder ``Lab/vm/Windows`` with the snapshots it has already, as key and name.

        ``of`` names what it is made of: a machine that is made of the same is the same in every lab, as are its
        snapshots, which have been there since ``made``.
        """
        vm = VirtualMachine(guest.name, self.premises.windows, guest, address, self.premises)
        vm.annotation = f"{guest.build.name} ({guest.build}), a guest of the lab"
        if of:
            vm.instance_uuid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"pytest-wincompat:{of}:{guest.name}:{guest.build}"))
        for key, name in snapshots.items():
            vm.snapshots.put(key, name, "As it was made", made)
        self.premises.house(vm)
        return vm

    async def start(self, listening: socket.socket, tls: ssl.SSLContext) -> None:
        """Answer on a socket that is bound already."""
        app = web.Application(client_max_size=_LARGEST_REQUEST, middlewares=[self._door])
        app.router.add_post("/sdk", self._sdk)
        app.router.add_post("/sdk/", self._sdk)
        app.router.add_get("/sdk/vimServiceVersions.xml", self._versions)
        app.add_routes(self.automation.routes())
        app.router.add_get("/folder/{path:.+}", self._folder)
        app.router.add_get("/guestFile", self._guest_file_out)
        app.router.add_put("/guestFile", self._guest_file_in)
        # a client that goes away ends its long poll; operations are tasks and go on
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.SockSite(self._runner, listening, ssl_context=tls, backlog=128).start()

    async def stop(self) -> None:
        """End sessions, waits, operations and the listener."""
        self.sessions.end_all()
        await self.faults.stop()
        await self.premises.tasks.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    def _is_there(self, carrier: Carrier) -> bool:
        found = self.inventory.objects.get(carrier[1])
        return found is not None and found.kind._wsdlName == carrier[0]

    def _session(self, request: web.Request) -> Session:
        cookie = _COOKIE.search(request.headers.get("Cookie", ""))
        address = request.remote or ""
        return self.sessions.of(cookie[1] if cookie else "", address, request.headers.get("User-Agent", ""))

    @web.middleware
    async def _door(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            await self.trouble.at_the_door()
            return await handler(request)
        except Broken:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)  # goes nowhere: its connection was broken off

    async def _sdk(self, request: web.Request) -> web.Response:
        version = soap.version_of(request.headers.get("SOAPAction", ""))
        session = self._session(request)
        cookie = session.cookie
        session.under_way += 1
        try:
            status, body = 200, await self._answer(session, await request.read(), version)
        except soap.vmodl.MethodFault as fault:
            status, body = 500, soap.fault(fault, version)
        finally:
            session.under_way -= 1
            session.used = self.sessions.clock()
        response = web.Response(body=body, status=status, content_type="text/xml", charset="utf-8")
        if session.cookie != cookie:
            response.headers["Set-Cookie"] = f'vmware_soap_session="{session.cookie}"; Path=/; HttpOnly; Secure'
        return response

    async def _answer(self, session: Session, body: bytes, version: str) -> bytes:
        try:
            call = soap.read_call(body)
        except soap.BadRequest as error:
            raise soap.vmodl.fault.InvalidRequest(msg=str(error)) from error
        try:
            machine = await self.trouble.arriving(session, call)
            session.allow(call)
            thing = self._addressed(session, call)
            if call.method.name == "Fetch":
                return self._fetch(session, thing, call, version)
            call.user = session.user.name if session.user is not None else ""
            value = _function(thing, call)(thing, call)
            if inspect.isawaitable(value):
                value = await value
            self.trouble.leaving(call, machine)
            return soap.answer(call.method, value, call.method.result, version)
        except (soap.vmodl.MethodFault, Broken):
            raise
        except Exception as error:  # a mistake of the lab's own: the client hears of it, the log says where
            _log.exception("%s failed", call.method.name)
            reason = f"{type(error).__name__}: {error}"
            words = f"A general system error occurred: {reason}"
            raise soap.vmodl.fault.SystemError(reason=reason, msg=words) from error

    def _addressed(self, session: Session, call: soap.Call) -> Served:
        found = session.sight.get(call.this)
        if found is None and session.user is None:
            # a stranger is not told what there is, nor one whose session has ended what he had
            words = "The session is not authenticated."
            raise soap.vim.fault.NotAuthenticated(object=call.this, privilegeId="System.View", msg=words)
        return found or self.inventory.find(call.this)

    def _fetch(self, session: Session, thing: Served, call: soap.Call, version: str) -> bytes:
        open_to_all = isinstance(thing, ServiceInstance) or thing.moid == "SessionManager"
        if session.user is None and not open_to_all:
            raise soap.vim.fault.NotAuthenticated(
                object=call.this, privilegeId="System.View", msg="The session is not authenticated."
            )
        value = thing.property(call["prop"])
        return soap.answer(call.method, value, soap.property_type(thing.kind, call["prop"]), version)

    async def _versions(self, _: web.Request) -> web.Response:
        newest, *prior = soap.versions()
        older = "".join(f"<version>{escape(version)}</version>" for version in prior)
        text = (
            '<?xml version="1.0" encoding="UTF-8" ?>\n<namespaces version="1.0"><namespace><name>urn:vim25</name>'
            f"<version>{escape(newest)}</version><priorVersions>{older}</priorVersions></namespace></namespaces>"
        )
        return web.Response(text=text, content_type="text/xml")

    async def _folder(self, request: web.Request) -> web.Response:
        if self._session(request).user is None:
            return web.Response(
                status=401, text="log in first", headers={"WWW-Authenticate": f'Basic realm="{PRODUCT}"'}
            )
        store = self.premises.datastore
        asked = (request.query.get("dcPath", self.premises.datacenter.name), request.query.get("dsName", store.name))
        content = store.files.get(request.match_info["path"])
        if content is None or asked != (self.premises.datacenter.name, store.name):
            return web.Response(status=404, text="no such file")
        return web.Response(body=content, content_type="image/png")

    async def _guest_file_out(self, request: web.Request) -> web.Response:
        transfer = self.files.take(request.query.get("token", ""), out=True)
        if transfer is None:
            return web.Response(status=404, text="no such transfer")
        return web.Response(body=transfer.content, content_type="application/octet-stream")

    async def _guest_file_in(self, request: web.Request) -> web.Response:
        transfer = self.files.take(request.query.get("token", ""), out=False)
        if transfer is None:
            return web.Response(status=404, text="no such transfer")
        if request.content_length != transfer.size:
            return web.Response(status=400, text=f"the file was announced with {transfer.size} bytes")

        async def arriving() -> AsyncIterator[bytes]:
            async for piece in request.content.iter_chunked(1024**2):
                yield piece

        try:
            await self.files.store(transfer, arriving())
        except soap.vmodl.MethodFault as fault:
            return web.Response(status=500, text=fault.msg)
        except Exception:  # noqa: BLE001 - the guest went away under the transfer, or worse: the log says which
            number = secrets.token_hex(4)
            _log.exception("transfer %s to %s of %s failed", number, transfer.path, transfer.vm.name)
            return web.Response(status=500, text=f"the transfer failed; see {number} in the lab's log")
        return web.Response(status=200)


def _function(thing: Served, call: soap.Call) -> Callable[[Any, soap.Call], Any]:
    if call.method.name in thing.methods:
        return thing.methods[call.method.name]
    if issubclass(thing.kind, call.method.owner):
        raise soap.vmodl.fault.NotSupported(msg=f"The lab's vCenter has no {call.method.name}.")
    words = f"{thing.kind._wsdlName} has no method {call.method.name}"
    raise soap.vmodl.fault.MethodNotFound(receiver=call.this, method=call.method.name, msg=words)
