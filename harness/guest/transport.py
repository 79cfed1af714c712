"""The border to pywinrm: messages go out, and whatever comes back or breaks is given one of six meanings.

* Unfit        - the endpoint can never be used as the site describes it (a certificate that is not trusted, ...)
* Refused      - the guest answered and does not accept the account (401); the message was not acted on
* NotSent      - no connection came about, or the service turned it away (503); the message was not acted on
* Lost         - the message may have been acted on, and its answer is lost
* Fault        - the guest answered with a WS-Man fault: ``code`` and ``reason``
* NothingYet   - an operation time-out: nothing to tell yet, ask again; this is how waiting for output looks

This is the only file that knows pywinrm. NTLM authenticates the TCP connection and
keeps one security context for it, so a Transport belongs to one thread at a time.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import requests
import spnego
import spnego.exceptions
import urllib3.exceptions
from cryptography.hazmat.backends import default_backend
from pydantic import SecretStr
from winrm.exceptions import (
    InvalidCredentialsError,
    WinRMError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)
from winrm.protocol import Protocol

from harness.guest import envelope
from harness.guest.clock import Sightings
from harness.guest.envelope import Received
from harness.guest.telling import TellingAdapter
from harness.overdue import Overdue, broken_off
from harness.site import WinRM

READ_SLACK = 5.0  # seconds that an answer may come later than the operation time-out we asked for


class TransportError(Exception):
    """A message did not bring the answer it asked for; never seen outside ``harness.guest``."""


class Unfit(TransportError):
    """The endpoint can never be used as the site describes it."""


class Untrusted(Unfit):
    """The certificate that the endpoint shows is not one that the site vouches for."""


class Refused(TransportError):
    """The guest does not accept the account; the message was not acted on."""


class NotSent(TransportError):
    """The message did not reach the service; it was certainly not acted on."""


class Lost(TransportError):
    """The message may have been acted on, and its answer is lost."""


class Silent(Lost):
    """Nothing came of an answer, for as long as was waited for it."""


class NothingYet(TransportError):
    """The guest has nothing to tell yet; ask again."""


class Fault(TransportError):
    """The guest answered with a fault; ``code`` is a WSManFault or WMI error number, or None."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"{' '.join(self.reason.split())} (fault {self.code})"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and as whom a guest is reached; the password is never shown."""

    address: str
    winrm: WinRM
    user: str
    password: SecretStr

    @property
    def url(self) -> str:
        """The WS-Man address of the guest."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.winrm.scheme}://{host}:{self.winrm.listening_port}/wsman"

    @property
    def port(self) -> int:
        """The TCP port that the service listens on."""
        return self.winrm.listening_port


class Transport:
    """One authenticated connection to one guest; made on the first message and again after ``disconnect``."""

    def __init__(self, endpoint: Endpoint, *, connect_within: float = 5.0) -> None:
        site = endpoint.winrm
        self.url = endpoint.url
        self.connect_within = connect_within
        self.messages = 0
        self.sightings = Sightings()
        self._socket: socket.socket | None = None
        self._is_preparing = self._is_keyless = False
        self._protocol = Protocol(
            endpoint=endpoint.url,
            # pywinrm's "ntlm" is also what a Negotiate header carries: raw NTLMSSP, which Windows accepts there
            transport="basic" if site.auth == "basic" else "ntlm",
            username=endpoint.user,
            password=endpoint.password.get_secret_value(),
            ca_trust_path=str(site.ca_file) if site.ca_file else None,  # type: ignore[arg-type]  # None: certifi's
            server_cert_validation="validate" if site.verify else "ignore",
            proxy=None,  # a guest is a neighbour; the controller's web proxy is not the way to it
        )
        pywinrm = self._protocol.transport
        first = pywinrm.setup_encryption

        def set_up(session: requests.Session) -> None:
            # over HTTP a session is made by sending something, which may only be done where it may fail
            if self._is_preparing:
                self._is_keyless = True
            else:
                first(self._watched(session))

        pywinrm.setup_encryption = set_up  # type: ignore[method-assign]  # the first thing that is ever sent, by NTLM

    def prepare(self) -> None:
        """Do ahead what the first message needs and no guest, so that one is heard as soon as it answers."""
        self._is_preparing, self._is_keyless = True, False
        try:
            self._protocol.transport.build_session()
        finally:
            self._is_preparing = False
            if self._is_keyless:
                self._protocol.transport.close_session()  # the next one makes its key with the first message
        # what NTLM makes of a password, and the ciphers that are loaded with their first use; both are thrown away
        spnego.client("nobody", "nothing", protocol="ntlm")
        default_backend()

    def disconnect(self) -> None:
        """Drop the connection and its security context; the next message makes both anew."""
        self._protocol.transport.close_session()
        self._protocol.transport.encryption = None

    def settings(self, *, within: float) -> dict[str, str]:
        """Read the service's configuration as ``winrm get winrm/config`` shows it, by path: ``Winrs/IdleTimeout``."""
        with _meaningful():
            return envelope.settings_of(self._send(envelope.configuration(self.url, seconds=within), within))

    def create(self, *, within: float, profile: bool, idle: float) -> str:
        """Open a shell and return its id."""
        message = envelope.create(self.url, seconds=within, profile=profile, idle=idle)
        with _meaningful():
            return envelope.shell_id_of(self._send(message, within))

    def command(self, shell_id: str, command_id: str, line: str, *, within: float) -> str:
        """Start a command line; returns the id that the guest gave it, which is ours where the guest honours ours."""
        message = envelope.command(self.url, shell_id, command_id, line, seconds=within)
        with _meaningful():
            return envelope.command_id_of(self._send(message, within))

    def receive(self, message: str, *, wait: float, within: float) -> Received:
        """Send a Receive made by ``envelope.receive`` with operation time-out ``wait``; the same one may be repeated.

        ``within`` bounds the whole, for a guest that does not even keep its own time-out.
        """
        with _meaningful():
            return envelope.received_of(self._send(message, min(wait + READ_SLACK, within)), message)

    def signal(self, shell_id: str, command_id: str, code: Literal["terminate", "ctrl_c"], *, within: float) -> None:
        """Signal a command; raises nothing for a command that the guest no longer knows."""
        self._exchange(envelope.signal(self.url, shell_id, command_id, code, seconds=within), within)

    def delete(self, shell_id: str, *, within: float) -> None:
        """Delete a shell and everything that runs in it."""
        self._exchange(envelope.delete(self.url, shell_id, seconds=within), within)

    def _exchange(self, message: str, within: float) -> None:
        with _meaningful():
            self._send(message, within)

    def _send(self, message: str, within: float) -> bytes:
        # requests takes (connect, read) in fractions of a second; pywinrm only passes on what it holds
        limits = (min(self.connect_within, max(within, 0.05)), max(within, 0.05))
        self._protocol.transport.read_timeout_sec = limits  # type: ignore[assignment]
        self.messages += 1
        sent = time.time()

        def see(answer: requests.Response, **_: object) -> None:
            self.sightings.note(answer.headers.get("Date"), sent=sent, received=time.time())

        self._socket = self._socket if self._protocol.transport.session is not None else None
        with broken_off(limits[1] + (0.0 if self._socket else limits[0]), lambda: self._socket):
            # pywinrm makes a session with the first message and keeps it until it is closed
            session = self._watched(self._protocol.transport.build_session())
            session.hooks["response"] = [see]
            answer = self._protocol.send_message(message)
        envelope.insist_that_it_answers(answer, message)
        return answer

    def _watched(self, session: requests.Session) -> requests.Session:
        """Have a session tell us its sockets; it never has more than one at a time."""
        if not isinstance(session.adapters["http://"], TellingAdapter):
            for scheme in ("http://", "https://"):
                session.mount(scheme, TellingAdapter(self._connected))
        return session

    def _connected(self, connection: socket.socket) -> None:
        self._socket = connection


