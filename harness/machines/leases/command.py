"""``wincompat leases``: see who has which machine; take one from a run, out of quarantine, or into it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from harness.machines.leases.line import Waiting, waiting
from harness.machines.leases.quarantine import break_lease, put_away, release
from harness.machines.leases.register import Key, Standing, clock_time, key_of, standings, vcenter_of
from harness.machines.leases.store import Store, open_store
from harness.mistakes import nearest
from harness.running_lab import site_file as meant
from harness.site import Site, read_site
from harness.table import table

NOTHING_TO_DO = 1

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class _Known:
    """What one looks at: a store, and the site whose machines it is about, if one was named."""

    store: Store
    site: Site | None

    def standings(self) -> tuple[float, list[Standing]]:
        """Read the store's time and how its machines stand."""
        with self.store.reading() as turn:
            return turn.now, standings(turn, self._vcenter)

    def waiting(self) -> list[Waiting]:
        """Read who waits."""
        with self.store.reading() as turn:
            return waiting(turn, self._vcenter)

    def key(self, words: str) -> Key:
        """Find the machine that somebody means by its path, or by its name where that is enough."""
        keys = [Key(one.vcenter, one.machine) for one in self.standings()[1]]
        if self.site is not None:
            keys += [key_of(self.site, entry) for entry in self.site.machines if not entry.draws]
        exact = {key for key in keys if key.machine == words.strip("/")}
        found = sorted(exact or {key for key in keys if key.machine.rpartition("/")[2] == words})
        if not found:
            names = sorted({key.machine.rpartition("/")[2] for key in keys})
            raise click.BadParameter(f"no lease or quarantine of {words!r} is known; {nearest(words, names)}")
        if len(found) > 1:
            several = ", ".join(f"{key.machine} on {key.vcenter}" for key in found)
            raise click.BadParameter(f"{words!r} may be any of {several}; give its path, and --site")
        return found[0]

    @property
    def _vcenter(self) -> str | None:
        return None if self.site is None else vcenter_of(self.site)


@contextmanager
def _known(ctx: click.Context, site_file: Path | None) -> Iterator[_Known]:
    above: Path | None = ctx.parent.params.get("site_file") if ctx.parent is not None else None
    named = site_file or above
    site = None if named is None else read_site(meant(named))
    with closing(open_store(site)) as store:
        yield _Known(store, site)


def _site_option(command: _Command) -> _Command:
    return click.option(
        "--site",
        "site_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The site file that says where leases are kept, or the word lab; without it, in this user's own file.",
    )(command)


@click.group(invoke_without_command=True)
@_site_option
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON; times in UTC.")
@click.pass_context
def leases(ctx: click.Context, site_file: Path | None, as_json: bool) -> None:
    """Print who has which machine, who waits, and what is in quarantine.

    Exit codes: 0 done; 1 there was nothing to break or release; 2 wrong usage; 3 the store does not answer.

    \b
    Examples:
      wincompat leases
      wincompat leases --site fixtures/sites/ours.toml --json
      wincompat leases break win10-22h2-01            take it from a run that will not give it back
      wincompat leases quarantine win10-22h2-01 --reason "disk is being replaced"
      wincompat leases release win10-22h2-01          it is mended, or no longer needed as it was left
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    if ctx.invoked_subcommand is not None:
        return
    with _known(ctx, site_file) as known:
        now, found = known.standings()
        waits = known.waiting()
        if as_json:
            machines = [{**_in_utc(asdict(one)), "state": _state(one, now)} for one in found]
            asking = [_in_utc(asdict(one)) for one in waits]
            click.echo(json.dumps({"store": known.store.shown, "machines": machines, "waiting": asking}, indent=2))
            return
        for line in _lines(known.store, now, found, waits):
            click.echo(line)


@leases.command(name="break")
@click.argument("machine")
@_site_option
@click.pass_context
def break_(ctx: click.Context, machine: str, site_file: Path | None) -> None:
    """Take a MACHINE from whoever has it.

    That cell is blocked before it touches the machine again. A run that is alive gives its machines back by itself,
    and one that was killed loses them when they expire: this is for a run that hangs, or that is not to be waited for.

    \b
    Examples:
      wincompat leases break win10-22h2-01
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    with _known(ctx, site_file) as known:
        key = known.key(machine)
        holder = break_lease(known.store, key)
        if holder is None:
            click.echo(f"{key.machine} is not leased")
            ctx.exit(NOTHING_TO_DO)
        click.echo(f"{key.machine} is taken from {holder}")


