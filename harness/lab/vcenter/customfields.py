"""Custom attributes: named fields that entities have values for, as people and tools note down what is whose."""

from __future__ import annotations

from typing import Any

from harness.lab.vcenter.entities import Entity
from harness.lab.vcenter.objects import Inventory, Served, answers, shows
from harness.lab.vcenter.soap import Call, vim

_FIRST = 101


class CustomFields(Served):
    """Every field that was defined."""

    kind = vim.CustomFieldsManager

    def __init__(self, inventory: Inventory) -> None:
        super().__init__("CustomFieldsManager")
        self.inventory = inventory
        self.fields: dict[int, Any] = {}
        self._next = _FIRST

    @shows("field")
    def all(self) -> list[Any]:
        """List the fields."""
        return list(self.fields.values())

    def of(self, entity: Entity) -> list[Any]:
        """List the fields that an entity can have a value for."""
        fitting = (field.managedObjectType for field in self.all())
        return [
            field
            for field, kind in zip(self.all(), fitting, strict=True)
            if kind is None or issubclass(entity.kind, kind)
        ]

    @answers("AddCustomFieldDef")
    def _add(self, call: Call) -> Any:
        self._check(call["name"])
        field = vim.CustomFieldsManager.FieldDef(
            key=self._next, name=call["name"], type=str, managedObjectType=call["moType"]
        )
        self.fields[self._next] = field
        self._next += 1
        self.inventory.changed(None)
        return field

    @answers("RenameCustomFieldDef")
    def _rename(self, call: Call) -> None:
        self._check(call["name"])
        self._field(call["key"]).name = call["name"]
        self.inventory.changed(None)

    @answers("RemoveCustomFieldDef")
    def _remove(self, call: Call) -> None:
        del self.fields[self._field(call["key"]).key]
        for entity in self.inventory.objects.values():
            if isinstance(entity, Entity):
                entity.custom.pop(call["key"], None)
        self.inventory.changed(None)

    @answers("SetField")
    def _set(self, call: Call) -> None:
        entity = self.inventory.find(call["entity"])
        assert isinstance(entity, Entity)  # noqa: S101 - nothing else is of this kind
        self.note(entity, self._field(call["key"]), call["value"])

    def named(self, entity: Entity, name: str) -> Any:
        """Find an entity's field by its name; raises InvalidArgument."""
        found = next((field for field in self.of(entity) if field.name == name), None)
        if found is None:
            raise vim.fault.NotFound(msg=f"No field {name!r} is defined.")
        return found

    def note(self, entity: Entity, field: Any, value: str) -> None:
        """Give an entity a value; an empty one takes it away."""
        if value:
            entity.custom[field.key] = value
        else:
            entity.custom.pop(field.key, None)
        self.inventory.changed(entity)

    def _field(self, key: int) -> Any:
        if key not in self.fields:
            raise vim.fault.NotFound(msg=f"No field has the key {key}.")
        return self.fields[key]

    def _check(self, name: str) -> None:
        if not name:
            raise vim.fault.InvalidName(name="", msg="A field needs a name.")
        if any(field.name == name for field in self.all()):
            root = self.inventory.objects["group-d1"]
            raise vim.fault.DuplicateName(name=name, object=root.ref, msg=f"The name {name!r} already exists.")


def values(entity: Entity) -> list[Any]:
    """List the values of an entity."""
    return [vim.CustomFieldsManager.StringValue(key=key, value=value) for key, value in sorted(entity.custom.items())]
