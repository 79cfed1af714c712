"""Options that several subcommands have, worded once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

RUNS = Path("build/runs")


def runs_option(command: _Command) -> _Command:
    """Add ``--runs``, the folder below which a run is looked for by its name."""
    return click.option(
        "--runs", type=click.Path(path_type=Path), default=RUNS, show_default=True, help="Where runs are kept."
    )(command)


def theme_option(command: _Command) -> _Command:
    """Add ``--theme``, the folder whose templates go before those that the report comes with."""
    return click.option(
        "--theme",
        type=click.Path(path_type=Path),
        default=Path("reports"),
        show_default=True,
        help="Template overrides.",
    )(command)


def history_option(command: _Command) -> _Command:
    """Add ``--history``, the URL of runs that lie elsewhere."""
    return click.option(
        "--history",
        metavar="URL",
        envvar="WINCOMPAT_HISTORY",
        show_envvar=True,
        help="Compare with the runs that `wincompat history` keeps there, too: a folder, s3://..., gs://..., abfs://...",
    )(command)