@leases.command(name="release")
@click.argument("machine")
@_site_option
@click.pass_context
def release_(ctx: click.Context, machine: str, site_file: Path | None) -> None:
    """Let cells have a MACHINE again.

    It was in quarantine, or kept as a failed cell left it.

    \b
    Examples:
      wincompat leases release win10-22h2-01
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    with _known(ctx, site_file) as known:
        key = known.key(machine)
        why = release(known.store, key)
        if why is None:
            click.echo(f"{key.machine} is neither in quarantine nor kept")
            ctx.exit(NOTHING_TO_DO)
        click.echo(f"{key.machine} is released; it was put away because: {why}")


@leases.command()
@click.argument("machine")
@click.option("--reason", required=True, help="Why, for those who look at it later.")
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), help="For how long; until released by default.")
@_site_option
@click.pass_context
def quarantine(ctx: click.Context, machine: str, reason: str, hours: float | None, site_file: Path | None) -> None:
    """Keep a MACHINE from cells.

    One that has it goes on with it. A machine that no cell has ever used is known by its site file only: name that
    with --site.

    \b
    Examples:
      wincompat leases quarantine win10-22h2-01 --reason "disk is being replaced"
      wincompat leases quarantine win10-22h2-01 --reason "backup" --hours 2 --site fixtures/sites/ours.toml
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    if not reason.strip():
        raise click.BadParameter("say why, for those who look at it later", param_hint="--reason")
    with _known(ctx, site_file) as known:
        key = known.key(machine)
        put_away(known.store, key, reason, None if hours is None else hours * 3600)
        until = "it is released" if hours is None else f"{hours:g} hours have passed"
        click.echo(f"{key.machine} is in quarantine until {until}")


def _lines(store: Store, now: float, found: Sequence[Standing], waits: Sequence[Waiting]) -> Iterator[str]:
    if not found:
        yield f"no machine was ever leased in {store.shown}"
        return
    several = len({one.vcenter for one in found}) > 1
    rows = [["machine", "state", "since", "until", "holder or reason", *(["vCenter"] if several else [])]]
    for one in found:
        rows += [[one.machine, *row, *([one.vcenter] if several else [])] for row in _rows(one, now)]
    yield from table(rows)
    for wait in waits:
        among = wait.wants[0] if len(wait.wants) == 1 else f"any of {len(wait.wants)} machines"
        yield f"waiting since {clock_time(wait.since)}: {wait.holder} ({wait.controller}) for {among}"


def _rows(one: Standing, now: float) -> Iterator[list[str]]:
    """Give a row for what is true of a machine: it may be leased and in quarantine at once."""
    if one.held(now):
        kept = one.kept is not None
        whose = f"{one.holder} ({one.controller})"
        words = f"{one.kept}; {whose}" if kept else whose
        yield ["kept" if kept else "leased", clock_time(one.since), clock_time(one.expires), words]
    if one.in_quarantine(now):
        until = clock_time(one.quarantined_until) if one.quarantined_until else "released"
        yield ["quarantine", clock_time(one.quarantined_since), until, one.quarantined or ""]
    if one.free(now):
        yield ["free", clock_time(one.used) if one.used else "-", "-", ""]


def _state(one: Standing, now: float) -> str:
    return next(_rows(one, now))[0]


def _in_utc(row: dict[str, Any]) -> dict[str, Any]:
    times = ("since", "expires", "used", "quarantined_since", "quarantined_until")
    return {
        name: datetime.fromtimestamp(value, UTC).isoformat() if name in times and value else value
        for name, value in row.items()
    }
