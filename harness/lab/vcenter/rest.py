"""The Automation API, as far as tags need it.

``/api`` as vCenter 7 and newer speak it, ``/rest`` as 6.5 and newer did.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from harness.lab.audit import Audit
from harness.lab.vcenter.sessions import IDLE, Sessions, User
from harness.lab.vcenter.soap import vim
from harness.lab.vcenter.tagging import Carrier, Category, NotTagged, Tag, Tagging

_TOKEN = "vmware-api-session-id"  # noqa: S105 - the header's name
_STATUS = {
    "not_found": 404,
    "already_exists": 400,
    "invalid_argument": 400,
    "unauthenticated": 401,
    "unauthorized": 403,
}
_MANAGE = "InventoryService.Tagging.CreateTag"


@dataclass(slots=True)
class _Opened:
    """A session of the Automation API; ``name`` is what the audit calls it, for the token is a secret."""

    user: User
    name: str
    used: float


class AutomationAPI:
    """Sessions and tags over JSON, in both dialects."""

    def __init__(
        self,
        tagging: Tagging,
        sessions: Sessions,
        audit: Audit,
        lacks: Callable[[str, str], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tagging, self._sessions, self._audit, self._lacks, self._clock = tagging, sessions, audit, lacks, clock
        self._open: dict[str, _Opened] = {}
        self._count = 0

    def routes(self) -> list[web.RouteDef]:
        """Make the routes of both dialects."""
        routes = [web.route("*", path, self._session) for path in ("/api/session", "/rest/com/vmware/cis/session")]
        for root in ("/api", "/rest/com/vmware"):
            routes += [web.route("*", f"{root}/cis/tagging/{{what}}", self._tags)]
            routes += [web.route("*", f"{root}/cis/tagging/{{what}}/{{id}}", self._tags)]
        return routes

    async def _session(self, request: web.Request) -> web.Response:
        if request.method == "POST" and "~action" not in request.query:
            return self._log_in(request)
        opened = self._of(request)
        if opened is None:
            return _no(request, "unauthenticated", "Authentication required.")
        if request.method == "DELETE":
            self._note(request, opened)
            del self._open[request.headers[_TOKEN]]
            return _yes(request, None)
        return _yes(request, {"user": opened.user.name})

    def _log_in(self, request: web.Request) -> web.Response:
        scheme, _, coded = request.headers.get("Authorization", "").partition(" ")
        try:
            name, _, password = base64.b64decode(coded, validate=True).decode().partition(":")
            user = self._sessions.known(name, password)
        except (binascii.Error, UnicodeDecodeError, vim.fault.InvalidLogin):
            user = None
        if user is None or scheme.lower() != "basic":
            return _no(request, "unauthenticated", "Authentication required.")
        self._count += 1
        token = secrets.token_hex(16)
        self._open[token] = _Opened(user, f"api-{self._count}", self._clock())
        self._note(request, self._open[token])
        answer = _yes(request, token, made=True)
        answer.set_cookie(_TOKEN, token, path="/", secure=True, httponly=True)
        return answer

    def _of(self, request: web.Request) -> _Opened | None:
        token = request.headers.get(_TOKEN) or request.cookies.get(_TOKEN, "")
        opened = self._open.get(token)
        if opened is not None and self._clock() - opened.used > IDLE:
            del self._open[token]
            return None
        if opened is not None:
            opened.used = self._clock()
        return opened

    def _note(self, request: web.Request, opened: _Opened) -> None:
        agent = request.headers.get("User-Agent", "")
        what = f"{request.method} {request.path}"
        action = _action(request)
        self._audit.note(
            "vcenter", f"{what}?{action}" if action else what, client=opened.name, user=opened.user.name, agent=agent
        )

    async def _tags(self, request: web.Request) -> web.Response:
        opened = self._of(request)
        if opened is None:
            return _no(request, "unauthenticated", "Authentication required.")
        self._note(request, opened)
        what = request.match_info["what"]
        identifier = request.match_info.get("id", "").removeprefix("id:")
        known = {"category": self._category, "tag": self._tag, "tag-association": self._association}
        if what not in known:
            return _no(request, "not_found", "No such path.")
        reads = request.method == "GET" or _action(request).startswith("list")
        if not reads and (opened.user.read_only or self._lacks("", _MANAGE)):
            return _no(request, "unauthorized", f"The user lacks {_MANAGE}.")
        try:
            body = await request.json() if request.can_read_body else {}
            return _yes(request, known[what](request, identifier, body or {}), made=_makes(request, what))
        except NotTagged as error:
            return _no(request, error.kind, str(error))
        except (json.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
            return _no(request, "invalid_argument", f"The body does not fit: {error!r}")

    def _category(self, request: web.Request, identifier: str, body: dict[str, Any]) -> Any:
        match request.method, bool(identifier):
            case "GET", False:
                return list(self._tagging.categories)
            case "POST", False:
                return self._tagging.new_category(body.get("create_spec", body))
            case "GET", True:
                return _category(self._tagging.category(identifier))
            case "PATCH", True:
                found = self._tagging.category(identifier)
                for name in ("name", "description", "cardinality"):
                    setattr(found, name, body.get("update_spec", body).get(name) or getattr(found, name))
                return None
            case "DELETE", True:
                return self._tagging.drop_category(identifier)
        raise NotTagged("not_found", "No such path.")

    def _tag(self, request: web.Request, identifier: str, body: dict[str, Any]) -> Any:
        match request.method, bool(identifier), _action(request):
            case "GET", False, _:
                return list(self._tagging.tags)
            case "POST", False, "":
                return self._tagging.new_tag(body.get("create_spec", body))
            case "POST", _, "list-tags-for-category":
                category = self._tagging.category(identifier or body["category_id"])
                return [tag.id for tag in self._tagging.of(category)]
            case "GET", True, _:
                return _tag(self._tagging.tag(identifier))
            case "PATCH", True, _:
                found = self._tagging.tag(identifier)
                for name in ("name", "description"):
                    setattr(found, name, body.get("update_spec", body).get(name) or getattr(found, name))
                return None
            case "DELETE", True, _:
                return self._tagging.drop_tag(identifier)
        raise NotTagged("not_found", "No such path.")

    def _association(self, request: web.Request, identifier: str, body: dict[str, Any]) -> Any:
        tagging = self._tagging
        match _action(request):
            case "attach":
                return tagging.attach(tagging.tag(identifier), _carrier(body["object_id"]))
            case "detach":
                tagging.tag(identifier).carriers.pop(_carrier(body["object_id"]), None)
                return None
            case "list-attached-objects":
                return [_reference(carrier) for carrier in tagging.carriers(tagging.tag(identifier))]
            case "list-attached-tags":
                return [tag.id for tag in tagging.carried(_carrier(body["object_id"]))]
            case "list-attached-objects-on-tags":
                tags = [tagging.tag(each) for each in body["tag_ids"]]
                return [
                    {"tag_id": tag.id, "object_ids": [_reference(each) for each in tagging.carriers(tag)]}
                    for tag in tags
                ]
            case "list-attached-tags-on-objects":
                carriers = [_carrier(each) for each in body["object_ids"]]
                found = [(each, [tag.id for tag in tagging.carried(each)]) for each in carriers]
                return [{"object_id": _reference(each), "tag_ids": ids} for each, ids in found if ids]
        raise NotTagged("not_found", "No such path.")


def _action(request: web.Request) -> str:
    return str(request.query.get("action") or request.query.get("~action") or "")


def _makes(request: web.Request, what: str) -> bool:
    return request.method == "POST" and what != "tag-association" and not _action(request)


def _carrier(told: dict[str, str]) -> Carrier:
    return told["type"], told["id"]


def _reference(carrier: Carrier) -> dict[str, str]:
    return {"type": carrier[0], "id": carrier[1]}


def _category(category: Category) -> dict[str, Any]:
    return {
        "id": category.id,
        "name": category.name,
        "description": category.description,
        "cardinality": category.cardinality,
        "associable_types": category.associable_types,
        "used_by": [],
    }


def _tag(tag: Tag) -> dict[str, Any]:
    return {
        "id": tag.id,
        "name": tag.name,
        "description": tag.description,
        "category_id": tag.category.id,
        "used_by": [],
    }


def _is_older(request: web.Request) -> bool:
    return request.path.startswith("/rest")


def _yes(request: web.Request, value: Any, *, made: bool = False) -> web.Response:
    if _is_older(request):
        return web.json_response({} if value is None else {"value": value})
    return web.json_response(value, status=201 if made else 200) if value is not None else web.Response(status=204)


def _no(request: web.Request, kind: str, words: str) -> web.Response:
    messages = [{"id": f"wincompat.lab.{kind}", "default_message": words, "args": []}]
    if _is_older(request):
        told: dict[str, Any] = {"type": f"com.vmware.vapi.std.errors.{kind}", "value": {"messages": messages}}
    else:
        told = {"error_type": kind.upper(), "messages": messages}
    return web.json_response(told, status=_STATUS[kind])
