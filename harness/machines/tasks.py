"""Starting tasks, never twice, and waiting for their end by events."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from http.client import HTTPException
from typing import Any

from pyVmomi import vim, vmodl

from harness.machines.border import Forgotten, Outlived
from harness.machines.session import Session
from harness.machines.stub import NeverSent, NotUnderstood
from harness.machines.waits import NoTaskYet, until_the_task_shows

log = logging.getLogger(__name__)

# A filter on a finished task costs the vCenter next to nothing, destroying it costs a call: they go together.
FILTERS = 20

# A wait whose session is ended again and again by somebody is given up; once is an idle session or a restart.
RENEWALS = 5


class Tasks:
    """The tasks of one session; each thread waits with a property collector of its own."""

    def __init__(
        self,
        session: Session,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._session = session
        self._clock = clock
        self._sleep = sleep
        self._own = threading.local()

    def start(self, vm: Any, ask: Callable[[], Any], *, kind: str, known: Collection[Any]) -> Any:
        """Ask for a task once; when the connection breaks on the way, look the task up instead of asking again.

        ``kind`` is a part of the task's description id (``revert``, ``poweron``); ``known`` are the tasks from before.
        """
        try:
            return ask()
        except NeverSent:
            raise
        except (OSError, HTTPException, NotUnderstood) as lost:
            before = {task._moId for task in known}
            try:
                for attempt in until_the_task_shows(self._session.site.budgets.request, sleep=self._sleep):
                    with attempt:
                        task = self._newcomer(vm, kind, before)
                log.warning("the connection to the vCenter broke while asking for a task, which was found and goes on")
                return task
            except NoTaskYet:
                raise Outlived(
                    "the connection broke while asking, and no such task shows; it was not asked again"
                ) from lost

    def _newcomer(self, vm: Any, kind: str, before: Collection[str]) -> Any:
        for task in reversed(self._session.read(vm, "recentTask").get("recentTask", ())):
            if task._moId not in before:
                name = self._session.read(task, "info.descriptionId").get("info.descriptionId", "")
                if kind in str(name).lower():
                    return task
        raise NoTaskYet

    def wait(self, task: Any, *, within: float) -> Any:
        """Return the task's result once it has one; raises its own fault, or Outlived after ``within`` seconds."""
        ended = self.watch(task, ("info.state", "info.error", "info.result"), _is_over, within=within)
        if ended["info.state"] == vim.TaskInfo.State.error:
            raise ended.get("info.error") or vmodl.MethodFault(msg="the task failed and says nothing of why")
        return ended.get("info.result")

    def watch(
        self, thing: Any, paths: tuple[str, ...], until: Callable[[dict[str, Any]], bool], *, within: float
    ) -> dict[str, Any]:
        """Wait by events until some properties of one object are as wanted, and return them; unset ones are absent.

        Raises Outlived after ``within`` seconds. A session that was ended meanwhile is renewed and the wait goes on.
        """
        deadline = self._clock() + within
        for _ in range(RENEWALS):
            collector = self._collector()
            try:
                return self._follow(collector, thing, paths, until, deadline, within)
            except vmodl.fault.ManagedObjectNotFound as gone:
                # a session that was renewed has lost its collectors
                if getattr(gone.obj, "_moId", None) == thing._moId and isinstance(thing, vim.Task):
                    raise Forgotten("the vCenter no longer knows the task; it may have restarted") from gone
                if getattr(gone.obj, "_moId", None) != collector._moId:
                    raise
            except (vmodl.query.InvalidCollectorVersion, vmodl.fault.RequestCanceled):
                pass  # what a wait is told whose session was ended in the middle of it
            self._own.collector = None
        raise Outlived(f"the vCenter ended the session {RENEWALS} times in the middle of the wait")

    def _collector(self) -> Any:
        own, stub = self._own, self._session.stub
        collector = getattr(own, "collector", None)
        if collector is not None and own.session == stub.session and own.filters < FILTERS:
            own.filters += 1
            return collector
        if collector is not None and own.session == stub.session:
            # tidying up must not fail a task; a vCenter that is gone shows itself in the next call
            with suppress(vmodl.MethodFault, OSError, HTTPException, NotUnderstood):
                collector.DestroyPropertyCollector()
        own.collector = None
        own.collector, own.session, own.filters = self._new_collector(), stub.session, 1
        return own.collector

    def _new_collector(self) -> Any:
        return self._session.content.propertyCollector.CreatePropertyCollector()

    def _follow(
        self,
        collector: Any,
        thing: Any,
        paths: tuple[str, ...],
        until: Callable[[dict[str, Any]], bool],
        deadline: float,
        within: float,
    ) -> dict[str, Any]:
        query = vmodl.query.PropertyCollector
        collector.CreateFilter(
            query.FilterSpec(
                objectSet=[query.ObjectSpec(obj=thing, skip=False)],
                propSet=[query.PropertySpec(type=type(thing), all=False, pathSet=list(paths))],
            ),
            False,
        )
        # below the socket's time-out, so that silence means a dead vCenter and never a slow task, nor one out of breath
        longest = self._session.site.budgets.request / 2
        version = ""
        seen: dict[str, Any] = {}
        while (left := deadline - self._clock()) > 0:
            try:
                update = collector.WaitForUpdatesEx(
                    version, query.WaitOptions(maxWaitSeconds=max(1, int(min(longest, left))))
                )
            except TimeoutError:
                self._session.touch()  # gone, or only out of breath? this asks once more, as long, on a new connection
                continue  # what was lost on its way is told again to whoever names the version before it
            if update is None:
                continue
            version = update.version
            for found in (found for part in update.filterSet or () for found in part.objectSet or ()):
                if found.obj._moId == thing._moId:
                    seen.update({change.name: change.val for change in found.changeSet or ()})
            if until(seen):
                return seen
        raise Outlived(f"still {seen.get('info.state', _told(seen))} after {within:g} s")


def _is_over(seen: dict[str, Any]) -> bool:
    return seen.get("info.state") in (vim.TaskInfo.State.success, vim.TaskInfo.State.error)


def _told(seen: dict[str, Any]) -> str:
    return ", ".join(f"{path} {value}" for path, value in seen.items() if value is not None) or "queued"
