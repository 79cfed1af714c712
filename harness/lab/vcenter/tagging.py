"""Tags: categories, the tags in them, and what carries which."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

#: A reference as the Automation API writes it: the type of the object and its identifier.
Carrier = tuple[str, str]


class NotTagged(Exception):
    """A tag or category cannot be had or made so; ``kind`` is the API's name for it: ``not_found``, ..."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind


@dataclass(slots=True, kw_only=True)
class Category:
    """A category of tags; a thing carries one tag of a ``SINGLE`` one, any number of a ``MULTIPLE`` one."""

    id: str
    name: str
    description: str
    cardinality: str
    associable_types: list[str]


@dataclass(slots=True, kw_only=True)
class Tag:
    """A tag and what carries it."""

    id: str
    name: str
    description: str
    category: Category
    carriers: dict[Carrier, None] = field(default_factory=dict)


class Tagging:
    """Every category and tag; ``exists`` tells whether there is such an object."""

    def __init__(self, exists: Callable[[Carrier], bool]) -> None:
        self._exists = exists
        self.categories: dict[str, Category] = {}
        self.tags: dict[str, Tag] = {}

    def category(self, identifier: str) -> Category:
        """Find a category; raises NotTagged."""
        if identifier not in self.categories:
            raise NotTagged("not_found", f"Category {identifier!r} not found")
        return self.categories[identifier]

    def tag(self, identifier: str) -> Tag:
        """Find a tag; raises NotTagged."""
        if identifier not in self.tags:
            raise NotTagged("not_found", f"Tag {identifier!r} not found")
        return self.tags[identifier]

    def new_category(self, spec: dict[str, Any]) -> str:
        """Make a category; raises NotTagged."""
        name, cardinality = _text(spec, "name"), _text(spec, "cardinality")
        if cardinality not in ("SINGLE", "MULTIPLE"):
            raise NotTagged("invalid_argument", f"cardinality is SINGLE or MULTIPLE, not {cardinality!r}")
        if any(known.name == name for known in self.categories.values()):
            raise NotTagged("already_exists", f"Category {name!r} already exists")
        made = Category(
            id=f"urn:vmomi:InventoryServiceCategory:{uuid.uuid4()}:GLOBAL",
            name=name,
            description=spec.get("description") or "",
            cardinality=cardinality,
            associable_types=list(spec.get("associable_types") or ()),
        )
        self.categories[made.id] = made
        return made.id

    def new_tag(self, spec: dict[str, Any]) -> str:
        """Make a tag; raises NotTagged."""
        category, name = self.category(_text(spec, "category_id")), _text(spec, "name")
        if any(known.name == name for known in self.of(category)):
            raise NotTagged("already_exists", f"Tag {name!r} already exists in {category.name!r}")
        made = Tag(
            id=f"urn:vmomi:InventoryServiceTag:{uuid.uuid4()}:GLOBAL",
            name=name,
            description=spec.get("description") or "",
            category=category,
        )
        self.tags[made.id] = made
        return made.id

    def of(self, category: Category) -> list[Tag]:
        """List the tags of a category."""
        return [tag for tag in self.tags.values() if tag.category is category]

    def drop_category(self, identifier: str) -> None:
        """Remove a category with its tags; raises NotTagged."""
        category = self.category(identifier)
        for tag in self.of(category):
            del self.tags[tag.id]
        del self.categories[identifier]

    def drop_tag(self, identifier: str) -> None:
        """Remove a tag from everything that carries it; raises NotTagged."""
        del self.tags[self.tag(identifier).id]

    def attach(self, tag: Tag, carrier: Carrier) -> None:
        """Let something carry a tag; raises NotTagged when it cannot."""
        if not self._exists(carrier):
            raise NotTagged("not_found", f"There is no {carrier[0]} {carrier[1]!r}")
        allowed = tag.category.associable_types
        if allowed and carrier[0] not in allowed:
            raise NotTagged("invalid_argument", f"{tag.category.name!r} is for {', '.join(allowed)}")
        others = [other for other in self.carried(carrier) if other.category is tag.category and other is not tag]
        if others and tag.category.cardinality == "SINGLE":
            raise NotTagged("invalid_argument", f"It carries {others[0].name!r} of {tag.category.name!r} already")
        tag.carriers[carrier] = None

    def carried(self, carrier: Carrier) -> list[Tag]:
        """List the tags that something carries."""
        return [tag for tag in self.tags.values() if carrier in tag.carriers]

    def carriers(self, tag: Tag) -> list[Carrier]:
        """List what carries a tag and is still there."""
        return [carrier for carrier in tag.carriers if self._exists(carrier)]


def _text(spec: dict[str, Any], name: str) -> str:
    value = spec.get(name)
    if not isinstance(value, str) or not value:
        raise NotTagged("invalid_argument", f"{name} is missing")
    return value
