"""Where the faults that a lab was asked for meet the vCenter, and where each call is written down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from harness.lab.audit import Audit
from harness.lab.faults.asked import Faults, until_cleared
from harness.lab.faults.table import DEEDS
from harness.lab.vcenter.entities import Task
from harness.lab.vcenter.objects import missing
from harness.lab.vcenter.sessions import READING, Session, Sessions, privilege_of, privileges_of
from harness.lab.vcenter.snapshots import Snapshot
from harness.lab.vcenter.soap import Call, ManagedObject, vim, vmodl
from harness.lab.vcenter.taskfaults import host_lost
from harness.lab.vcenter.virtualmachine import VirtualMachine

if TYPE_CHECKING:
    from harness.lab.vcenter.selection import Sight


class Broken(Exception):
    """The client is to hear nothing: its connection is broken off."""


class Trouble:
    """What happens to calls on their way in, and to their answers."""

    def __init__(self, faults: Faults, audit: Audit, sessions: Sessions) -> None:
        self.faults, self.audit, self.sessions = faults, audit, sessions

    async def at_the_door(self) -> None:
        """Keep any request waiting while the vCenter hangs; raises Broken when that ends."""
        if (hangs := self.faults.strikes("vcenter-hangs", "", method="")) is not None:
            await until_cleared(hangs)
            raise Broken

    async def arriving(self, session: Session, call: Call) -> str:
        """Write a call down and let it be hit; give the machine it is about. Raises what the client is answered."""
        machine, method = machine_of(session.sight, call), call.method.name
        user = session.user.name if session.user is not None else ""
        self.audit.note("vcenter", method, machine=machine, client=session.key, user=user, agent=session.agent)
        if (hangs := self.faults.strikes("vcenter-hangs", machine, method=method)) is not None:
            await until_cleared(hangs)
            raise Broken
        if session.user is None:
            return machine
        if method not in ("Login", "Logout") and self.faults.strikes("session-killed", machine, method=method):
            self.sessions.end(session)
        for privilege in privileges_of(call):
            if self.lacks(machine, privilege, method=method):
                words = "Permission to perform this operation was denied."
                raise vim.fault.NoPermission(object=call.this, privilegeId=privilege, msg=words)
        # tasks of a machine end with it; what is no task is answered with it
        is_change = machine and not method.endswith("_Task") and privilege_of(call) not in READING
        if is_change and self.faults.strikes("host-lost", machine):
            raise host_lost()
        thing = session.sight.get(call.this)
        if isinstance(thing, Snapshot) and thing.is_missing:
            self.faults.strikes("snapshot-missing", machine, snapshot=thing.name, method=method)
            raise missing(call.this)
        for deed in DEEDS:
            self.faults.strikes(deed, machine, method=method)
        return machine

    def lacks(self, machine: str, privilege: str, *, method: str = "") -> bool:
        """Tell whether a privilege is refused; those of reading only when they were named."""
        facts = {"privilege": privilege, "method": method}
        asked = self.faults.holds("privilege-refused", machine, **facts)
        if asked is None or (privilege in READING and "privilege" not in asked.options):
            return False
        return self.faults.strikes("privilege-refused", machine, **facts) is not None

    def leaving(self, call: Call, machine: str) -> None:
        """Lose an answer; raises Broken."""
        if self.faults.strikes("answer-lost", machine, method=call.method.name):
            raise Broken


def machine_of(sight: Sight, call: Call) -> str:
    """Name the machine that a call is about, the first of several; empty when there is none."""
    for reference in _references(call):
        thing = sight.get(reference)
        if isinstance(thing, Snapshot):
            thing = thing.vm
        if isinstance(thing, VirtualMachine):
            return thing.name
        if isinstance(thing, Task) and isinstance(thing.info.entity, vim.VirtualMachine):
            return str(thing.info.entityName)
    return ""


def _references(call: Call) -> Iterator[Any]:
    yield call.this
    for value in call.arguments.values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, ManagedObject):
                yield item
            elif isinstance(item, vmodl.query.PropertyCollector.FilterSpec):
                yield from (start.obj for start in item.objectSet)
