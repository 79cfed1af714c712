"""Tasks: operations that really take their time, begun here and seen to their end."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from harness.lab.vcenter.entities import Entity, Task
from harness.lab.vcenter.history import MOST, History, TaskHistory, entities_of, fits, kept
from harness.lab.vcenter.objects import Inventory, Served, answers, shows
from harness.lab.vcenter.soap import Call, Method, vim, vmodl

_log = logging.getLogger(__name__)
_REMEMBERED = 500


class Tasks(Served):
    """The task list of the vCenter; starts operations and remembers the last ones."""

    kind = vim.TaskManager

    def __init__(self, inventory: Inventory) -> None:
        super().__init__("TaskManager")
        self.inventory = inventory
        self.known: deque[Task] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._collectors: list[History] = []

    @shows("recentTask")
    def _recent(self) -> Any:
        return [task.ref for task in self.known if task.is_recent]

    @shows("maxCollector")
    def _most(self) -> int:
        return MOST

    @answers("CreateCollectorForTasks")
    def _collect(self, call: Call) -> Any:
        asked = call["filter"]
        about = None if asked.entity is None else entities_of(self.inventory, asked.entity)

        def found() -> list[Any]:
            return [task.info for task in self.known if fits(task.info, asked, about)]

        return kept(self._collectors, TaskHistory(self.inventory, asked, found))

    def start(self, called: Method, entity: Entity, user: str, work: Callable[[Task], Awaitable[Any]]) -> Task:
        """Begin an operation and return at once; its end is told by the task's info."""
        task = Task(self.inventory.number("task"), called, entity, user, self.inventory)
        self.known.append(task)
        entity.tasks = [*(other for other in entity.tasks if other.is_recent), task]
        while len(self.known) > _REMEMBERED and self.known[0].info.completeTime is not None:
            gone = self.known.popleft()
            gone.entity.tasks = [other for other in gone.entity.tasks if other is not gone]
            self.inventory.objects.pop(gone.moid, None)
        self.inventory.changed(entity)
        # not Inventory.add: a task belongs to no tree, so nobody has to look at the tree again
        self.inventory.objects[task.moid] = task
        running = asyncio.create_task(self._run(task, entity, work), name=task.info.descriptionId)
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return task

    async def _run(self, task: Task, entity: Entity, work: Callable[[Task], Awaitable[Any]]) -> None:
        task.note(state="running", startTime=datetime.now(UTC), progress=0)
        ending: dict[str, Any] = {"state": "success"}
        try:
            result = await work(task)
            if result is not None:
                ending["result"] = result
        except vmodl.MethodFault as fault:
            ending = {"state": "error", "error": fault}
        except asyncio.CancelledError:
            ending = {"state": "error", "error": vmodl.fault.RequestCanceled(msg="The lab is going down")}
            raise
        except Exception as error:  # noqa: BLE001 - whatever a guest raises is this task's ending, never the lab's
            _log.exception("%s of %s failed", task.info.descriptionId, entity.name)
            reason = f"{type(error).__name__}: {error}"
            ending = {
                "state": "error",
                "error": vmodl.fault.SystemError(reason=reason, msg=f"A general system error occurred: {reason}"),
            }
        finally:
            task.note(**ending, progress=None, completeTime=datetime.now(UTC))

    def aside(self, work: Coroutine[Any, Any, None], words: str) -> None:
        """Let something go on that no task tells of, such as an orderly shut-down; a failure is logged."""

        async def watched() -> None:
            try:
                await work
            except Exception:  # noqa: BLE001 - nobody waits for it, so the log is where it can be found
                _log.exception("%s failed", words)

        running = asyncio.create_task(watched(), name=words)
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def stop(self) -> None:
        """End what is still running."""
        for running in list(self._running):
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
