"""The way to a port: name, connection, certificate."""

from __future__ import annotations

import hashlib
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509

from harness.doctor.finding import Answer, fail, ok, warn

SOON = 30
"""Days before its end from which on a certificate is worth a warning."""

_EXPIRED, _WRONG_NAME = 10, {62, 64}  # X509_V_ERR_...: certificate has expired, name or address mismatch


def resolved(host: str) -> list[str]:
    """Give the addresses of a name, an address itself unchanged; raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]) for *_, where in found))


def name_resolves(host: str, *, key: str) -> Answer:
    """Look a host up; ``key`` is where the site file names it."""
    try:
        addresses = resolved(host)
    except OSError as error:
        return fail(
            f"the name {host} does not resolve: {error.strerror or error}",
            f"correct {key}, or this controller's DNS or hosts file; an address works as well",
        )
    if addresses == [host]:
        return ok(f"{host} is an address")
    return ok(f"{host} is {', '.join(addresses)}")


def port_opens(host: str, port: int, *, within: float, advice: str) -> Answer:
    """Connect and hang up."""
    try:
        with socket.create_connection((host, port), timeout=within):
            return ok(f"{host}:{port} takes connections")
    except TimeoutError:
        return fail(f"{host}:{port} did not answer within {within:g} s", f"a firewall may drop it on the way; {advice}")
    except OSError as error:
        return fail(f"{host}:{port}: {error.strerror or error}", advice)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server showed: whom it names, who signed it, its last day, and its fingerprint."""

    names: tuple[str, ...]
    issuer: str
    until: datetime
    thumbprint: str

    @classmethod
    def read(cls, der: bytes) -> Certificate:
        """Read a certificate in DER form; raises ValueError."""
        shown = x509.load_der_x509_certificate(der)
        return cls(
            names=_names(shown),
            issuer=shown.issuer.rfc4514_string(),
            until=shown.not_valid_after_utc,
            thumbprint=":".join(f"{byte:02X}" for byte in hashlib.sha256(der).digest()),
        )

    @property
    def days(self) -> int:
        """Whole days until it ends; negative once it has."""
        return (self.until - datetime.now(UTC)).days

    @property
    def called(self) -> str:
        """The names on it, in a few words."""
        return ", ".join(self.names[:3]) + (f" and {len(self.names) - 3} more" if len(self.names) > 3 else "")


def _names(shown: x509.Certificate) -> tuple[str, ...]:
    try:
        alternatives = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [str(name.value) for name in alternatives]
    except (x509.ExtensionNotFound, ValueError):
        names = []
    return tuple(names or [shown.subject.rfc4514_string()])


def certificate_of(host: str, port: int, *, tls: ssl.SSLContext, within: float) -> Certificate:
    """Shake hands and read what the server shows; raises OSError, of which ssl.SSLCertVerificationError is one."""
    with (
        socket.create_connection((host, port), timeout=within) as connection,
        tls.wrap_socket(connection, server_hostname=host) as secured,
    ):
        return Certificate.read(secured.getpeercert(binary_form=True) or b"")


def trusted(host: str, port: int, *, tls: ssl.SSLContext, within: float, part: str, how: str = "verified") -> Answer:
    """Judge a server's certificate by the trust that the site file sets up.

    ``part`` is ``vcenter`` or ``winrm``; ``how`` is ``verified``, ``pinned``, or empty where nothing is verified.
    """
    try:
        shown = certificate_of(host, port, tls=tls, within=within)
    except ssl.SSLCertVerificationError as error:
        return _untrusted(host, port, error, within=within, part=part)
    except ssl.SSLError as error:
        return fail(
            f"{host}:{port} does not speak TLS as we do: {error.reason or error}",
            f"check {part}.port, and that the other side speaks TLS 1.2 or newer",
        )
    except OSError as error:
        return fail(f"{host}:{port} broke off the TLS handshake: {error.strerror or error}", f"check {part}.port")
    words = f"{how or 'not verified'}, for {shown.called}, ends in {shown.days} days"
    words += f", SHA-256 {shown.thumbprint}"
    if not how:
        return warn(words, f"name the file of its CA in {part}.ca_file and set {part}.verify = true")
    return warn(words, "have it renewed before it ends") if shown.days < SOON else ok(words)


def _untrusted(host: str, port: int, error: ssl.SSLCertVerificationError, *, within: float, part: str) -> Answer:
    shown = certificate_of(host, port, tls=unverified(), within=within)
    code = getattr(error, "verify_code", 0)  # none of a pin that does not fit
    if part == "vcenter" and not code:
        return fail(
            f"its certificate is another one than vcenter.thumbprint says: {error.verify_message}",
            "ask whoever runs the vCenter whether it was renewed; if so, write the new one",
        )
    if code == _EXPIRED:
        return fail(f"its certificate ended on {shown.until:%Y-%m-%d}", "have it renewed on that machine")
    if code in _WRONG_NAME:
        where = "vcenter.host" if part == "vcenter" else "the machine's address"
        return fail(
            f"its certificate is for {shown.called}, not for {host}",
            f"write one of these names in {where}, or have a certificate made that names it",
        )
    return fail(
        f"its certificate, signed by {shown.issuer}, does not verify: {error.verify_message}",
        f"name the file of the CA that signed it in {part}.ca_file",
    )


def unverified() -> ssl.SSLContext:
    """Trust anybody, to see what they show."""
    tls = ssl.create_default_context()
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    return tls
