"""Sessions: who is logged in, what they may do, and until when."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from harness.lab.vcenter.collector import PropertyCollector
from harness.lab.vcenter.objects import Inventory, Served, answers, shows
from harness.lab.vcenter.selection import Sight
from harness.lab.vcenter.soap import Call, vim, vmodl

IDLE = 30 * 60.0
_WRONG = "Cannot complete login due to an incorrect user name or password."
READING = {"System.Anonymous", "System.View", "System.Read"}
# methods whose privilege the type tables do not name, because it is asked of a parameter or depends on one
PRIVILEGES = {
    "CloneVM_Task": "VirtualMachine.Provisioning.Clone",
    "Destroy_Task": "VirtualMachine.Inventory.Delete",
    "ReconfigVM_Task": "VirtualMachine.Config.Settings",
    "DeleteDatastoreFile_Task": "Datastore.FileManagement",
    "ValidateCredentialsInGuest": "VirtualMachine.GuestOperations.Query",
    "ListFilesInGuest": "VirtualMachine.GuestOperations.Query",
    "InitiateFileTransferFromGuest": "VirtualMachine.GuestOperations.Query",
    "InitiateFileTransferToGuest": "VirtualMachine.GuestOperations.Modify",
    "MakeDirectoryInGuest": "VirtualMachine.GuestOperations.Modify",
    "DeleteFileInGuest": "VirtualMachine.GuestOperations.Modify",
    "TerminateSession": "Sessions.TerminateSession",
    "SetField": "Global.SetCustomField",
    "setCustomValue": "Global.SetCustomField",
    "MoveIntoFolder_Task": "VirtualMachine.Inventory.Move",
}
# what a call needs besides, on the places where it puts something
_PLACED = ("VirtualMachine.Inventory.CreateFromExisting", "Resource.AssignVMToPool", "Datastore.AllocateSpace")
FURTHER = {
    "CloneVM_Task": _PLACED,
    "InstantClone_Task": (*_PLACED, "VirtualMachine.Interact.PowerOn"),
}


def privilege_of(call: Call) -> str:
    """Name the privilege that a call needs on its object."""
    return call.method.privilege or PRIVILEGES.get(call.method.name, "System.View")


def privileges_of(call: Call) -> tuple[str, ...]:
    """Name every privilege that a call needs."""
    more = FURTHER.get(call.method.name, ())
    spec = call["spec"] if more else None
    if getattr(spec, "customization", None) is not None:
        more += ("VirtualMachine.Provisioning.Customize",)
    return (privilege_of(call), *more)


@dataclass(frozen=True, slots=True)
class User:
    """A user of the vCenter; a read-only one sees everything and may change nothing."""

    name: str
    password: str = field(repr=False)
    read_only: bool = False


class Session:
    """One log-in, or one request before it: what it sees besides the inventory, and when it was last used."""

    def __init__(self, inventory: Inventory, address: str, agent: str) -> None:
        self.key = ""
        self.cookie = ""
        self.user: User | None = None
        self.address, self.agent = address, agent
        self.opened = self.active = datetime.now(UTC)
        self.calls = self.under_way = 0
        self.used = 0.0
        self.own: dict[str, Served] = {}
        self.sight = Sight(inventory, self.own)

    @property
    def described(self) -> Any:
        """What clients are shown of it."""
        name = self.user.name if self.user is not None else ""
        return vim.UserSession(
            key=self.key,
            userName=name,
            fullName=name,
            loginTime=self.opened,
            lastActiveTime=self.active,
            locale="en",
            messageLocale="en",
            extensionSession=False,
            ipAddress=self.address,
            userAgent=self.agent,
            callCount=self.calls,
        )

    def allow(self, call: Call) -> None:
        """Raise NotAuthenticated or NoPermission for a call that this session may not make."""
        privilege = privilege_of(call)
        if self.user is None and privilege != "System.Anonymous":
            words = "The session is not authenticated."
            raise vim.fault.NotAuthenticated(object=call.this, privilegeId=privilege, msg=words)
        if self.user is not None and self.user.read_only and privilege not in READING:
            words = "Permission to perform this operation was denied."
            raise vim.fault.NoPermission(object=call.this, privilegeId=privilege, msg=words)


class Sessions:
    """The sessions that are open, by their cookie."""

    def __init__(
        self,
        inventory: Inventory,
        users: list[User],
        furnish: Callable[[Session], Served],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.inventory = inventory
        self.furnish = furnish
        self.users = {user.name.casefold(): user for user in users}
        self.clock = clock
        self.open: dict[str, Session] = {}

    def of(self, cookie: str, address: str, agent: str) -> Session:
        """Find the session of a cookie; a fresh one that is not logged in when there is none or it has ended."""
        self.end_idle()
        session = self.open.get(cookie)
        if session is None:
            session = Session(self.inventory, address, agent)
            for thing in (SessionManager(session, self), self.furnish(session)):
                session.own[thing.moid] = thing
        session.used = self.clock()
        session.active = datetime.now(UTC)
        session.calls += 1
        return session

    def end_idle(self) -> None:
        """End the sessions that nobody has used for half an hour; one that waits for an answer is in use."""
        for session in list(self.open.values()):
            if not session.under_way and self.clock() - session.used > IDLE:
                self.end(session)

    def known(self, name: str, password: str) -> User:
        """Find the user of that name and password; raises InvalidLogin."""
        user = self.users.get(name.casefold())
        right = hmac.compare_digest((user.password if user else secrets.token_hex(8)).encode(), password.encode())
        if user is None or not right:
            raise vim.fault.InvalidLogin(msg=_WRONG)
        return user

    def log_in(self, session: Session, name: str, password: str) -> None:
        """Open the session; raises InvalidLogin for a wrong name or password, or when it is open already."""
        user = self.known(name, password)
        if session.user is not None:
            raise vim.fault.InvalidLogin(msg=_WRONG)
        session.user = user
        session.key, session.cookie = secrets.token_hex(16), secrets.token_hex(20)
        session.own["propertyCollector"] = PropertyCollector("propertyCollector", session.sight)
        self.open[session.cookie] = session

    def end(self, session: Session) -> None:
        """End a session with everything it had; who waits is told RequestCanceled."""
        for thing in list(session.own.values()):
            if isinstance(thing, PropertyCollector):
                thing.destroy()
        session.own.clear()
        session.user = None
        self.open.pop(session.cookie, None)

    def end_all(self) -> None:
        """End every session."""
        for session in list(self.open.values()):
            self.end(session)


class SessionManager(Served):
    """Log-in and log-out, as one session sees them."""

    kind = vim.SessionManager

    def __init__(self, session: Session, sessions: Sessions) -> None:
        super().__init__("SessionManager")
        self.session, self.sessions = session, sessions

    @shows("currentSession")
    def _current(self) -> Any:
        return self.session.described if self.session.user is not None else None

    @shows("sessionList")
    def _list(self) -> Any:
        return [session.described for session in self.sessions.open.values()] if self.session.user is not None else []

    @shows("defaultLocale")
    def _locale(self) -> str:
        return "en"

    @shows("messageLocaleList", "supportedLocaleList")
    def _locales(self) -> list[str]:
        return ["en"]

    @answers("Login")
    def _log_in(self, call: Call) -> Any:
        self.sessions.log_in(self.session, call["userName"], call["password"])
        return self.session.described

    @answers("Logout")
    def _log_out(self, _: Call) -> None:
        self.sessions.end(self.session)

    @answers("SessionIsActive")
    def _is_active(self, call: Call) -> bool:
        asked = (call["sessionID"], call["userName"])
        return any(
            (session.key, session.user and session.user.name) == asked for session in self.sessions.open.values()
        )

    @answers("TerminateSession")
    def _terminate(self, call: Call) -> None:
        by_key = {session.key: session for session in self.sessions.open.values()}
        for key in call["sessionId"]:
            if key not in by_key:
                raise vim.fault.NotFound(msg=f"no session has the key {key!r}")
            if by_key[key] is self.session:
                raise vmodl.fault.InvalidArgument(invalidProperty="sessionId", msg="a session cannot terminate itself")
            self.sessions.end(by_key[key])
