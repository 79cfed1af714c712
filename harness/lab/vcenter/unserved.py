"""The parts of a vCenter that the lab does not serve: they are there, as on any vCenter, and say no to whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.lab.vcenter.objects import Served
from harness.lab.vcenter.soap import ManagedObject

#: What only a host has, so that a vCenter names none.
_OF_HOSTS = {"accountManager", "localAccountManager"}


def unserved(described: Any, served: set[str]) -> Iterator[tuple[str, Served]]:
    """Make, by property, every part that a type of the API names and that is not served.

    A client that reads ``content.perfManager`` gets an object whose methods end with NotSupported, where nothing at all
    would have it stumble over its own feet.
    """
    for info in described._GetPropertyList():
        if issubclass(info.type, ManagedObject) and info.name not in served | _OF_HOSTS:
            kind = type(f"Unserved{info.type.__name__}", (Served,), {"kind": info.type})
            yield info.name, kind(info.name[0].upper() + info.name[1:])
