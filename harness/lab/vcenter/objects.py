"""What the inventory is made of: objects with properties and methods, found by their reference."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

from harness.lab.vcenter.soap import Call, property_type, typed, vmodl

_Function = TypeVar("_Function", bound=Callable[..., Any])
_STEP = re.compile(r'(?P<name>[^.\[]+)(?:\["?(?P<key>[^"\]]+)"?\])?')


def shows(*names: str) -> Callable[[_Function], _Function]:
    """Mark a function of an object as the value of properties."""
    return _marked("_shows", names)


def answers(*names: str) -> Callable[[_Function], _Function]:
    """Mark a function of an object as the answer to methods, by their names on the wire."""
    return _marked("_answers", names)


def _marked(mark: str, names: tuple[str, ...]) -> Callable[[_Function], _Function]:
    def apply(function: _Function) -> _Function:
        setattr(function, mark, names)
        return function

    return apply


class Served:
    """An object that a client can call: a kind of the API, properties and methods, both looked up in tables."""

    kind: ClassVar[Any]
    properties: Mapping[str, Callable[[Any], Any]] = MappingProxyType({})
    methods: Mapping[str, Callable[[Any, Call], Any]] = MappingProxyType({})

    def __init_subclass__(cls) -> None:
        properties, methods = dict(cls.properties), dict(cls.methods)
        for function in vars(cls).values():
            properties.update(dict.fromkeys(getattr(function, "_shows", ()), function))
            methods.update(dict.fromkeys(getattr(function, "_answers", ()), function))
        cls.properties, cls.methods = properties, methods

    def __init__(self, moid: str) -> None:
        self.moid = moid
        self.ref = type(self).kind(moid)

    def property(self, name: str) -> Any:
        """Read a whole property, None when it is not set; raises InvalidProperty for one that the API does not have."""
        declared = property_type(self.kind, name)
        value = self.properties[name](self) if name in self.properties else None
        return None if value is None else typed(value, declared)

    def at(self, path: str) -> Any:
        """Read a path such as ``runtime.powerState`` or ``config.hardware.device[4000].key``, None when not set."""
        steps = [(step["name"], step["key"]) for step in _STEP.finditer(path)]
        if not steps:
            raise vmodl.query.InvalidProperty(name=path, msg="an empty property path")
        value: Any = None
        kind = self.kind
        for depth, (name, key) in enumerate(steps):
            if depth == 0:
                value, kind = self.property(name), property_type(kind, name)
            elif hasattr(value, "_moId"):
                raise vmodl.query.InvalidProperty(name=path, msg=f"{path!r} leads through a managed object")
            elif value is not None:
                kind = property_type(type(value), name)
                value = getattr(value, name)
                value = None if value is None else typed(value, kind)
            else:
                # the value may be of a richer type than declared, so only plain steps can be checked without it
                kind = property_type(kind, name)
            if key is not None and value is not None:
                value = next((item for item in value if str(getattr(item, "key", item)) == key), None)
                kind = kind.Item
        return value


def every_method() -> set[str]:
    """Name every method that an object of some kind answers."""
    kinds: list[type[Served]] = [Served]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return {name for kind in kinds for name in kind.methods}


class Inventory:
    """All objects that every session sees, and who wants to hear when one changes."""

    def __init__(self) -> None:
        self.objects: dict[str, Served] = {}
        self.watchers: list[Callable[[Served | None], None]] = []
        self._numbers: dict[str, int] = {}

    def number(self, word: str) -> str:
        """Make a reference that was never used before: ``task-7``."""
        self._numbers[word] = self._numbers.get(word, 0) + 1
        return f"{word}-{self._numbers[word]}"

    def add(self, thing: Served) -> None:
        """Put an object into the inventory."""
        self.objects[thing.moid] = thing
        self.changed(None)

    def remove(self, thing: Served) -> None:
        """Take an object out; its reference answers ManagedObjectNotFound from now on."""
        self.objects.pop(thing.moid, None)
        self.changed(None)

    def changed(self, thing: Served | None) -> None:
        """Say that an object's properties may have changed; None when the tree itself did."""
        for watcher in list(self.watchers):
            watcher(thing)

    def find(self, reference: Any) -> Served:
        """Find the object of a reference; raises the ManagedObjectNotFound fault."""
        found = self.objects.get(reference._moId)
        if found is None or not issubclass(found.kind, type(reference)):
            raise missing(reference)
        return found


def missing(reference: Any) -> Any:
    """Make the fault for a reference to nothing, worded as vCenter words it."""
    words = f"The object '{reference._moId}' has already been deleted or has not been completely created"
    return vmodl.fault.ManagedObjectNotFound(obj=reference, msg=words)


def is_kind(thing: Served, kinds: list[Any]) -> bool:
    """Tell whether the object is of one of the kinds, or no kind is asked for."""
    return not kinds or any(issubclass(thing.kind, kind) for kind in kinds)
