"""Collectors of what has happened: events or tasks that fit a filter, read page by page in either direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from harness.lab.vcenter.entities import Entity, Task
from harness.lab.vcenter.objects import Inventory, Served, answers, shows
from harness.lab.vcenter.soap import Call, vim, vmodl

#: How many a manager keeps; the oldest goes when another one is made.
MOST = 32
_PAGE = 10
_LARGEST = 1000


class History(Served):
    """A position in a list that grows at its end; ``found`` gives what fits by now, the oldest first."""

    of: ClassVar[type[Served]]

    def __init__(self, inventory: Inventory, asked: Any, found: Callable[[], list[Any]]) -> None:
        super().__init__(inventory.number("history"))
        self.inventory, self.asked, self.found = inventory, asked, found
        self.page, self.next = _PAGE, 0
        inventory.objects[self.moid] = self
        inventory.watchers.append(self._notice)

    def _notice(self, thing: Served | None) -> None:
        if isinstance(thing, self.of):
            self.inventory.changed(self)

    @shows("filter")
    def _filter(self) -> Any:
        return self.asked

    @shows("latestPage")
    def _latest(self) -> Any:
        return self.found()[: -self.page - 1 : -1]

    @answers("ReadNextEvents", "ReadNextTasks")
    def _read_on(self, call: Call) -> Any:
        some = self.found()[self.next : self.next + _size(call)]
        self.next += len(some)
        return some

    @answers("ReadPreviousEvents", "ReadPreviousTasks")
    def _read_back(self, call: Call) -> Any:
        until, self.next = self.next, max(0, self.next - _size(call))
        return self.found()[self.next : until][::-1]

    @answers("RewindCollector")
    def _rewind(self, _: Call) -> None:
        self.next = 0

    @answers("ResetCollector")
    def _reset(self, _: Call) -> None:
        self.next = max(0, len(self.found()) - self.page)

    @answers("SetCollectorPageSize")
    def _set_page(self, call: Call) -> None:
        self.page = _size(call)
        self.inventory.changed(self)

    @answers("DestroyCollector")
    def destroy(self, _: Call | None = None) -> None:
        """End it."""
        if self._notice in self.inventory.watchers:
            self.inventory.watchers.remove(self._notice)
        self.inventory.objects.pop(self.moid, None)


class TaskHistory(History):
    """Tasks as they were asked for, with what has become of them by now."""

    kind = vim.TaskHistoryCollector
    of = Task


def kept(several: list[History], another: History) -> Any:
    """Keep a collector among the others of its manager, and give its reference."""
    several[:] = [each for each in several if each.moid in each.inventory.objects]
    while len(several) >= MOST:
        several.pop(0).destroy()
    several.append(another)
    return another.ref


def entities_of(inventory: Inventory, asked: Any) -> set[str]:
    """Name the entities that a filter means by one of them and what is below it."""
    entity = inventory.find(asked.entity)
    if not isinstance(entity, Entity):
        raise vmodl.fault.InvalidArgument(invalidProperty="filter.entity", msg="It is not in the inventory's tree.")
    itself, children = [entity], list(entity.children)
    return {
        each.moid for each in {"self": itself, "children": children, "all": [*itself, *entity.below()]}[asked.recursion]
    }


def fits(info: Any, asked: Any, about: set[str] | None) -> bool:
    """Tell whether a task is among those that are asked for."""
    time, when = asked.time, None
    if time is not None:
        when = {"queuedTime": info.queueTime, "startedTime": info.startTime, "completedTime": info.completeTime}
        when = when[time.timeType]
    return (
        (about is None or info.entity._moId in about)
        and (time is None or (when is not None and not (time.beginTime and when < time.beginTime)))
        and (time is None or (when is not None and not (time.endTime and when > time.endTime)))
        and (not asked.state or info.state in asked.state)
        and (not asked.eventChainId or info.eventChainId in asked.eventChainId)
        and (asked.userName is None or not asked.userName.userList or info.reason.userName in asked.userName.userList)
    )


def _size(call: Call) -> int:
    size = int(call["maxCount"])
    if not 0 < size <= _LARGEST:
        raise vmodl.fault.InvalidArgument(invalidProperty="maxCount", msg=f"maxCount is from 1 to {_LARGEST}.")
    return size
