"""The kinds of places in the inventory: folders that hold things, and fixtures that never change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.lab.vcenter.entities import Entity
from harness.lab.vcenter.objects import Served, answers, shows
from harness.lab.vcenter.soap import Call, vim, vmodl

_KEPT_FILES = 64


class Folder(Entity):
    """A folder of entities, of the kinds that it may hold."""

    kind = vim.Folder

    def __init__(self, moid: str, name: str, parent: Entity | None, kinds: list[Any]) -> None:
        super().__init__(moid, name, parent)
        self.kinds = kinds
        self.held: list[Entity] = []
        self.new_folder: Callable[[Folder, str], Folder] | None = None
        self.move_into: Callable[[Folder, Call], Any] | None = None

    @property
    def children(self) -> list[Entity]:
        """What it holds."""
        return self.held

    @shows("childEntity")
    def _children(self) -> Any:
        return [child.ref for child in self.held]

    @shows("childType")
    def _kinds(self) -> Any:
        return self.kinds

    @answers("CreateFolder")
    def _create(self, call: Call) -> Any:
        if self.new_folder is None:
            raise vmodl.fault.NotSupported(msg="The lab has new folders for machines only.")
        return self.new_folder(self, call["name"]).ref

    @answers("MoveIntoFolder_Task")
    def _move(self, call: Call) -> Any:
        if self.move_into is None:
            raise vmodl.fault.NotSupported(msg="The lab moves machines only, between the folders for them.")
        return self.move_into(self, call)


class Datacenter(Entity):
    """The one datacenter."""

    kind = vim.Datacenter

    def __init__(self, moid: str, name: str, parent: Entity) -> None:
        super().__init__(moid, name, parent)
        self.folders: dict[str, Folder] = {}

    @property
    def children(self) -> list[Entity]:
        """Its four folders."""
        return list(self.folders.values())


class Fixture(Entity):
    """A part of the tree that never changes: host, resource pool, network; described by its table of properties."""

    def __init__(self, moid: str, name: str, parent: Entity, table: dict[str, Callable[[], Any]]) -> None:
        super().__init__(moid, name, parent)
        self.below_it: list[Entity] = []
        # an instance's own table hides the class's: two hosts need not look alike
        self.properties = {**self.properties, **{name: asked(value) for name, value in table.items()}}

    @property
    def children(self) -> list[Entity]:
        """What hangs below it, as a compute resource's hosts do."""
        return self.below_it


def reference(entity: Served) -> Callable[[Any], Any]:
    """Make an entry of a table of properties that refers to an entity."""
    return lambda _: entity.ref


def asked(value: Callable[[], Any]) -> Callable[[Any], Any]:
    """Make an entry of a table of properties out of a function that asks nothing."""
    return lambda _: value()


class ComputeResource(Fixture):
    """The compute resource."""

    kind = vim.ComputeResource


class Host(Fixture):
    """The host: this computer, under a name of the lab."""

    kind = vim.HostSystem


class Pool(Fixture):
    """The resource pool."""

    kind = vim.ResourcePool


class Network(Fixture):
    """The network: the loopback addresses of the lab."""

    kind = vim.Network


class Datastore(Fixture):
    """The datastore: holds the screenshots, the last few of them."""

    kind = vim.Datastore

    def __init__(self, moid: str, name: str, parent: Entity, table: dict[str, Callable[[], Any]]) -> None:
        super().__init__(moid, name, parent, table)
        self.files: dict[str, bytes] = {}

    def keep(self, path: str, content: bytes) -> str:
        """Store a file and give its datastore path: ``[lab] win10-21h2-a/win10-21h2-a-1.png``."""
        self.files[path] = content
        while len(self.files) > _KEPT_FILES:
            del self.files[next(iter(self.files))]
        return f"[{self.name}] {path}"
