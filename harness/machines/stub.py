"""The SOAP connection to a vCenter: trust, API version, every call counted, and what may be sent twice."""

from __future__ import annotations

import logging
import re
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPSConnection
from typing import Any
from xml.parsers.expat import ExpatError

from pyVmomi import vim
from pyVmomi.SoapAdapter import SoapStubAdapter
from pyVmomi.VmomiSupport import GetServiceVersions, versionIdMap

from harness.errors import AuthoringError
from harness.machines.pinning import pinned
from harness.overdue import broken_off
from harness.site import VCenter as VCenterAddress

log = logging.getLogger(__name__)

# What may be sent again when its connection broke: it changes nothing, or what it makes is only a view of ours.
READS = frozenset(
    {
        "RetrieveServiceContent",
        "RetrievePropertiesEx",
        "ContinueRetrievePropertiesEx",
        "FindByInventoryPath",
        "WaitForUpdatesEx",
        "CreateContainerView",
        "CreatePropertyCollector",
        "CreateFilter",
    }
)

# A pooled connection older than this is not trusted: servers and the boxes between close idle ones without a word.
IDLE = 30

# A call whose session is ended again and again by somebody is given up; once is an idle session or a restart.
RENEWALS = 3

# Kept for the next call: each machine that is being waited for holds one, and a new one costs a TLS handshake.
CONNECTIONS = 64


class NeverSent(ConnectionError):
    """No connection came about, so nothing of the request can have reached the vCenter."""


class NotUnderstood(Exception):
    """The answer is not what the vSphere API allows."""


def trust(vcenter: VCenterAddress) -> ssl.SSLContext:
    """Verify by the pinned thumbprint, by the site's CA file, else by the system's CAs.

    Raises AuthoringError when the file does not serve.
    """
    ca_file = None if vcenter.ca_file is None else str(vcenter.ca_file)
    try:
        if vcenter.thumbprint is not None:
            return pinned(vcenter.thumbprint, ca_file=ca_file)
        context = ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as error:
        raise AuthoringError(f"vcenter.ca_file: {vcenter.ca_file} holds no certificate in PEM form") from error
    except OSError as error:
        raise AuthoringError(f"vcenter.ca_file: cannot read {vcenter.ca_file}: {error.strerror}") from error
    if not vcenter.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def https(
    host: str, port: int, *, tls: ssl.SSLContext, timeout: float, within: float | None = None
) -> Iterator[HTTPSConnection]:
    """Connect by HTTPS; raises NeverSent when no connection comes about.

    ``timeout`` bounds each read and write, and ``within`` (the same unless told) all of them, in seconds.
    """
    connection = HTTPSConnection(host, port, context=tls, timeout=timeout, blocksize=1 << 20)
    try:
        try:
            connection.connect()
        except OSError as error:
            raise NeverSent(str(error)) from error
        open_one = connection.sock  # which the connection forgets as soon as an answer is its last
        with broken_off(timeout if within is None else within, lambda: open_one):
            yield connection
    finally:
        connection.close()


def api_version(host: str, port: int, *, tls: ssl.SSLContext, timeout: float) -> str:
    """Find the newest API version that both sides speak.

    SmartConnect does the same without any time-out, and so hangs on a vCenter that accepts and never answers.
    """
    with https(host, port, tls=tls, timeout=timeout) as connection:
        connection.request("GET", "/sdk/vimServiceVersions.xml")
        answer = connection.getresponse()
        text = answer.read(1 << 20).decode("utf-8", "replace") if answer.status == 200 else ""
    offered = set(re.findall(r"<version>\s*([^<\s]+)\s*</version>", text))
    for version in GetServiceVersions("vim25"):
        if versionIdMap[version] in offered:
            return str(version)
    raise NotUnderstood(f"/sdk/vimServiceVersions.xml was answered with {answer.status} and no API version known here")


