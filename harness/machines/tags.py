"""The tags of vSphere, which only its Automation API knows: a few questions over HTTPS, in a session of their own."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote

from pyVmomi import vim

from harness.errors import MachineMissing
from harness.machines.border import Refused, one_line
from harness.machines.session import Session
from harness.machines.stub import NotUnderstood, https
from harness.mistakes import nearest

_HEADER = "vmware-api-session-id"
_LARGEST = 16 << 20


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a generation of vCenters wants to be asked.

    The older one wraps its answers, marks identifiers, and reads a body where there is nothing to say.
    """

    session: str
    tagging: str
    one: str
    action: str
    wrapped: bool
    nothing: str | None = None


API = Dialect("/api/session", "/api/cis/tagging", "{}", "action", wrapped=False)
REST = Dialect(
    "/rest/com/vmware/cis/session", "/rest/com/vmware/cis/tagging", "id:{}", "~action", wrapped=True, nothing="null"
)
"""vSphere 6.5 to 7.0; newer ones have both until they have only the other."""


def machines_tagged(session: Session, wanted: str) -> list[Any]:
    """Name the machines that carry ``category/tag``; raises MachineMissing with the nearest category or tag."""
    category, _, tag = wanted.partition("/")
    with _asked(session) as tags:
        group = _named(tags, "category", category, wanted, tags.ids("category"))
        inside = [one for one in tags.ids("tag") if tags.one("tag", one).get("category_id") == group]
        found = tags.attached(_named(tags, "tag", tag, wanted, inside))
    return [vim.VirtualMachine(one["id"], session.stub) for one in found if one.get("type") == "VirtualMachine"]


def _named(tags: _Tags, kind: str, name: str, wanted: str, ids: list[str]) -> str:
    names = {str(tags.one(kind, one).get("name")): one for one in ids}
    if name in names:
        return names[name]
    raise MachineMissing(f"no {kind} {name!r} in vSphere", machine=f"tag {wanted}", advice=nearest(name, sorted(names)))


class _Tags:
    """One connection with its session."""

    def __init__(self, connection: HTTPSConnection, site: Any) -> None:
        self._connection = connection
        self._token = ""
        self._known: dict[tuple[str, str], dict[str, Any]] = {}
        self.dialect = API
        status, token = self._log_in(site)
        if status == 404:
            self.dialect = REST
            status, token = self._log_in(site)
        if status == 401:
            raise vim.fault.InvalidLogin()
        self._token = self._content(status, token, "the log-in")
        if not isinstance(self._token, str):
            raise NotUnderstood("the Automation API answers the log-in with no session")

    def _log_in(self, site: Any) -> tuple[int, Any]:
        # the secret is read where it is sent and held nowhere: a traceback shows the variables of its frames
        return self._send(
            "POST",
            self.dialect.session,
            Authorization="Basic "
            + base64.b64encode(
                f"{site.vcenter.user}:{site.vcenter.password.read().get_secret_value()}".encode()
            ).decode(),
        )

    def log_out(self) -> None:
        self._send("DELETE", self.dialect.session)

    def ids(self, kind: str) -> list[str]:
        """List every category or tag."""
        return list(self._ask("GET", f"{self.dialect.tagging}/{kind}") or ())

    def one(self, kind: str, identifier: str) -> dict[str, Any]:
        """Describe a category or tag; asked once."""
        if (kind, identifier) not in self._known:
            self._known[kind, identifier] = self._ask("GET", self._place(kind, identifier)) or {}
        return self._known[kind, identifier]

    def attached(self, tag: str) -> list[dict[str, str]]:
        """List what carries the tag, by type and MoRef."""
        place = self._place("tag-association", tag)
        return list(self._ask("POST", f"{place}?{self.dialect.action}=list-attached-objects") or ())

    def _place(self, kind: str, identifier: str) -> str:
        return f"{self.dialect.tagging}/{kind}/{quote(self.dialect.one.format(identifier), safe=':')}"

    def _ask(self, verb: str, target: str) -> Any:
        return self._content(*self._send(verb, target), target)

    def _content(self, status: int, answer: Any, asked: str) -> Any:
        if status not in (200, 201):
            said = answer if isinstance(answer, str) else json.dumps(answer)
            raise Refused(f"the Automation API answers {asked} with {status} {one_line(said or '')}".rstrip())
        if self.dialect.wrapped:
            return answer.get("value") if isinstance(answer, dict) else None  # an empty list may be left out
        return answer

    def _send(self, verb: str, target: str, **more: str) -> tuple[int, Any]:
        body = self.dialect.nothing if verb == "POST" and self._token else None
        kind = {"Content-Type": "application/json"} if body else {}
        headers = {"Accept": "application/json", **kind, **({_HEADER: self._token} if self._token else {}), **more}
        self._connection.request(verb, target, body=body, headers=headers)
        answer = self._connection.getresponse()
        text = answer.read(_LARGEST).decode("utf-8", "replace")
        try:
            return answer.status, json.loads(text) if text.strip() else None
        except ValueError:
            if answer.status in (200, 201):
                raise NotUnderstood(f"the Automation API answers {target} with what is not JSON") from None
            return answer.status, text


@contextmanager
def _asked(session: Session) -> Iterator[_Tags]:
    site = session.site
    address, budgets = site.vcenter, site.budgets
    with https(address.host, address.port, tls=session.tls, timeout=budgets.request, within=budgets.task) as connection:
        tags = _Tags(connection, site)
        try:
            yield tags
        finally:
            # a vCenter that is gone by now has ended the session itself
            with suppress(OSError, HTTPException, NotUnderstood):
                tags.log_out()
