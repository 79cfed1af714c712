"""Entities, which have a name and a place in the inventory's tree, and the tasks that change them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.lab.vcenter.objects import Inventory, Served, answers, shows
from harness.lab.vcenter.soap import Method, vim, vmodl

#: For how long a task that has ended is among the recent ones, where a client that lost touch looks for it.
_RECENT = timedelta(minutes=5)


class Entity(Served):
    """An object with a name and a place in the inventory's tree."""

    def __init__(self, moid: str, name: str, parent: Entity | None) -> None:
        super().__init__(moid)
        self.name = name
        self.parent = parent
        self.tasks: list[Task] = []
        #: values of custom fields, by the field's key
        self.custom: dict[int, str] = {}

    @property
    def children(self) -> list[Entity]:
        """The entities below it, as a container view walks them."""
        return []

    def below(self) -> Iterator[Entity]:
        """Every entity below it, at any depth."""
        for child in self.children:
            yield child
            yield from child.below()

    @property
    def path(self) -> str:
        """Its inventory path, without the root folder: ``Lab/vm/Windows/win10-21h2-a``."""
        above = self.parent.path if self.parent is not None and self.parent.parent is not None else ""
        return f"{above}/{self.name}" if above else self.name


def _constant(value: Any) -> Callable[[Any], Any]:
    return lambda _: value


Entity.properties = {
    "name": lambda entity: entity.name,
    "parent": lambda entity: entity.parent and entity.parent.ref,
    "recentTask": lambda entity: [task.ref for task in entity.tasks if task.is_recent],
    "overallStatus": _constant("green"),
    "configStatus": _constant("green"),
    "alarmActionsEnabled": _constant(True),
    "effectiveRole": _constant([-1]),
    **dict.fromkeys(("permission", "configIssue", "disabledMethod", "declaredAlarmState"), _constant([])),
    **dict.fromkeys(("triggeredAlarmState", "tag", "availableField"), _constant([])),
}


def entity_at(root: Entity, path: str) -> Entity | None:
    """Walk an inventory path from the root folder; None when a step of it is not there."""
    place = root
    for name in filter(None, path.split("/")):
        below = next((child for child in place.children if child.name == name), None)
        if below is None:
            return None
        place = below
    return place


class Task(Served):
    """One operation: queued, running, then success with a result or error with a fault."""

    kind = vim.Task

    def __init__(self, moid: str, called: Method, entity: Entity, user: str, inventory: Inventory) -> None:
        super().__init__(moid)
        self.entity = entity
        self.inventory = inventory
        owner, name = called.owner._wsdlName, called.managed.info.name
        self.info = vim.TaskInfo(
            key=moid,
            task=self.ref,
            descriptionId=f"{owner}.{name[0].lower()}{name[1:]}",
            name=called.managed,
            state="queued",
            cancelled=False,
            cancelable=False,
            queueTime=datetime.now(UTC),
            reason=vim.TaskReasonUser(userName=user),
            eventChainId=int(moid.rpartition("-")[2]),
        )
        self.info.entity, self.info.entityName = entity.ref, entity.name

    @shows("info")
    def _info(self) -> Any:
        return self.info

    @answers("CancelTask")
    def _cancel(self, _: Any) -> None:
        raise vmodl.fault.NotSupported(msg="Tasks of the lab cannot be cancelled")

    @property
    def is_recent(self) -> bool:
        """Whether it is going on or has ended only a while ago."""
        ended = self.info.completeTime
        return ended is None or datetime.now(UTC) - ended < _RECENT

    def note(self, **fields: Any) -> None:
        """Change what is known of the task, and tell who waits for it."""
        for name, value in fields.items():
            setattr(self.info, name, value)
        self.inventory.changed(self)
