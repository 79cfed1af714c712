"""``wincompat report RUN``."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click


@click.command(
    name="report",
    short_help="Make a run's HTML report again from its journal.",
    epilog="Examples:  wincompat report latest --open   |   wincompat report build/runs/NAME --output out.html",
)
@click.argument("run", default="latest")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write here, not in the run's folder.")
@click.option("--open", "opened", is_flag=True, help="Show the report in the browser.")
@click.option(
    "--runs",
    type=click.Path(path_type=Path),
    default=Path("build/runs"),
    show_default=True,
    help="Where runs are kept.",
)
@click.option(
    "--theme", type=click.Path(path_type=Path), default=Path("reports"), show_default=True, help="Template overrides."
)
def command(run: str, output: Path | None, opened: bool, runs: Path, theme: Path) -> None:
    """Make the HTML report of RUN again, from its journal alone.

    RUN is a run's folder, its journal, its name, or "latest".
    """
    # imported here: they bring pandas and jinja2, which no other subcommand needs
    from harness.report.page import write_report
    from harness.results.run import RunFolder

    report = write_report(RunFolder.find(run, parent=runs).path, output=output, overrides=theme)
    click.echo(f"report: {report}")
    if opened:
        webbrowser.open(report.resolve().as_uri())
