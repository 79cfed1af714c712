"""``wincompat lab``: start, look at and stop the embedded lab.

Exit codes: 0 done; 2 wrong usage; 3 no lab is up, or it did not do what was asked; 5 no lab can run on this machine.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from harness.builds import Build, catalog
from harness.lab.faults.command import fault
from harness.lab.folder import LabFolder, LabIsDown, LabIsUp
from harness.lab.options import DOWN, Failed, cannot, lab_folder, name_option

STOPPING = 20.0
_Command = TypeVar("_Command", bound=Callable[..., Any])


class _BuildType(click.ParamType[Build]):
    """A Windows build of the catalog, by number or slug."""

    name = "build"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Build:
        """Read a build; one that the catalog does not know is refused with the nearest."""
        try:
            build = value if isinstance(value, Build) else Build.parse(value)
            build.release  # noqa: B018 - asked for, because it names the nearest build that is known
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return build


def _what(command: _Command) -> _Command:
    """Add the options that say what a lab is to have."""
    for option in (
        click.option("--build", "builds", type=_BuildType(), multiple=True, metavar="BUILD",
                     help="A build to have machines of, as 22631 or win11-23h2; by default every one in the catalog."),
        click.option("--machines", type=click.IntRange(1, 200), default=2, show_default=True,
                     help="How many machines of each build."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def lab() -> None:
    """Start, look at and stop the embedded lab: a vCenter with Windows-like guests on this machine.

    Runs use the lab that is up, and start one for themselves when none is.

    \b
    Examples:
      wincompat lab up                       every build of the catalog, two machines each
      wincompat lab up --build win11-23h2    one build only
      wincompat lab status
      wincompat lab down
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b


@lab.command()
@name_option("lab")
@_what
def up(name: str, builds: tuple[Build, ...], machines: int) -> None:
    """Start a lab in the background and wait until it is ready.

    The first time this builds the guests' image, which takes a little while.

    \b
    Examples:
      wincompat lab up
      wincompat lab up --name second --build 19044 --build win11-23h2 --machines 4
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    folder = lab_folder(name)
    if folder.is_held():
        _say_ready(folder, "already up")
        return
    words = [sys.executable, "-m", "harness.lab", "serve", "--name", name, "--machines", str(machines)]
    words += [word for build in builds for word in ("--build", str(build))]
    began = time.monotonic()
    with tempfile.TemporaryFile() as said:
        # a session of its own, so that it outlives this terminal
        started = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, start_new_session=True
        )
        assert started.stdout is not None  # noqa: S101 - opened as a pipe above
        with started.stdout as stdout:
            line = stdout.readline().decode()
        if not line.startswith("ready "):
            code = started.wait()
            said.seek(0)
            last = said.read().decode("utf-8", "replace").strip()
            raise Failed(last or f"the lab ended with {code}; see {folder.log}", code if code > 0 else DOWN)
    started.returncode = 0  # it is meant to outlive this process: nobody has to wait for it
    _say_ready(folder, f"up after {time.monotonic() - began:.1f} s")


def _say_ready(folder: LabFolder, how: str) -> None:
    told = _status(folder)
    site = shlex.quote(told["site"])
    click.echo(f"the lab {folder.name!r} is {how}: {len(told['machines'])} machines, all under {told['vcenter']}")
    click.echo(f"site file: {told['site']}")
    click.echo(f"use it:    pytest --site {site} matrices/demo.toml")
    if folder.name == "lab":
        click.echo("           (runs without --site find it by themselves)")
    click.echo("stop it:   wincompat lab down" + ("" if folder.name == "lab" else f" --name {folder.name}"))


@lab.command()
@name_option("lab")
@click.option("--site-file", is_flag=True, help="Print the path of the site file and nothing else.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def status(name: str, site_file: bool, as_json: bool) -> None:
    """Print the machines of a lab, their power and addresses; the exit code is 3 when it is down.

    \b
    Examples:
      wincompat lab status
      pytest --site "$(wincompat lab status --site-file)" matrices/demo.toml
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    told = _status(lab_folder(name, check=False))
    if site_file:
        click.echo(told["site"])
    elif as_json:
        click.echo(json.dumps(told, indent=2))
    else:
        click.echo(f"the lab {name!r} is up for {_duration(told['up_for'])}: {told['vcenter']}, process {told['pid']}")
        click.echo(f"site file: {told['site']}")
        # a clone's path is longer than the others'
        width = max((len(machine["path"]) for machine in told["machines"]), default=0)
        for machine in told["machines"]:
            on = "" if machine["on_for"] is None else f" for {_duration(machine['on_for'])}"
            path, power = machine["path"], machine["power"] + on
            click.echo(f"  {path:{width}} {machine['build']:24} {machine['address']:16} {power}")


