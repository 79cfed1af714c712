"""What the lab's commands share: the option that names a lab, how its folder is found, and how they say no."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from harness.lab.folder import LabFolder

DOWN, CANNOT = 3, 5
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_Command = TypeVar("_Command", bound=Callable[..., Any])


class Failed(click.ClickException):
    """One plain line and an exit code."""

    def __init__(self, words: str, code: int = DOWN) -> None:
        super().__init__(words)
        self.code = code

    @property
    def exit_code(self) -> int:  # type: ignore[override]  # click has it as a class's constant; ours differs by case
        """What the command ends with."""
        return self.code

    def show(self, file: Any = None) -> None:
        """Print the line."""
        click.echo(self.message, file=file, err=file is None)


def _named(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _NAME.fullmatch(value):
        raise click.BadParameter("a name has up to 40 small letters, digits, dots, dashes and underscores")
    return value


def name_option(default: str | None) -> Callable[[_Command], _Command]:
    """Add the option that names the lab."""
    words = "Which lab, when there are several." if default else "A name for the lab; one of its own by default."
    return click.option("--name", default=default, show_default=bool(default), callback=_named, help=words)


def lab_folder(name: str, *, check: bool = True) -> LabFolder:
    """Find a lab's folder; where no lab can run, say in plain words what is missing."""
    if sys.platform != "linux":
        cannot([f"it runs its guests with Wine on Linux; this is {sys.platform}"])
    from harness.lab.host import lab_home, missing

    home = lab_home()
    if check and (lacks := missing() or _no_room(home)):
        cannot(lacks)
    return LabFolder(home, name)


def _no_room(home: Path) -> list[str]:
    """Say why a lab can keep nothing in this folder; empty when it can."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            return []
    except OSError as error:
        reason = f"its guests cannot be kept in {home} ({error.strerror})"
        return [f"{reason}: set WINCOMPAT_LAB_HOME to a folder that you may write to"]


def cannot(lacks: Sequence[str]) -> NoReturn:
    """Say what is missing for a lab to run here, and what works without one."""
    reasons = "\n".join(f"  - {sentence}" for sentence in lacks)
    words = f"the lab cannot run here:\n{reasons}\nA vSphere site works without it: pytest --site SITE.toml MATRIX.toml"
    raise Failed(words, CANNOT)
