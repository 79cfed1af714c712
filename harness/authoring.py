"""Reading what a person wrote: one TOML file into one pydantic model, each mistake one line in the author's words."""

from __future__ import annotations

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic_core import ErrorDetails

from harness.builds import Build
from harness.errors import AuthoringError

BIGGEST_FILE = 1_000_000  # bytes; nobody types more
LONGEST_LINE = 5_000  # characters
MOST_DOTS = 100  # in a line; tomllib takes quadratic time over a key of many dots

Model = TypeVar("Model", bound=BaseModel)


class Authored(BaseModel):
    """A part of a file that a person writes: frozen, no unknown keys, and no value ever shown in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _from_the_files_folder(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder")
    return path if folder is None else folder / path.expanduser()


def _readable_build(value: object) -> object:
    if isinstance(value, float):
        # 22631.4030 as a TOML number would silently become revision 403
        raise ValueError('put a build with a revision in quotes: "22631.4037"')
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise ValueError("should be a build like 22631, in quotes where it has a revision or is a name")
    Build.parse(value).release  # noqa: B018 - raises ValueError for what the catalog does not know
    return value


LocalPath = Annotated[Path, AfterValidator(_from_the_files_folder)]
"""A path on this machine; a relative one starts at the folder of the file that names it."""

Text = Annotated[str, Field(min_length=1, strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Seconds = Annotated[float, Field(strict=True, gt=0, le=86_400, allow_inf_nan=False)]
BuildName = Annotated[str | int, BeforeValidator(_readable_build)]


def read(path: Path, model: type[Model]) -> Model:
    """Read a TOML file into a model; raises AuthoringError with one line that counts all mistakes."""
    document = parse(path)
    try:
        return model.model_validate(document, context={"folder": path.absolute().parent, "stem": path.stem})
    except ValidationError as error:
        found = mistakes_in(error, document, model)
    raise refusal(path, found)


def parse(path: Path) -> dict[str, Any]:
    """Read a TOML file; raises AuthoringError for what is not a small, readable, well-formed UTF-8 file."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise refusal(path, ["is a folder, not a TOML file"])
        if not stat.S_ISREG(status.st_mode):
            raise refusal(path, ["is not an ordinary file"])  # a pipe would be waited for
        with path.open("rb") as file:
            content = file.read(BIGGEST_FILE + 1) if status.st_size <= BIGGEST_FILE else b""
    except (OSError, ValueError) as error:
        raise refusal(path, [_unreadable(path, error)]) from error
    if status.st_size > BIGGEST_FILE or len(content) > BIGGEST_FILE:
        raise refusal(path, [f"is {max(status.st_size, len(content)):,} bytes; at most {BIGGEST_FILE:,} are read"])
    try:
        text = content.decode("utf-8-sig")  # Notepad puts a mark in front
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise refusal(path, [f"is not UTF-8 at line {line}; save it as UTF-8"]) from error
    for number, line_text in enumerate(text.split("\n"), 1):
        if len(line_text) > LONGEST_LINE:
            raise refusal(path, [f"line {number} has {len(line_text):,} characters; at most {LONGEST_LINE:,} are read"])
        if line_text.count(".") > MOST_DOTS:
            raise refusal(path, [f"line {number} has more than {MOST_DOTS} dots; break it into several lines"])
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise refusal(path, ["is nested too deeply"]) from error
    except ValueError as error:  # TOMLDecodeError, and int() for a number of thousands of digits
        raise refusal(path, [f"is not TOML: {_lowered(str(error))}"]) from error


def refusal(path: Path, mistakes: Sequence[str]) -> AuthoringError:
    """Make the error for a file: one line with the first mistake and the number of the others."""
    return refusal_of([f"{shown(path)}: {mistake}" for mistake in mistakes])


def refusal_of(lines: Sequence[str]) -> AuthoringError:
    """Make the error for mistakes that already name their files."""
    lines = [one_line(line) for line in lines]
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    return AuthoringError(lines[0] + more, *lines)


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


def shown(path: Path) -> str:
    """Show a path as the author would write it: from the current folder where it is below it."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would replace the author's links
    here = Path.cwd()
    return one_line(str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute))


def one_line(text: str) -> str:
    """Make text fit for one line of a terminal: every control character visible."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


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


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _unreadable(path: Path, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        siblings = [one.name for one in path.parent.glob(f"*{path.suffix}")] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, siblings, n=1)
        return f"no such file; did you mean {near[0]!r}?" if near else "no such file"
    if isinstance(error, OSError):
        return f"cannot be read: {_lowered(error.strerror or 'unknown reason')}"
    return "is not a path"
