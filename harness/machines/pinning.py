"""Trust by thumbprint: the one certificate that a site file names, and no other, before a single byte is said."""

from __future__ import annotations

import hashlib
import ssl
from typing import Any


class Mispinned(ssl.SSLCertVerificationError):
    """The certificate is not the one that was pinned; ``verify_message`` says which it is."""

    def __init__(self, found: str) -> None:
        words = f"its SHA-256 thumbprint is {found}"
        super().__init__(words)
        self.verify_message = words


class PinningContext(ssl.SSLContext):
    """A TLS context that ends every connection whose certificate has another thumbprint, right after the handshake."""

    pin: str = ""

    def wrap_socket(self, *args: Any, **named: Any) -> ssl.SSLSocket:
        """Shake hands, compare, and only then hand the connection out; raises Mispinned."""
        secured = super().wrap_socket(*args, **named)
        try:
            # a certificate is what a handshake gives: without one there would be nothing to compare
            found = hashlib.sha256(secured.getpeercert(binary_form=True) or b"").hexdigest()
            if found != self.pin:
                raise Mispinned(shown(found))
        except BaseException:
            secured.close()
            raise
        return secured


def pinned(thumbprint: str, *, ca_file: str | None = None) -> ssl.SSLContext:
    """Make a context for a thumbprint (64 hexadecimal digits); with a CA file, its chain has to verify as well."""
    context = PinningContext(ssl.PROTOCOL_TLS_CLIENT)
    context.pin = thumbprint
    if ca_file is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(ca_file)
    return context


def shown(thumbprint: str) -> str:
    """Write a thumbprint as vSphere and browsers show it: ``AB:CD:...``."""
    return ":".join(thumbprint[place : place + 2] for place in range(0, len(thumbprint), 2)).upper()