@lab.command()
@name_option("lab")
def down(name: str) -> None:
    """Stop a lab and wait until nothing of it is left; a lab that is down already is fine.

    \b
    Examples:
      wincompat lab down
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    folder = lab_folder(name, check=False)
    try:
        folder.ask("POST", "stop")
    except LabIsDown:
        if not folder.is_held():
            click.echo(f"no lab {name!r} is up")
            return
    patience = time.monotonic() + STOPPING
    while folder.is_held():
        if time.monotonic() > patience:
            raise Failed(f"the lab {name!r} has not ended after {STOPPING:g} s; see {folder.log}")
        time.sleep(0.02)  # the lock's end cannot be waited for with a limit
    click.echo(f"the lab {name!r} is down")


@lab.command()
@name_option(None)
@_what
@click.option("--stand-by", is_flag=True, help="Boot one machine of each build at once, before anybody wants it.")
@click.option("--until-stdin-closes", is_flag=True, help="Also end when standard input does.")
def serve(name: str | None, builds: tuple[Build, ...], machines: int, stand_by: bool, until_stdin_closes: bool) -> None:
    """Run a lab in the foreground; prints ``ready`` and the site file's path, and ends on SIGTERM or Ctrl-C.

    \b
    Examples:
      wincompat lab serve --until-stdin-closes
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    folder = lab_folder(name or f"serve-{os.getpid()}")
    from harness.lab.image import LabUnavailable
    from harness.lab.lab import Plan
    from harness.lab.process import serve as run

    wanted = sorted(set(builds)) or [Build(number) for number in catalog()]
    plan = Plan(builds=wanted, machines=machines, stand_by=stand_by)
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    try:
        asyncio.run(
            run(
                folder,
                plan,
                passing=name is None,
                ready=lambda site: click.echo(f"ready {site}"),
                until_stdin_closes=until_stdin_closes,
            )
        )
    except LabUnavailable as error:
        cannot(error.sentences)
    except (LabIsUp, OSError) as error:
        raise Failed(str(error)) from error


lab.add_command(fault)


@lab.command()
@name_option("lab")
@click.argument("machine")
@click.option("--thaw", is_flag=True, help="Let it go on instead.")
def freeze(name: str, machine: str, thaw: bool) -> None:
    """Hold a machine that is up where it is, as the source of instant clones; it answers nothing meanwhile.

    A guest on vSphere freezes itself, with vmware-rpctool "instantclone.freeze"; one of the lab is told from outside.

    \b
    Examples:
      wincompat lab freeze win11-23h2-a
      wincompat lab freeze win11-23h2-a --thaw
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    try:
        lab_folder(name, check=False).ask("POST", "thaw" if thaw else "freeze", machine=machine)
    except (LabIsDown, RuntimeError) as error:
        raise Failed(str(error)) from error
    click.echo(f"{machine} goes on" if thaw else f"{machine} is frozen")


@lab.command()
@name_option("lab")
@click.argument("machine")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def screenshot(name: str, machine: str, file: Path) -> None:
    """Save a picture of a machine's console as PNG.

    \b
    Examples:
      wincompat lab screenshot win11-23h2-a console.png
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    folder = lab_folder(name, check=False)
    try:
        picture = folder.ask("GET", "screenshot", machine=machine.rpartition("/")[2])
    except (LabIsDown, RuntimeError) as error:
        raise Failed(str(error)) from error
    file.write_bytes(picture)
    click.echo(str(file))


def _status(folder: LabFolder) -> dict[str, Any]:
    try:
        return folder.status()
    except LabIsDown as error:
        words = f"{error}; start it with: wincompat lab up"
        if folder.is_held():
            words = f"the lab {folder.name!r} is starting or stopping; ask again in a moment"
        raise Failed(words) from error


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
