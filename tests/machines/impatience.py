"""Moments of a session, and budgets that become short in one: what goes before has as long as a slow machine needs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from harness.machines.vcenter import VCenter


def hurried(vcenter: VCenter, *, request: float) -> None:
    """Change the request budget of its site, in place, and of the connections that are open already."""
    session = vcenter._session
    vars(session.site.budgets)["request"] = request  # what is under way holds the site
    session.stub.schemeArgs["timeout"] = request
    for connection, _ in session.stub.pool:
        connection.sock.settimeout(request)


def looking_briefly(vcenter: VCenter, *, request: float) -> None:
    """Have what is looked for again and again be looked for this long; each answer has as long as before."""
    site = vcenter._session.site
    vcenter._session.site = site.model_copy(update={"budgets": site.budgets.model_copy(update={"request": request})})


def when_sent(vcenter: VCenter, method: str, do: Callable[[], object], *, nth: int | None = 1) -> None:
    """Do something right before the nth call of a method goes out, or before each one without a number."""
    stub = vcenter._session.stub
    send = stub._send
    sent = count(1)

    def sending(mo: Any, info: Any, args: Any, outer: Any) -> Any:
        if info.wsdlName == method and nth in (None, next(sent)):
            do()
        return send(mo, info, args, outer)

    stub._send = sending  # type: ignore[method-assign]  # it listens, and changes nothing
