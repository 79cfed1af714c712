"""Reading what a person wrote: one TOML file into one pydantic model, each mistake one line in the author's words."""

from __future__ import annotations

import difflib
import os
import stat
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo

from harness.builds import Build
from harness.errors import AuthoringError
from harness.mistakes import lowered, mistakes_in, one_line

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
        raise refusal(path, [f"is not TOML: {lowered(str(error))}"]) from error


def refusal(path: Path, mistakes: Sequence[str]) -> AuthoringError:
    """Make the error for a file: one line with the first mistake and the number of the others."""
    return refusal_of([f"{shown(path)}: {mistake}" for mistake in mistakes])


def refusal_of(lines: Sequence[str]) -> AuthoringError:
    """Make the error for mistakes that already name their files."""
    lines = [one_line(line) for line in lines]
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    return AuthoringError(lines[0] + more, *lines)


def shown(path: Path) -> str:
    """Show a path as the author would write it: from the current folder where it is below it."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would replace the author's links
    here = Path.cwd()
    return one_line(str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute))


def _unreadable(path: Path, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        siblings = [one.name for one in path.parent.glob(f"*{path.suffix}")] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, siblings, n=1)
        return f"no such file; did you mean {near[0]!r}?" if near else "no such file"
    if isinstance(error, OSError):
        return f"cannot be read: {lowered(error.strerror or 'unknown reason')}"
    return "is not a path"
