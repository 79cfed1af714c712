"""``wincompat attach``, ``release`` and ``screenshot``: what a person does with one machine of a site by hand."""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from harness.errors import GuestUnreachable, HarnessError, Hung, MachineMissing

if TYPE_CHECKING:
    from harness.guest.envelope import Received
    from harness.guest.guest import Guest
    from harness.machines.machine import Machine
    from harness.machines.vcenter import VCenter
    from harness.site import Site, SiteMachine

LONGEST = 3600.0  # seconds that a command may take unless told otherwise; a person has Ctrl-C

_SITE = click.argument("site", metavar="SITE", type=click.Path(path_type=Path))
_MACHINE = click.argument("machine", metavar="MACHINE")


@click.command()
@_SITE
@_MACHINE
@click.option("--account", type=click.Choice(["administrator", "standard"]), default="administrator")
@click.option("-c", "command", metavar="COMMAND", help="Run this command and go.")
@click.option("--deadline", type=float, default=LONGEST, metavar="SECONDS", help="For each command (default: an hour).")
@click.option("--anyway", is_flag=True, help="Also while a run has the machine.")
def attach(
    site: Path,
    machine: str,
    account: Literal["administrator", "standard"],
    command: str | None,
    deadline: float,
    anyway: bool,
) -> None:
    """Run commands in the Windows of a machine, one a line, over WinRM; `cd` lasts, Ctrl-C ends the command.

    MACHINE is its path in the inventory, or its name where the site file has only one. SITE may be the word lab. With
    -c the exit code is 0 when the command's is, else 1, and the command's own is told. `exit` goes.

    \b
    Examples:
      wincompat attach fixtures/sites/ours.toml win11-23h2-01
      wincompat attach lab win11-23h2-a -c "dir C:\\Windows\\Temp"
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    with _found(site, machine) as (vcenter, found):
        if not anyway and (user := _in_use(vcenter.site, found)):
            raise HarnessError(f"{found.name}: {user} has it now; add --anyway to look over its shoulder")
        reached = _reached(found)
    from harness.guest.guest import Guest

    with Guest.of(vcenter.site, reached.entry, account=account) as guest:
        prompt = Prompt(guest, deadline)
        if command is None:
            prompt.converse()
        elif prompt.run(command) != 0:
            raise SystemExit(1)


@click.command()
@_SITE
@_MACHINE
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
def screenshot(site: Path, machine: str, file: Path) -> None:
    """Write a picture of a machine's console, as PNG; the machine goes on with what it does.

    \b
    Examples:
      wincompat screenshot fixtures/sites/ours.toml win11-23h2-01 console.png
    """  # noqa: D301 - as above
    with _found(site, machine) as (_, found):
        picture = found.screenshot()
    try:
        file.write_bytes(picture)
    except OSError as error:
        raise HarnessError(f"{file}: cannot be written: {error.strerror}") from error
    click.echo(f"{found.name}: {len(picture):,} bytes in {file}")


@click.command()
@_SITE
@_MACHINE
@click.option("--lease", metavar="NAME", help="What it is leased as, where that is not its path: clones.")
def release(site: Path, machine: str, lease: str | None) -> None:
    """Give back a machine that was kept (`--keep`): its snapshot is removed, its lease or quarantine ends.

    \b
    Examples:
      wincompat release fixtures/sites/ours.toml win11-23h2-01
    """  # noqa: D301 - as above
    from harness.machines.leases.quarantine import release as let_go
    from harness.machines.leases.register import key_of
    from harness.machines.leases.store import open_store

    with _found(site, machine) as (vcenter, found):
        if lease is None and (user := _in_use(vcenter.site, found)):
            raise HarnessError(f"{found.name}: is not kept; {user} has it now")
        for name in found.drop_kept():
            click.echo(f"{found.name}: removed the snapshot {name}")
        key = key_of(vcenter.site, found.entry)
        store = open_store(vcenter.site)
        try:
            why = let_go(store, key if lease is None else key._replace(machine=lease))
        finally:
            store.close()
        click.echo(f"{found.name}: free again" + (f"; it was kept for {why}" if why else "; nobody had kept it"))


class Prompt:
    """Commands of a person, one after the other, in one guest; ``cd`` is remembered between them."""

    def __init__(self, guest: Guest, deadline: float) -> None:
        self._guest = guest
        self._deadline = deadline
        self._directory = ""

    def converse(self) -> None:
        """Read commands until ``exit`` or the end of input; on a terminal with a prompt and a history."""
        if sys.stdin.isatty():
            import readline  # noqa: F401 - importing it is what gives input() its history
        self._enter("")
        while True:
            try:
                line = input(f"{self._guest.machine} {self._directory}> " if sys.stdin.isatty() else "").strip()
            except KeyboardInterrupt:
                click.echo()
                continue
            except EOFError:
                return
            if line.lower() == "exit":
                return
            if line:
                self._answer(line)

    def run(self, line: str) -> int:
        """Run a command, show its output as it comes, and tell its exit code unless that is 0."""
        shown = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in ("out", "err")}

        def show(received: Received) -> None:
            click.echo(shown["out"].decode(received.stdout).replace("\r\n", "\n"), nl=False)
            click.echo(shown["err"].decode(received.stderr).replace("\r\n", "\n"), nl=False, err=True)

        outcome = self._guest.listen(line, show, deadline=self._deadline, directory=self._directory or None)
        if not outcome.ok:
            click.echo(f"[exit code {outcome.exit_code}]", err=True)
        return outcome.exit_code

    def _answer(self, line: str) -> None:
        try:
            if going := re.fullmatch(r"(?:cd|chdir)(?:\s+/d)?\s+(.+)", line, re.IGNORECASE):
                self._enter(going[1].strip('"'))
            else:
                self.run(line)
        except KeyboardInterrupt:
            click.echo("^C")
        except (HarnessError, Hung) as error:
            click.echo(str(error), err=True)

    def _enter(self, folder: str) -> None:
        outcome = self._guest.run(f'cd /d "{folder}" && cd' if folder else "cd", directory=self._directory or None)
        if outcome.ok:
            self._directory = outcome.stdout.strip()
        else:
            click.echo(outcome.text.strip(), err=True)


@contextmanager
def _found(place: Path, name: str) -> Iterator[tuple[VCenter, Machine]]:
    """Find a machine of a site, or any other one of its vCenter, such as a clone, by its path."""
    from harness.machines.vcenter import connected
    from harness.running_lab import lab_that_is_up
    from harness.site import read_site

    if str(place) == "lab" and not place.exists():
        place = lab_that_is_up() or place
    with connected(read_site(place)) as vcenter:
        yield vcenter, vcenter.machine(_entry(vcenter.site, name))


def _entry(site: Site, name: str) -> SiteMachine:
    from harness.site import FROM_TOOLS, SiteMachine

    wanted = name.strip("/")
    exact = [entry for entry in site.machines if entry.path.strip("/") == wanted]
    named = exact or [entry for entry in site.machines if entry.path.rpartition("/")[2] == wanted]
    if len(named) > 1:
        paths = ", ".join(sorted(entry.path for entry in named))
        raise MachineMissing(f"{len(named)} machines have this name", machine=name, advice=f"write the path: {paths}")
    if named:
        return named[0]
    like = site.machines[0]
    return SiteMachine(path=name, build=like.build, snapshot=like.snapshot, address=FROM_TOOLS)


def _in_use(site: Site, machine: Machine) -> str:
    """Say who has a machine and has not kept it for somebody to look at; nothing when nobody has."""
    from harness.machines.leases.register import key_of, standing
    from harness.machines.leases.store import open_store

    store = open_store(site)
    try:
        with store.reading() as turn:
            now = standing(turn, key_of(site, machine.entry))
            held = now is not None and now.held(turn.now) and now.kept is None
            return f"{now.holder} ({now.controller})" if held and now is not None else ""
    finally:
        store.close()


def _reached(machine: Machine) -> Machine:
    """Give a machine with the address of its guest, asked of VMware Tools where the site file knows none."""
    from harness.site import FROM_TOOLS

    if machine.entry.address != FROM_TOOLS:
        return machine
    if not (addresses := machine.condition().addresses):
        advice = "look whether it is powered on and VMware Tools run in it"
        raise GuestUnreachable("VMware Tools tell no address of it", machine=machine.name, advice=advice)
    return machine.reached_at(addresses[0])
