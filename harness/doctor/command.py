"""``wincompat doctor``: check the way from this controller to every machine of a site.

Exit codes: 0 nothing fails; 1 something fails; 2 wrong usage; 3 no such lab is up; 4 the site file is
wrong; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

from pathlib import Path

import click

from harness.doctor.check import Chosen
from harness.doctor.examination import Examination
from harness.doctor.showing import Showing
from harness.doctor.tables import EVERY
from harness.errors import HarnessError
from harness.mistakes import nearest
from harness.options import runs_option
from harness.running_lab import lab_that_is_up, site_file
from harness.site import Site, read_site

WITHIN, WITHIN_STARTING = 120.0, 1800.0


class _NoLab(HarnessError):
    """There is no site to look at."""


@click.command()
@click.argument("file", metavar="[SITE.toml]", type=click.Path(path_type=Path), required=False)
@click.option("--lab", is_flag=False, flag_value="lab", metavar="[NAME]", help="Look at a lab that is up.")
@click.option("--machine", "machines", multiple=True, metavar="NAME", help="Only this machine; repeatable.")
@click.option("--only", multiple=True, metavar="CHECK", help="Only this check, or all that begin so; repeatable.")
@click.option("--start", is_flag=True, help="Revert or clone each machine, as a cell would, and look into it.")
@click.option(
    "--within", type=click.FloatRange(1), metavar="SECONDS", help="For everything  [default: 120, 1800 with --start]"
)
@runs_option
@click.option("-q", "--quiet", is_flag=True, help="Show only what is not well.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def doctor(
    ctx: click.Context,
    file: Path | None,
    lab: str | None,
    machines: tuple[str, ...],
    only: tuple[str, ...],
    start: bool,
    within: float | None,
    runs: Path,
    quiet: bool,
    as_json: bool,
) -> None:
    """Check the way from here to every machine of a site, a line each with what to do about it.

    Without a site file, or with the word lab for it, it looks at the lab that is up. Nothing on the site is changed:
    machines that are off stay off and are skipped, unless --start is given, which reverts machines like a cell does
    (what they hold is lost), or clones them. A machine is leased while its guest is looked into, so that no run comes
    between.

    \b
    Exit codes: 0 nothing fails, 1 something fails, 2 wrong usage, 3 no lab is up, 4 the site file is wrong,
    130 stopped by Ctrl-C (what was found so far is shown).

    \b
    Examples:
      wincompat doctor fixtures/sites/ours.toml
      wincompat doctor fixtures/sites/ours.toml --start --machine win11-23h2-01
      wincompat doctor --lab --only guest --only snapshot
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    if file is not None and lab is not None:
        raise click.UsageError("name a site file or a lab, not both")
    site = read_site(site_file(file) if file is not None else _site_of_lab(lab))
    try:
        chosen = Chosen.of(EVERY, only)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--only") from error
    _require_machines(site, machines)
    wanted = set(machines)
    examination = Examination(
        site,
        chosen,
        runs,
        within=within or (WITHIN_STARTING if start else WITHIN),
        picks=lambda path: not wanted or bool({path, path.rpartition("/")[2]} & wanted),
        start=start,
    )
    ctx.exit(Showing(examination, quiet=quiet, as_json=as_json).run())


def _site_of_lab(name: str | None) -> Path:
    place = lab_that_is_up(name=name or "lab")
    if place is None:
        option = "" if name in (None, "lab") else f" --name {name}"
        raise _NoLab(f"no lab {name or 'lab'!r} is up; name a site file, or start the lab: wincompat lab up{option}")
    return place


def _require_machines(site: Site, machines: tuple[str, ...]) -> None:
    """Refuse a name that no entry of the file has, unless entries stand for machines that only the vCenter knows."""
    if any(not entry.path for entry in site.machines):
        return
    known = {name for entry in site.machines for name in (entry.path, entry.path.rpartition("/")[2])}
    for name in machines:
        if name not in known:
            short = sorted(known - {entry.path for entry in site.machines})
            raise click.BadParameter(f"no machine {name!r}; {nearest(name, short)}", param_hint="--machine")
