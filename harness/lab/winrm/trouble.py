"""Where the faults that a lab was asked for meet WinRM, and where each request is written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.lab.audit import Audit
from harness.lab.faults.asked import Faults, until_cleared
from harness.lab.faults.table import DEEDS
from harness.lab.winrm import names
from harness.lab.winrm.command import PowerCut

if TYPE_CHECKING:
    from aiohttp import web

    from harness.lab.winrm.envelope import Request

VERBS = ("Create", "Command", "Receive", "Send", "Signal", "Delete")
"""What requests are called here: the last words of their actions."""

_COMMAND = f"{{{names.SHELL}}}Command"
_ARGUMENTS = f"{{{names.SHELL}}}Arguments"


class Trouble:
    """What happens to the requests of one machine; ``name`` tells what the vCenter calls it."""

    def __init__(self, faults: Faults | None = None, audit: Audit | None = None, name: Callable[[], str] = str) -> None:
        self._audit = audit or Audit()
        self._faults = faults or Faults(self._audit)
        self._name = name

    async def arriving(self) -> None:
        """Hold what has only arrived while the guest is silent; raises PowerCut when that ends."""
        if (silent := self._faults.strikes("guest-silent", self._name())) is not None:
            await until_cleared(silent)
            raise PowerCut

    def refuses(self) -> bool:
        """Tell whether an account is refused whose password is right."""
        return self._faults.strikes("winrm-401", self._name()) is not None

    def asking(self, request: web.BaseRequest, asked: Request, account: str) -> None:
        """Write a request down and let it be hit before it is looked at; raises PowerCut."""
        machine, action = self._name(), verb(asked)
        line = ""
        if asked.body is not None and action == "Command":
            words = [asked.body.findtext(_COMMAND, "")]
            line = " ".join([*words, *(each.text or "" for each in asked.body.iterfind(_ARGUMENTS))])
        where = request.transport.get_extra_info("peername") if request.transport is not None else None
        client = f"{where[0]}:{where[1]}" if where else ""
        agent = request.headers.get("User-Agent", "")
        self._audit.note("winrm", action, machine=machine, client=client, user=account, agent=agent, line=line)
        if self._faults.strikes("winrm-reset", machine, method=action, when="before"):
            raise PowerCut

    def answered(self, asked: Request) -> bool:
        """Let a request be hit that was carried out; tell whether its answer is lost."""
        machine, action = self._name(), verb(asked)
        for deed in DEEDS:
            self._faults.strikes(deed, machine, method=action)
        return self._faults.strikes("winrm-reset", machine, method=action, when="after") is not None


def verb(asked: Request) -> str:
    """Name an action by its last word, one of VERBS for those of a shell."""
    return asked.action.rpartition("/")[2]
