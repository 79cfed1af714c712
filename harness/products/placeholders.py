"""Placeholders such as ``{version}`` in a product file's texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from harness.mistakes import nearest

# lower-case words only: a product code {22EA7650-...} and a regular expression's {2,3} are not placeholders
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")

Model = TypeVar("Model", bound=BaseModel)


def filled(text: str, values: Mapping[str, str], escape: Callable[[str], str] = str) -> str:
    """Fill a text's placeholders, each value passed through ``escape``; unknown ones are left as they are."""
    return _PLACEHOLDER.sub(lambda found: escape(values[found[1]]) if found[1] in values else found[0], text)


def checked(text: str, known: tuple[str, ...]) -> None:
    """Raise ValueError with the nearest right word for a placeholder that is not known."""
    for name in _PLACEHOLDER.findall(text):
        if name not in known:
            raise ValueError(f"no placeholder {'{' + name + '}'!r}; {nearest(name, known)}")


def filled_in(model: Model, values: Mapping[str, str]) -> Model:
    """Make the same model with all placeholders filled; a field ``matches`` is a regular expression."""
    return type(model).model_validate(_filled(model.model_dump(), values, str))


def _filled(value: Any, values: Mapping[str, str], escape: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return filled(value, values, escape)
    if isinstance(value, tuple | list):
        return [_filled(item, values, escape) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, values, re.escape if key == "matches" else str) for key, item in value.items()}
    return value
