"""``wincompat attach``, ``release`` and ``screenshot``: what a person does with one machine of a site by hand."""

from __future__ import annotations

import codecs
import logging
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from harness.errors import GuestUnreachable, HarnessError, Hung, MachineMissing

if TYPE_CHECKING:
    from harness.guest.envelope import Received
    from harness.guest.guest import Guest
    from harness.machines.leases.register import Standing
    from harness.machines.machine import Machine
    from harness.machines.vcenter import VCenter
    from harness.site import Site, SiteMachine

NOTHING_TO_DO = 1

LONGEST = 3600.0  # seconds that a command may take unless told otherwise; a person has Ctrl-C

_SITE = click.argument("site", metavar="SITE", type=click.Path(path_type=Path))
_MACHINE = click.argument("machine", metavar="MACHINE")


@click.command()
@_SITE
@_MACHINE
@click.option(
    "--account",
    type=click.Choice(["administrator", "standard"]),
    default="administrator",
    help="Whose commands they are (default: the administrator's).",
)
@click.option("-c", "command", metavar="COMMAND", help="Run this command and go.")
@click.option(
    "--deadline",
    type=click.FloatRange(min=0, min_open=True),
    default=LONGEST,
    metavar="SECONDS",
    help="For each command (default: an hour).",
)
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

    MACHINE is its path in the inventory, or its name where that is enough. SITE may be the word lab. `exit` goes.

    Exit codes: 0 done; 1 with -c: the command's own was not 0, and is told; 2 wrong usage; 3 the machine cannot be
    reached, or somebody has it; 4 the site file is wrong; 130 Ctrl-C.

    \b
    Examples:
      wincompat attach fixtures/sites/ours.toml win11-23h2-01
      wincompat attach lab win11-23h2-a -c "dir C:\\Windows\\Temp"
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    logging.getLogger("harness").addHandler(_Once())
    with _found(site, machine) as (vcenter, found):
        if not anyway and (user := _in_use(vcenter, found)):
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
def release(site: Path, machine: str) -> None:
    """Give back a machine that was kept (`--keep`): its snapshot is removed, its lease or quarantine ends.

    A clone that was kept is destroyed. Exit codes: 0 done; 1 it was not kept; 2 wrong usage; 3 somebody has it now, or
    the vCenter or the store of leases does not answer; 4 the site file is wrong.

    \b
    Examples:
      wincompat release fixtures/sites/ours.toml win11-23h2-01
    """  # noqa: D301 - as above
    from harness.machines.clones import clone_of, destroy_clone

    with _found(site, machine) as (vcenter, found):
        if user := _in_use(vcenter, found):
            raise HarnessError(f"{found.name}: is not kept; {user} has it now")
        clone = clone_of(vcenter, found)
        if clone is not None:
            destroy_clone(vcenter, clone)
            done = [f"{found.name}: destroyed, for it is a clone"]
        else:
            done = [f"{found.name}: removed the snapshot {name}" for name in found.drop_kept()]
        # a clone is leased by its source and number, which only what it was kept for tells
        why = _let_go(
            vcenter.site, lambda one: one.kept == clone.mark.kept if clone else one.machine in _lease_names(found)
        )
        done += [f"{found.name}: free again; it was kept for {why}"] if why else []
        click.echo("\n".join(done) or f"{found.name}: nobody has kept it")
    if not done:
        raise SystemExit(NOTHING_TO_DO)


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
    from harness.running_lab import site_file
    from harness.site import read_site

    with connected(read_site(site_file(place))) as vcenter:
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


def _in_use(vcenter: VCenter, machine: Machine) -> str:
    """Say who has a machine and has not kept it for somebody to look at; nothing when nobody has."""
    from harness.machines.clones import clone_of
    from harness.machines.leases.register import standings, vcenter_of
    from harness.machines.leases.store import open_store

    with closing(open_store(vcenter.site)) as store, store.reading() as turn:
        for one in standings(turn, vcenter_of(vcenter.site)):
            if one.machine in _lease_names(machine) and one.held(turn.now) and one.kept is None:
                return f"{one.holder} ({one.controller})"
    clone = clone_of(vcenter, machine)
    return "" if clone is None or clone.is_orphan or clone.mark.kept else f"{clone.mark.holder} of {clone.mark.run}"


def _let_go(site: Site, fits: Callable[[Standing], bool]) -> str | None:
    """End the time that a machine of a site is kept, or its quarantine; gives why it was so."""
    from harness.machines.leases.quarantine import release as end
    from harness.machines.leases.register import Key, standings, vcenter_of
    from harness.machines.leases.store import open_store

    with closing(open_store(site)) as store:
        with store.reading() as turn:
            found = [Key(one.vcenter, one.machine) for one in standings(turn, vcenter_of(site)) if fits(one)]
        return next((why for why in [end(store, key) for key in found] if why), None)


def _lease_names(machine: Machine) -> set[str]:
    """Name what a lease of a machine may be held on: its entry in the site file, or its path where it was drawn."""
    return {machine.entry.lease_name, machine.path}


class _Once(logging.Handler):
    """Shows a warning the first time that it comes: a guest that is waited for gives the same one again and again."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._shown: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Show it, unless it was shown."""
        line = record.getMessage()
        if line not in self._shown:
            self._shown.add(line)
            click.echo(line, err=True)


def _reached(machine: Machine) -> Machine:
    """Give a machine with the address of its guest, asked of VMware Tools where the site file knows none."""
    from harness.site import FROM_TOOLS

    seen = machine.condition()
    if not seen.on:
        raise GuestUnreachable("it is powered off", machine=machine.name, advice="power it on in vSphere")
    if machine.entry.address != FROM_TOOLS:
        return machine
    if not seen.addresses:
        advice = "look whether VMware Tools run in it"
        raise GuestUnreachable("VMware Tools tell no address of it", machine=machine.name, advice=advice)
    return machine.reached_at(seen.addresses[0])
