"""``wincompat report RUN``."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from harness.options import history_option, runs_option, theme_option


@click.command(
    name="report",
    short_help="Make a run's HTML report again from its journal.",
    epilog="Examples:  wincompat report latest --open   |   wincompat report build/runs/NAME --output out.html",
)
@click.argument("run", default="latest")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write here, not in the run's folder.")
@click.option("--single-file", is_flag=True, help="Pack the evidence into the page, for a report that travels alone.")
@click.option("--pdf", is_flag=True, help="Print it, too: report.pdf beside the page, by Chromium.")
@click.option("--before", multiple=True, metavar="RUN", help="Compare with this run; may be given several times.")
@click.option("--release", metavar="RUN", help="Compare with this run as the last release.")
@history_option
@click.option("--costs", type=click.Path(path_type=Path), help="The site's own numbers (default: fixtures/costs.toml).")
@click.option("--open", "opened", is_flag=True, help="Show the report in the browser.")
@runs_option
@theme_option
def command(
    run: str,
    output: Path | None,
    single_file: bool,
    pdf: bool,
    before: tuple[str, ...],
    release: str | None,
    history: str | None,
    costs: Path | None,
    opened: bool,
    runs: Path,
    theme: Path,
) -> None:
    """Make the HTML report of RUN again, from its journal alone.

    RUN is a run's folder, its journal, its name, or "latest". Without --before and --release it is compared with the
    runs of the same matrix that lie beside it and, with --history, with those that are kept there.

    Exit codes: 0 done; 2 wrong usage; 4 a run, a history, a template or the costs cannot be read.
    """
    # imported here: they bring pandas and jinja2, which no other subcommand needs
    from harness.report.choosing import runs_to_compare
    from harness.report.page import write_report
    from harness.report.pdf import write_pdf
    from harness.results.costs import numbers_of
    from harness.results.run import RunFolder
    from harness.results.words import count

    folder = RunFolder.find(run, parent=runs)
    earlier = runs_to_compare(folder, runs=runs, history=history or "", before=before, release=release or "")
    report = write_report(
        folder.path,
        output=output,
        overrides=theme,
        earlier=earlier,
        single_file=single_file,
        costs=costs or numbers_of(Path()),
    )
    if history:
        found = count(len(earlier or ()), "earlier run")
        click.echo(f"compared with {found} of its matrix, as {history} and the folder keep them")
    click.echo(f"report: {report}")
    if pdf:
        click.echo(f"PDF: {write_pdf(report, report.with_suffix('.pdf'))}")
    if opened:
        webbrowser.open(report.resolve().as_uri())
