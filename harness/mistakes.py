"""An author's mistakes in the author's words: where, what is wrong, and the nearest right word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails


def mistakes_in(error: ValidationError, document: object, model: type[BaseModel]) -> list[str]:
    """Say in the author's words what pydantic found, one mistake for each place."""
    found: dict[tuple[str | int, ...], str] = {}
    # a wrong key comes first: it is most often why another one is missing
    for detail in sorted(error.errors(include_url=False), key=lambda detail: detail["type"] != "extra_forbidden"):
        place = _place(detail["loc"][:-1] if _is_wrong_key(detail) else detail["loc"], document)
        if place in found or (detail["type"] == "too_short" and _at(document, place)):
            continue  # said already; and a list is not called empty because its items are wrong
        # a file of nothing but wrong keys holds a hundred thousand: only the first ones are worth a search
        found[place] = _sentence(detail, place, document, model) if len(found) < 50 else "is wrong too"
    return list(found.values())


def _place(location: tuple[str | int, ...], document: object) -> tuple[str | int, ...]:
    """Keep what is in the document: pydantic also puts names of types, validators and union members in a location."""
    place: list[str | int] = []
    here: Any = document
    for index, part in enumerate(location):
        inside = part in here if isinstance(here, dict) else isinstance(here, list) and isinstance(part, int)
        if inside:
            here = here[part]
        elif not (index == len(location) - 1 and isinstance(here, dict) and isinstance(part, str)):
            continue
        place.append(part)
    return tuple(place)


def _written(place: tuple[str | int, ...]) -> str:
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if re.fullmatch(r"[A-Za-z0-9_-]{1,80}", part) else quoted(part)
            text += f".{key}" if text else key
    return text


def _sentence(detail: ErrorDetails, place: tuple[str | int, ...], document: object, model: type[BaseModel]) -> str:
    kind = detail["type"]
    # a wrong or missing key is a mistake of the table around it, and the words name the key
    if kind == "extra_forbidden" or _is_wrong_key(detail):
        words = f"no key {quoted(place[-1])} here; {nearest(str(place[-1]), _keys_at(model, place[:-1]))}"
        place = place[:-1]
    elif kind == "missing":
        words = f"the key {quoted(place[-1])} is missing"
        place = place[:-1]
    else:
        words = _about_value(kind, detail.get("ctx", {}), _at(document, place))
    return f"{_written(place)}: {words}" if place else words


def _is_wrong_key(detail: ErrorDetails) -> bool:
    """Tell whether a table's key is no choice, not its value: pydantic marks it at the location's end."""
    return detail["type"] == "literal_error" and detail["loc"][-1:] == ("[key]",)


def _about_value(kind: str, limits: Mapping[str, Any], value: object) -> str:
    if kind == "value_error":
        return str(limits["error"])
    if kind == "literal_error":
        words = re.findall(r"'([^']*)'", limits["expected"])
        if isinstance(value, str):
            return f"no choice {quoted(value)}; {nearest(value, words)}"
        return f"should be one of {', '.join(words)}, not {_named(value)}"
    if kind in ("too_short", "string_too_short"):
        return "should not be empty"
    if kind in SHAPES:
        return f"should be {SHAPES[kind]}, not {_named(value)}"
    if kind in BOUNDS:
        return f"should be {BOUNDS[kind]} {next(iter(limits.values())):g}"
    return "has a value that does not fit"


BOUNDS = {
    "greater_than": "more than",
    "greater_than_equal": "at least",
    "less_than": "less than",
    "less_than_equal": "at most",
}
SHAPES = {
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "path_type": "a path in quotes",
    "date_type": "a date like 2026-12-31",
    "date_parsing": "a date like 2026-12-31",
    "date_from_datetime_parsing": "a date like 2026-12-31",
    "date_from_datetime_inexact": "a date like 2026-12-31",
}


def _at(document: object, place: tuple[str | int, ...]) -> object:
    here: Any = document
    for part in place:
        here = here[part]
    return here


def _named(value: object) -> str:
    """Name the sort of a value, never the value: it may be a secret in the wrong place."""
    sorts: list[tuple[type | tuple[type, ...], str]] = [
        (bool, "true or false"),
        (str, "text"),
        (int, "a whole number"),
        (float, "a number"),
        (datetime, "a date with a time"),
        (date, "a date"),
        (time, "a time"),
        (list, "a list"),
        (dict, "a table"),
    ]
    return next(name for sort, name in sorts if isinstance(value, sort))


def _keys_at(model: type[BaseModel], place: tuple[str | int, ...]) -> list[str]:
    """Name the keys that a place may have, by following the model's fields to it."""
    models, names = [model], []
    for part in place:
        if isinstance(part, int):
            continue  # a list's items have the model that the list's field names
        fields = [one.model_fields[part].annotation for one in models if part in one.model_fields]
        # a table of tables ([accounts.NAME]) keeps its models for the name below it
        models = [found for field in fields for found in _models_in(field)] or models
        names = [name for field in fields for name in _names_in(field)]
    return sorted(set(names) or {key for one in models for key in one.model_fields})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models_in(part)]


def _names_in(annotation: Any) -> list[str]:
    """Name the keys of a table whose keys are a choice: ``dict[Literal["a", "b"], ...]``."""
    return [str(name) for name in get_args(get_args(annotation)[0])] if get_origin(annotation) is dict else []


def nearest(word: str, known: Iterable[object]) -> str:
    """Say what the author may have meant: the nearest right word, or else the right words."""
    words = [str(one) for one in known]
    folded = {one.casefold(): one for one in words}
    asked = word.casefold()[:200]
    begun = [one for one in folded if len(asked) > 2 and one.startswith(asked)]
    near = difflib.get_close_matches(asked, folded, n=1) or (begun if len(begun) == 1 else [])
    if near:
        return f"did you mean {folded[near[0]]!r}?"
    if not words:
        return "there is none"
    return f"choose from {', '.join(words[:12])}{', ...' if len(words) > 12 else ''}"


def quoted(word: object) -> str:
    """Show a word of the author's in quotes, cut where it is long, with control characters made visible."""
    text = str(word)
    return repr(text if len(text) <= 80 else f"{text[:77]}...")


def one_line(text: str) -> str:
    """Make text fit for one line of a terminal: every control character visible."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def lowered(text: str) -> str:
    """Begin with a small letter, to go on in a sentence."""
    return text[:1].lower() + text[1:]
