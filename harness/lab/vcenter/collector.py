"""The property collector: reads many properties of many objects at once, and waits until one of them changes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from harness.lab.vcenter.objects import Served, answers, shows
from harness.lab.vcenter.selection import Sight, contents, select
from harness.lab.vcenter.soap import Call, vmodl, written

_Collector = vmodl.query.PropertyCollector


class Filter(Served):
    """What a client wants to be told of, and what it has been told."""

    kind = _Collector.Filter

    def __init__(self, moid: str, collector: PropertyCollector, spec: Any, partial: bool) -> None:
        super().__init__(moid)
        self.collector = collector
        self.spec = spec
        self.partial = partial
        self.told: dict[str, tuple[Any, dict[str, str]]] = {}
        self.dirty: set[str] = set()

    @shows("spec")
    def _spec(self) -> Any:
        return self.spec

    @shows("partialUpdates")
    def _partial(self) -> bool:
        return self.partial

    @answers("DestroyPropertyFilter")
    def destroy(self, _: Call | None = None) -> None:
        """Stop telling."""
        self.collector.filters.pop(self.moid, None)
        self.collector.sight.own.pop(self.moid, None)

    def changes(self) -> Iterator[Any]:
        """Tell what the client does not know yet; an update that was taken from here counts as told."""
        selected = select(self.collector.sight, self.spec)
        for moid in [moid for moid in self.told if moid not in selected]:
            reference, _ = self.told.pop(moid)
            yield _Collector.ObjectUpdate(kind="leave", obj=reference)
        for moid, (thing, paths) in selected.items():
            if moid in self.told and moid not in self.dirty:
                continue
            values = {path: thing.at(path) for path in paths}
            now = {path: written(value) for path, value in values.items()}
            before = self.told.get(moid, (None, {}))[1]
            kind = "modify" if moid in self.told else "enter"
            changed = [path for path in paths if now[path] != before.get(path, "")]
            self.told[moid] = (thing.ref, now)
            self.dirty.discard(moid)
            if changed or kind == "enter":
                changes = [_Collector.Change(name=path, op="assign", val=values[path]) for path in changed]
                yield _Collector.ObjectUpdate(kind=kind, obj=thing.ref, changeSet=changes)


class PropertyCollector(Served):
    """Reads properties at once or waits for their changes; a session has one and may create more."""

    kind = _Collector

    def __init__(self, moid: str, sight: Sight) -> None:
        super().__init__(moid)
        self.sight = sight
        self.filters: dict[str, Filter] = {}
        self.version = 0
        self._last: Any = None
        self._woken = asyncio.Event()
        self._waiting: asyncio.Event | None = None
        self._rest: dict[str, list[Any]] = {}
        sight.inventory.watchers.append(self._notice)

    def _notice(self, thing: Served | None) -> None:
        for each in self.filters.values():
            if thing is None:
                each.dirty.update(each.told)
            else:
                each.dirty.add(thing.moid)
        self._woken.set()

    @shows("filter")
    def _filters(self) -> Any:
        return [each.ref for each in self.filters.values()]

    @answers("RetrievePropertiesEx")
    def _retrieve_ex(self, call: Call) -> Any:
        most = call["options"].maxObjects if call["options"] is not None else None
        return self._page(self._read(call), most)

    @answers("RetrieveProperties")
    def _retrieve(self, call: Call) -> Any:
        return self._read(call)

    def _read(self, call: Call) -> list[Any]:
        return [content for spec in call["specSet"] for content in contents(select(self.sight, spec, strict=True))]

    def _page(self, found: list[Any], most: int | None) -> Any:
        if most is not None and most <= 0:
            raise vmodl.fault.InvalidArgument(invalidProperty="options.maxObjects", msg="maxObjects must be positive")
        if not found:
            return None
        now, rest = (found, []) if most is None else (found[:most], found[most:])
        token = None
        if rest:
            token = self.sight.inventory.number("page")
            self._rest[token] = [most, rest]
        return _Collector.RetrieveResult(objects=now, token=token)

    @answers("ContinueRetrievePropertiesEx")
    def _continue(self, call: Call) -> Any:
        most, rest = self._take_rest(call["token"])
        return self._page(rest, most)

    @answers("CancelRetrievePropertiesEx")
    def _forget(self, call: Call) -> None:
        self._take_rest(call["token"])

    def _take_rest(self, token: str) -> list[Any]:
        if token not in self._rest:
            raise vmodl.fault.InvalidArgument(invalidProperty="token", msg=f"no retrieval has the token {token!r}")
        return self._rest.pop(token)

    @answers("CreateFilter")
    def _create_filter(self, call: Call) -> Any:
        # read once, so that a wrong path is told now and not when the first change comes
        contents(select(self.sight, call["spec"], strict=True))
        moid = f"{self.moid}:{self.sight.inventory.number('filter')}"
        self.filters[moid] = self.sight.own[moid] = Filter(moid, self, call["spec"], call["partialUpdates"])
        self._woken.set()
        return self.filters[moid].ref

    @answers("CreatePropertyCollector")
    def _create(self, _: Call) -> Any:
        moid = self.sight.inventory.number("session-collector")
        self.sight.own[moid] = PropertyCollector(moid, self.sight)
        return self.sight.own[moid].ref

    @answers("DestroyPropertyCollector")
    def destroy(self, _: Call | None = None) -> None:
        """End it with its filters; who waits is told RequestCanceled."""
        self.cancel()
        for each in list(self.filters.values()):
            each.destroy()
        if self._notice in self.sight.inventory.watchers:
            self.sight.inventory.watchers.remove(self._notice)
        self.sight.own.pop(self.moid, None)

    @answers("CancelWaitForUpdates")
    def cancel(self, _: Call | None = None) -> None:
        """End the wait that is going on, if any."""
        if self._waiting is not None:
            self._waiting.set()
            self._woken.set()

    @answers("WaitForUpdatesEx")
    async def _wait_ex(self, call: Call) -> Any:
        options = call["options"]
        within = None if options is None else options.maxWaitSeconds
        most = None if options is None else options.maxObjectUpdates
        if (within is not None and within < 0) or (most is not None and most <= 0):
            raise vmodl.fault.InvalidArgument(invalidProperty="options", msg="wait options must be positive")
        return await self._wait(call["version"], within, most)

    @answers("WaitForUpdates")
    async def _wait_for_ever(self, call: Call) -> Any:
        return await self._wait(call["version"], None, None)

    @answers("CheckForUpdates")
    async def _check(self, call: Call) -> Any:
        return await self._wait(call["version"], 0, None)

    async def _wait(self, version: str | None, within: float | None, most: int | None) -> Any:
        if not version:
            for each in self.filters.values():
                each.told.clear()
        elif self._last is not None and version == str(self.version - 1):
            return self._last  # the answer was lost on its way: say it again
        elif version != str(self.version):
            raise vmodl.query.InvalidCollectorVersion(msg=f"{version!r} is not a version of this collector")
        self.cancel()  # a collector has one wait at a time; a newer one ends the older
        cancelled = self._waiting = asyncio.Event()
        try:
            async with asyncio.timeout(within or None):
                while True:
                    self._woken.clear()
                    found = self._updates(most)
                    if found is not None or within == 0:
                        return found
                    await self._woken.wait()
                    if cancelled.is_set():
                        raise vmodl.fault.RequestCanceled(msg="The request was canceled")
        except TimeoutError:
            return None
        finally:
            if self._waiting is cancelled:
                self._waiting = None

    def _updates(self, most: int | None) -> Any:
        updates, left = [], most
        truncated = False
        for each in list(self.filters.values()):
            changes = []
            for change in each.changes():
                changes.append(change)
                if left is not None:
                    left -= 1
                    if left == 0:
                        truncated = True
                        break
            if changes:
                updates.append(_Collector.FilterUpdate(filter=each.ref, objectSet=changes))
            if truncated:
                break
        if not updates:
            return None
        self.version += 1
        self._last = _Collector.UpdateSet(version=str(self.version), filterSet=updates, truncated=truncated or None)
        return self._last
