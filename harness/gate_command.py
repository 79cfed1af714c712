"""``wincompat gate``."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from harness.errors import AuthoringError
from harness.options import history_option, runs_option

FAULT = 70
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(name="gate", short_help="Ship or hold: judge a run by a policy.")
@click.argument("run", default="latest")
@click.option("--policy", type=_FILE, default=Path("gate.toml"), show_default=True, help="What a release must prove.")
@click.option("--waivers", type=_FILE, help="A file of waivers, beside the one that the policy names.")
@click.option("--artifact", "artifacts", type=_FILE, multiple=True, help="What is being released; may be repeated.")
@runs_option
@history_option
@click.option("--add", is_flag=True, help="Put the run, with what is decided of it, into the --history.")
@click.option("--json", "json_file", type=_FILE, help="Write gate.json here, not in the run's folder.")
@click.option("--junit", type=_FILE, help="Write JUnit XML.")
@click.option("--ctrf", type=_FILE, help="Write CTRF (common test report format).")
@click.option("--markdown", type=_FILE, help="Write Markdown for a job's summary.")
@click.option("--gitlab", type=_FILE, help="Write a GitLab code quality report.")
@click.option("--github", is_flag=True, help="Print GitHub annotations; append to the job's summary and outputs.")
@click.option("--azure", is_flag=True, help="Print Azure DevOps logging commands.")
@click.option("--report", is_flag=True, help="Make the run's HTML report again, with the decision on it.")
@click.option("--quiet", is_flag=True, help="Print the decision in one line.")
@click.pass_context
def command(ctx: click.Context, /, run: str, policy: Path, add: bool, report: bool, **options: Any) -> None:
    """Judge RUN (a run's folder, its name, or "latest") by a policy, and say every reason.

    \b
    Exit codes:
      0    ship
      1    hold
      2    wrong usage
      4    the policy or the waivers are wrong
      5    there is too little to judge by: no run, no plan, a journal, a history or an artifact that cannot be read
      70   a fault of the gate itself

    \b
    Examples:
      wincompat gate --policy gate.toml --artifact dist/mytool-1.4.0.msi
      wincompat gate build/runs/RUN --policy gate.toml --github --junit build/gate.xml
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    from harness.gate.gating import MISSING, Wanted, gate

    if add and not options["history"]:
        raise click.UsageError("--add needs a --history to put the run into")
    try:
        code = gate(run, policy, Wanted(**options), now=datetime.now().astimezone(), environment=os.environ)
    except (AuthoringError, click.ClickException):
        raise
    except Exception as error:  # noqa: BLE001 - a gate that broke must not be taken for one that holds, nor for one that ships
        words = " ".join(str(error).split())
        click.echo(f"the gate itself failed: {type(error).__name__}: {words}; nothing was decided", err=True)
        ctx.exit(FAULT)
    if add and code != MISSING:
        _add(run, options["runs"], options["history"])
    if report:
        _report(run, options["runs"], options["history"] or "")
    ctx.exit(code)


def _add(run: str, runs: Path, url: str) -> None:
    """Keep the run with its decision, which stands also where that cannot be."""
    from harness.results.history.adding import added
    from harness.results.run import RunFolder

    click.echo(added(RunFolder.find(run, parent=runs), url))


def _report(run: str, runs: Path, history: str) -> None:
    """Make the page again: it shows what was decided, and decides nothing itself, also where it cannot be made."""
    from harness.report.choosing import runs_to_compare
    from harness.report.page import write_report
    from harness.results.costs import numbers_of
    from harness.results.run import RunFolder

    try:
        folder = RunFolder.find(run, parent=runs)
        earlier = runs_to_compare(folder, runs=runs, history=history)
        page = write_report(folder.path, overrides=Path("reports"), earlier=earlier, costs=numbers_of(Path()))
    except AuthoringError as error:
        click.echo(f"no report: {error}", err=True)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the page, the gate has decided
        click.echo(f"no report: {type(error).__name__}: {' '.join(str(error).split())}", err=True)
    else:
        click.echo(f"report: {page}")
