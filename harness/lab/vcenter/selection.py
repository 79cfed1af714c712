"""What a filter spec selects: objects reached by walking references, and the property paths asked of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.lab.vcenter.objects import Inventory, Served, missing
from harness.lab.vcenter.soap import property_type, vmodl

_Collector = vmodl.query.PropertyCollector


class Sight:
    """What one session can see: the inventory and its own views, collectors and filters."""

    def __init__(self, inventory: Inventory, own: dict[str, Served]) -> None:
        self.inventory = inventory
        self.own = own

    def get(self, reference: Any) -> Served | None:
        """Find the object of a reference, None when it is not there (any more)."""
        found = self.own.get(reference._moId) or self.inventory.objects.get(reference._moId)
        return found if found is not None and issubclass(found.kind, type(reference)) else None


def select(sight: Sight, spec: Any, *, strict: bool = False) -> dict[str, tuple[Served, list[str]]]:
    """Find the objects that a filter spec reaches, by reference, each with the property paths asked of it.

    ``strict`` raises ManagedObjectNotFound for a starting object that is not there and InvalidProperty for a path that
    the API does not have; otherwise what is gone is left out.
    """
    reached: dict[str, Served] = {}
    for start in spec.objectSet:
        thing = sight.get(start.obj)
        if thing is None:
            if strict and not spec.reportMissingObjectsInResults:
                raise missing(start.obj)
            continue
        if not start.skip:
            reached.setdefault(thing.moid, thing)
        named = dict(_named(start.selectSet))
        for found, skip in _walk(sight, thing, start.selectSet, named, set()):
            if not skip:
                reached.setdefault(found.moid, found)
    asked = ((moid, thing, _paths(thing, spec.propSet)) for moid, thing in reached.items())
    selected = {moid: (thing, paths) for moid, thing, paths in asked if paths is not None}
    if strict:
        for part in spec.propSet:
            for path in part.pathSet:
                property_type(part.type, path.partition(".")[0].partition("[")[0])
    return selected


def _named(selections: list[Any]) -> Iterator[tuple[str, Any]]:
    for selection in selections:
        if isinstance(selection, _Collector.TraversalSpec):
            if selection.name:
                yield selection.name, selection
            yield from _named(selection.selectSet)


def _walk(
    sight: Sight, thing: Served, selections: list[Any], named: dict[str, Any], seen: set[tuple[str, int]]
) -> Iterator[tuple[Served, bool]]:
    for selection in selections:
        traversal = selection if isinstance(selection, _Collector.TraversalSpec) else named.get(selection.name)
        if traversal is None:
            raise vmodl.fault.InvalidArgument(
                invalidProperty="selectSet", msg=f"no traversal is named {selection.name!r}"
            )
        if not issubclass(thing.kind, traversal.type) or (thing.moid, id(traversal)) in seen:
            continue
        seen.add((thing.moid, id(traversal)))
        below = thing.at(traversal.path)
        for reference in below if isinstance(below, list) else [below]:
            found = None if reference is None else sight.get(reference)
            if found is not None:
                yield found, bool(traversal.skip)
                yield from _walk(sight, found, traversal.selectSet, named, seen)


def _paths(thing: Served, asked: list[Any]) -> list[str] | None:
    fitting = [part for part in asked if issubclass(thing.kind, part.type)]
    if not fitting:
        return None
    paths: dict[str, None] = {}
    for part in fitting:
        paths.update(dict.fromkeys(thing.properties if part.all else part.pathSet))
    return list(paths)


def contents(selected: dict[str, tuple[Served, list[str]]]) -> list[Any]:
    """Objects with the values that are set, as Retrieve answers them."""
    return [
        _Collector.ObjectContent(
            obj=thing.ref,
            propSet=[
                vmodl.DynamicProperty(name=path, val=value) for path in paths if (value := thing.at(path)) is not None
            ],
        )
        for thing, paths in selected.values()
    ]
