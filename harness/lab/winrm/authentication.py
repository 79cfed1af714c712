"""What one TCP connection has proved about who is on the other end of it.

Basic proves itself with every request. NTLM, raw or inside SPNEGO, proves the connection once, in two requests; after
that the connection is trusted and its key opens and seals messages.
"""

from __future__ import annotations

import base64
import binascii
import logging
from dataclasses import dataclass

import spnego
from spnego.exceptions import NegotiateOptions, SpnegoError

from harness.lab.guest import LabAccount
from harness.lab.winrm.credentials import Credentials

_log = logging.getLogger(__name__)
# pure Python on both levels: the outcome must not depend on what GSSAPI the host has
_OPTIONS = NegotiateOptions.use_negotiate | NegotiateOptions.use_ntlm | NegotiateOptions.wrapping_winrm


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do with a request: let it in as an account, or ask (again); ``token`` goes back to the client then."""

    account: LabAccount | None = None
    token: bytes | None = None

    @property
    def header(self) -> str | None:
        """The WWW-Authenticate value that carries the token, if there is one."""
        return f"Negotiate {base64.b64encode(self.token).decode()}" if self.token else None


class Connection:
    """The log-in state of one TCP connection; ``context`` is its key once Negotiate has succeeded."""

    def __init__(self, credentials: Credentials, *, basic: bool) -> None:
        self._credentials = credentials
        self._basic = basic
        self._account: LabAccount | None = None
        self._pending: spnego.ContextProxy | None = None
        self.context: spnego.ContextProxy | None = None

    def judge(self, authorization: str) -> Verdict:
        """Look at a request's Authorization header (empty when it has none)."""
        scheme, _, value = authorization.strip().partition(" ")
        if not scheme:
            return Verdict(account=self._account)
        try:
            token = base64.b64decode(value.strip(), validate=True)
        except (binascii.Error, ValueError):
            return self._refused()
        if scheme.lower() == "basic":
            return self._judge_basic(token)
        if scheme.lower() in ("negotiate", "ntlm") and token:
            return self._judge_negotiate(token)
        return self._refused()

    def _refused(self) -> Verdict:
        self._account = self._pending = self.context = None
        return Verdict()

    def _judge_basic(self, token: bytes) -> Verdict:
        if not self._basic:
            return self._refused()
        try:
            user, colon, password = token.decode().partition(":")
        except UnicodeDecodeError:
            user, colon, password = token.decode("latin-1").partition(":")
        return Verdict(account=self._credentials.verified(user, password) if colon else None)

    def _judge_negotiate(self, token: bytes) -> Verdict:
        raw = token.startswith(b"NTLMSSP\0")
        starts_anew = self._pending is None or (raw and token[8:12] == b"\1\0\0\0")
        try:
            if starts_anew:
                self._account = self.context = None
                self._pending = spnego.server(protocol="ntlm" if raw else "negotiate", options=_OPTIONS)
            assert self._pending is not None  # noqa: S101 - made above
            answer = self._pending.step(token)
            if not self._pending.complete:
                return Verdict(token=answer)
            account = self._credentials.named(self._pending.client_principal or "")
        except Exception as error:  # noqa: BLE001 - a hostile token may break the parser anywhere; it is refused, never a crash
            known = isinstance(error, (SpnegoError, ValueError))
            _log.debug("a log-in was refused: %s", type(error).__name__, exc_info=not known)
            return self._refused()
        if account is None:
            return self._refused()
        self.context, self._pending, self._account = self._pending, None, account
        return Verdict(account=account, token=answer)
