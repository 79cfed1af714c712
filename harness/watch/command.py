"""``wincompat watch``."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from harness.errors import AuthoringError
from harness.options import runs_option

if TYPE_CHECKING:
    from harness.watch.following import Following
    from harness.watch.view import View

NEEDS = "watching in a terminal needs rich: pip install pytest-wincompat[watch]"


@click.command(name="watch", short_help="Follow a run while it goes, here or in a browser.")
@click.argument("run", default="latest")
@runs_option
@click.option("--once", is_flag=True, help="Say once how the run stands, and end.")
@click.option("--serve", is_flag=True, help="Serve a web page that follows the run.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to serve on; any but loopback needs a token."
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to serve on; 0: any that is free.")
def command(run: str, runs: Path, once: bool, serve: bool, host: str, port: int) -> None:
    """Follow RUN: cells by machine, what each does now, and how long it will take.

    RUN is a run's folder, its journal, its name, or "latest". Watching only reads: it changes nothing of the run, and
    ends with it, or with Ctrl-C. With --serve it goes on until Ctrl-C.

    \b
    Examples:
      wincompat watch                           the run that was started last
      wincompat watch --once                    one look, for a script
      wincompat watch --serve                   a page on http://127.0.0.1, for this machine
      wincompat watch --serve --host 0.0.0.0    a page for others, whose address holds a random token
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    from harness.results.run import RunFolder
    from harness.watch.following import Following, usual_seconds

    folder = RunFolder.find(run, parent=runs)
    following = Following(folder, usual=usual_seconds(folder))
    if serve:
        _serve(following, host, port)
    else:
        _show(following, once=once)


def _serve(following: Following, host: str, port: int) -> None:
    from harness.watch.server import WatchServer

    lines = _drawing()
    with WatchServer(
        following.look, lambda view: "\n".join(lines(view, width=120)) + "\n", host=host, port=port
    ) as server:
        click.echo(f"watch the run at {server.address} (Ctrl-C ends)")
        # a shell that starts it in the background has it ignore Ctrl-C; this way `kill -INT` ends it there, too
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            server.serve_forever(poll_interval=0.2)


def _show(following: Following, *, once: bool) -> None:
    lines = _drawing()
    view = following.look()
    if once or not sys.stdout.isatty():
        click.echo("\n".join(line.rstrip() for line in lines(view, width=120)))
        return
    from harness.watch.screen import show

    with suppress(KeyboardInterrupt):
        show(view, following.look)


class _Lines(Protocol):
    def __call__(self, view: View, *, width: int) -> list[str]: ...


def _drawing() -> _Lines:
    try:
        from harness.watch.screen import lines
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "rich":
            raise
        raise AuthoringError(NEEDS) from error
    return lines
