"""``wincompat report RUN``."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from harness.options import runs_option, theme_option


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
    opened: bool,
    runs: Path,
    theme: Path,
) -> None:
    """Make the HTML report of RUN again, from its journal alone.

    RUN is a run's folder, its journal, its name, or "latest". Without --before and --release it is compared with the
    runs of the same matrix that lie beside it.
    """
    # imported here: they bring pandas and jinja2, which no other subcommand needs
    from harness.report.earlier import earlier_run, runs_before, with_release
    from harness.report.page import write_report
    from harness.report.pdf import write_pdf
    from harness.results.run import RunFolder

    folder = RunFolder.find(run, parent=runs)
    asked = tuple(earlier_run(RunFolder.find(name, parent=runs)) for name in before)
    if release:
        released = earlier_run(RunFolder.find(release, parent=runs), called="release")
        asked = with_release(released, asked or runs_before(folder, folder.read_plan()[0]))
    report = write_report(folder.path, output=output, overrides=theme, earlier=asked or None, single_file=single_file)
    click.echo(f"report: {report}")
    if pdf:
        click.echo(f"PDF: {write_pdf(report, report.with_suffix('.pdf'))}")
    if opened:
        webbrowser.open(report.resolve().as_uri())
