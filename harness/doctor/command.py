"""``wincompat doctor``: check the way from this controller to every machine of a site.

Exit codes: 0 nothing fails; 1 something fails; 2 wrong usage; 3 no such lab is up, or time ran out; 4 the
site file is wrong; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import click

from harness.doctor.check import Chosen
from harness.doctor.examination import Begun, Ended, Examination
from harness.doctor.finding import Finding, Mark
from harness.doctor.showing import section, summary
from harness.doctor.tables import EVERY
from harness.errors import HarnessError
from harness.mistakes import nearest
from harness.running_lab import lab_that_is_up
from harness.site import Site, read_site

WITHIN, WITHIN_STARTING = 120.0, 1800.0
FAILS, UNFINISHED, STOPPED = 1, 3, 130


class _NoLab(HarnessError):
    """There is no site to look at."""


@click.command()
@click.argument("file", metavar="[SITE.toml]", type=click.Path(path_type=Path), required=False)
@click.option("--lab", is_flag=False, flag_value="lab", metavar="[NAME]", help="Look at a lab that is up.")
@click.option("--machine", "machines", multiple=True, metavar="NAME", help="Only this machine; repeatable.")
@click.option("--only", multiple=True, metavar="CHECK", help="Only this check, or all that begin so; repeatable.")
@click.option("--start", is_flag=True, help="Revert and start each machine, as a cell would, and look into it.")
@click.option(
    "--within", type=click.FloatRange(1), metavar="SECONDS", help="For everything  [default: 120, 1800 with --start]"
)
@click.option("--runs", type=click.Path(path_type=Path), default=Path("build/runs"), help="Where runs are kept.")
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

    Without a site file it looks at the lab that is up. Nothing on the site is changed: machines that are off stay off
    and are skipped, unless --start is given, which reverts the machines like a cell does (what they hold is lost).
    A machine is leased while its guest is looked into, so that no run comes between.

    \b
    Exit codes: 0 nothing fails, 1 something fails, 2 wrong usage, 3 no lab is up or time ran out, 4 the site file is
    wrong, 130 stopped by Ctrl-C (what was found so far is shown).

    \b
    Examples:
      wincompat doctor fixtures/sites/ours.toml
      wincompat doctor fixtures/sites/ours.toml --start --machine win11-23h2-01
      wincompat doctor --lab --only guest --only snapshot
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    if file is not None and lab is not None:
        raise click.UsageError("name a site file or a lab, not both")
    site = read_site(file if file is not None else _site_of_lab(lab))
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
    ctx.exit(_Show(examination, quiet=quiet, as_json=as_json).run(site))


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


class _Show:
    """The findings on their way to the terminal: each subject when it is done, progress on a line of its own."""

    def __init__(self, examination: Examination, *, quiet: bool, as_json: bool) -> None:
        self._examination = examination
        self._quiet = quiet
        self._as_json = as_json
        self._under_way: dict[str, list[Finding]] = {}
        self._all: list[Finding] = []
        self._on_terminal = sys.stderr.isatty() and not as_json

    def run(self, site: Site) -> int:
        """Look at everything and show it; gives the exit code."""
        began = time.monotonic()
        stopped = False
        try:
            for told in self._examination.findings():
                match told:
                    case Begun(subject):
                        self._under_way[subject] = []
                    case Ended(subject):
                        self._print(subject)
                    case Finding():
                        self._under_way.setdefault(told.subject, []).append(told)
                        self._all.append(told)
                self._progress()
        except KeyboardInterrupt:
            stopped = True
        self._progress(over=True)
        unfinished = list(self._under_way)
        for subject in unfinished:
            self._print(subject)
        fails = any(found.answer.mark is Mark.FAIL for found in self._all)
        code = STOPPED if stopped else FAILS if fails else UNFINISHED if unfinished else 0
        line = summary(self._all, time.monotonic() - began)
        if stopped or unfinished:
            line += (
                f"; {'stopped' if stopped else 'no time left'} while looking at {', '.join(unfinished) or 'nothing'}"
            )
        if self._as_json:
            findings = [found.as_json() for found in self._all]
            told_so = {"site": site.name, "exit_code": code, "unfinished": unfinished, "findings": findings}
            click.echo(json.dumps(told_so, indent=2))
        else:
            click.echo(f"\n{line}")
        return code

    def _print(self, subject: str) -> None:
        findings = self._under_way.pop(subject)
        if self._as_json:
            return
        self._progress(over=True)
        for line in section(subject, findings, quiet=self._quiet):
            click.echo(line)

    def _progress(self, *, over: bool = False) -> None:
        if self._on_terminal:
            looking = ", ".join(self._under_way)
            words = "" if over or not looking else f"{len(self._all)} checks made; looking at {looking}"
            click.echo(f"\r\x1b[2K{words[:100]}", err=True, nl=False)