class Stub(SoapStubAdapter):
    """pyVmomi's connection, bounded in time: counts calls, logs in again once, re-sends nothing but reads."""

    def __init__(self, host: str, port: int, *, version: str, tls: ssl.SSLContext, timeout: float) -> None:
        self.log_in: Callable[[], None] | None = None
        self._cookie = ""
        self._logging_in = threading.Lock()
        self._login_thread = 0
        super().__init__(  # type: ignore[no-untyped-call]  # as above
            host=host,
            port=port,
            path="/sdk",
            version=version,
            poolSize=CONNECTIONS,
            connectionPoolTimeout=IDLE,
            sslContext=tls,
            httpConnectionTimeout=timeout,
        )
        self.calls: Counter[str] = Counter()
        self.session = 0  # counts log-ins; what belongs to an older session is gone
        self.used = time.monotonic()  # when the last call was sent: what keeps a session alive
        self.is_silent = False  # whether the last call to end was one that found no answer in time
        self._counting = threading.Lock()
        self._own = threading.local()  # each thread's: the sockets of its call

    @property
    def cookie(self) -> str:
        """What names our session to the vCenter."""
        return self._cookie

    @cookie.setter
    def cookie(self, given: str) -> None:
        # a vCenter hands a cookie to whoever has none; a late answer of that kind must not replace a new session's
        if self.log_in is None or self._login_thread == threading.get_ident():
            self._cookie = given

    def InvokeMethod(  # noqa: N802 - pyVmomi's name
        self,
        mo: Any,
        info: Any,
        args: Any,
        outerStub: Any = None,  # noqa: N803 - pyVmomi's name
    ) -> Any:
        """Send one call; a session that was ended is renewed, because a refused call has not started."""
        for _ in range(RENEWALS):
            session = self.session
            try:
                return self._call(mo, info, args, outerStub)
            except vim.fault.NotAuthenticated:
                if self.log_in is None or info.wsdlName in {"Login", "Logout"}:
                    raise
                self.renew(session)
        return self._call(mo, info, args, outerStub)

    def renew(self, session: int) -> None:
        """Log in again unless another thread has done so since ``session``."""
        with self._logging_in:
            if self.session == session and self.log_in is not None:
                self._login_thread = threading.get_ident()
                try:
                    # a session that is alive after all would refuse a second log-in as a wrong password
                    self.cookie = ""
                    self.log_in()
                    self.session += 1
                    log.warning("the vCenter had ended the session; logged in again")
                finally:
                    self._login_thread = 0

    def hurry(self, within: float) -> None:
        """Give every connection that is made from now on this many seconds for each read and write, at most."""
        self.schemeArgs["timeout"] = min(within, self.schemeArgs["timeout"])

    def GetConnection(self) -> Any:  # noqa: N802 - pyVmomi's name
        """Take a pooled connection or make one; raises NeverSent when none comes about."""
        try:
            connection = super().GetConnection()  # type: ignore[no-untyped-call]  # as above
            if connection.sock is None:  # its last answer was told to be the last one
                connection.connect()
        except OSError as error:
            raise NeverSent(str(error)) from error
        self._own.taken.append(connection.sock)
        return connection

    def _call(self, mo: Any, info: Any, args: Any, outer: Any) -> Any:
        try:
            return self._send(mo, info, args, outer)
        except (NeverSent, TimeoutError):
            raise
        except (OSError, HTTPException):
            # a kept connection that the vCenter has closed in the meantime looks just so
            if info.wsdlName not in READS:
                raise
        return self._send(mo, info, args, outer)

    def _send(self, mo: Any, info: Any, args: Any, outer: Any) -> Any:
        with self._counting:
            self.calls[info.wsdlName] += 1
            self.used = time.monotonic()
        self.is_silent = False
        taken: list[socket.socket] = []
        self._own.taken = taken
        try:
            with broken_off(self.schemeArgs["timeout"], lambda: taken[-1] if taken else None):
                return super().InvokeMethod(mo, info, args, outer)  # type: ignore[no-untyped-call]  # as above
        except (TimeoutError, NeverSent) as error:
            self.is_silent = isinstance(error.__cause__ or error, TimeoutError)
            raise
        except (AttributeError, TypeError, LookupError, ValueError, ExpatError) as error:
            # arguments were checked before this point: it is the answer that breaks pyVmomi's strict types
            raise NotUnderstood(f"{info.wsdlName} was answered with what pyVmomi cannot read: {error!r}") from error