@contextmanager
def _meaningful() -> Iterator[None]:
    """Turn what pywinrm and everything below it raises into one of the six meanings.

    The cause is kept without its frames: they hold passwords, and test runners print the variables of frames.
    """
    try:
        with _translated():
            yield
    except TransportError as error:
        link: BaseException | None = error.__cause__
        while link is not None:
            link.__traceback__ = None
            link = link.__cause__ or link.__context__
        raise


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except WinRMOperationTimeoutError as error:
        raise NothingYet("operation time-out") from error
    except WSManFaultError as error:
        raise Fault(error.wmierror_code or error.wsman_fault_code, error.reason) from error
    except (InvalidCredentialsError, PermissionError) as error:
        raise Refused("the guest rejects the account") from error
    except WinRMTransportError as error:
        raise _for_status(error.code) from error
    except Overdue as error:
        raise Lost(str(error)) from error
    except (requests.exceptions.SSLError, ssl.SSLError) as error:
        raise (Untrusted if "CERTIFICATE_VERIFY_FAILED" in str(error) else Lost)(_innermost(error)) from error
    except requests.ConnectTimeout as error:
        raise NotSent("no connection in time") from error
    except requests.ConnectionError as error:
        raise (NotSent if _never_connected(error) else Lost)(_innermost(error)) from error
    except requests.Timeout as error:
        raise Silent("no answer in time") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
        raise Lost(_innermost(error)) from error
    except (WinRMError, spnego.exceptions.SpnegoError, struct.error, AttributeError, LookupError, ValueError) as error:
        # an answer that cannot be unsealed or read: pywinrm and requests_ntlm meet it in as many ways as there are
        # places to trip over (no Content-Type, no challenge, a context of an older connection), all of them "lost"
        raise Lost(f"an answer that cannot be read ({type(error).__name__}: {error})") from error


def _for_status(status: int) -> TransportError:
    """Say what an HTTP error without a fault in it means."""
    if status == http.client.SERVICE_UNAVAILABLE:
        return NotSent("the service is not available yet (HTTP 503)")
    if status == http.client.REQUEST_ENTITY_TOO_LARGE:
        return Fault(None, "the message is larger than the guest accepts (HTTP 413)")
    if status == http.client.NOT_FOUND:
        return Unfit("there is no WS-Man service at this address (HTTP 404)")
    # 400 is what a sealed message gets on a connection that the guest has forgotten
    return Lost(f"HTTP {status}")


def _never_connected(error: requests.ConnectionError) -> bool:
    """Whether the connection itself failed, so that not one byte of the message left."""
    reason = error.args[0] if error.args else None
    reason = getattr(reason, "reason", reason)
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


def _innermost(error: BaseException) -> str:
    """Give the operating system's own words for it, without the objects that wrap them."""
    reason: BaseException = error
    while True:
        inner = getattr(reason, "reason", None) or (reason.args[-1] if reason.args else None)
        if not isinstance(inner, BaseException):
            break
        reason = inner
    words = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return re.sub(r"^.*\[Errno -?\d+\] ", "", str(words))
