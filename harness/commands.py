"""``wincompat builds`` and ``wincompat check``: what the harness knows, and what a matrix would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.builds import Release, catalog
from harness.errors import AuthoringError
from harness.table import table

if TYPE_CHECKING:
    from harness.matrix import Matrix

EDITIONS = {
    "home": "Home/Pro",
    "enterprise": "Enterprise/Education",
    "esu": "extended updates",
    "ltsc": "LTSC",
    "iot_ltsc": "IoT LTSC",
}


@click.command()
def builds() -> None:
    """Print the Windows builds that the harness knows, and whether each is supported today.

    \b
    Examples:
      wincompat builds
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    for line in table(list(_build_rows(datetime.now().astimezone().date()))):
        click.echo(line)


@click.command()
@click.argument("matrices", metavar="MATRIX...", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--files", is_flag=True, help="Also look for the packages and compare their SHA-256.")
@click.option("--scenario", "own", multiple=True, metavar="NAME", help="A scenario that your own plugin adds.")
@click.pass_context
def check(ctx: click.Context, matrices: tuple[Path, ...], files: bool, own: tuple[str, ...]) -> None:
    """Check matrix files and the products they name, and print how much each plans.

    Every mistake is a line; with one of them the exit code is 4. No machine is touched.

    \b
    Examples:
      wincompat check matrices/demo.toml
      wincompat check --files matrices/*.toml
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    from harness.matrix import TRIAGE_FILE, read_matrix
    from harness.scenarios import SCENARIOS
    from harness.triage import read_notes

    wrong = False
    for path in matrices:
        try:
            if path.name == TRIAGE_FILE:  # it lies beside matrices
                click.echo(f"{path}: {len(read_notes(path))} notes about failures")
                continue
            matrix = read_matrix(path, scenarios=[*SCENARIOS, *own], files=files, hashes=files)
        except AuthoringError as error:
            wrong = True
            for mistake in error.mistakes:
                click.echo(mistake, err=True)
            continue
        for line in plan_lines(matrix):
            click.echo(line)
    if wrong:
        ctx.exit(4)


def plan_lines(matrix: Matrix) -> Iterator[str]:
    """Say how many cells a matrix plans, in a table of builds and products."""
    cells = list(matrix.cells())
    skipped = sum(cell.skip is not None for cell in cells)
    yield f"{matrix.name}: {len(cells)} cells{f', {skipped} of them skipped' if skipped else ''}"
    counts = Counter((cell.build, cell.product) for cell in cells if cell.skip is None)
    rows = [["", *matrix.products, "all"]]
    for build in sorted(matrix.builds):
        row = [counts[build, product] for product in matrix.products]
        rows.append([f"{build.name} ({build})", *map(str, row), str(sum(row))])
    yield from (f"  {line}" for line in table(rows))
    today = datetime.now().astimezone().date()
    for issue in matrix.known_issues:
        if issue.expires < today:
            yield f"  known issue {issue.id} expired on {issue.expires} and no longer counts"


def support(release: Release, today: date) -> str:
    """Say whether a release is supported on a day, for the editions that most people have, and what lasts longer."""
    if today < release.released:
        return f"comes out on {release.released}"
    lasting = {edition: end for edition, end in release.end_of_service.items() if end >= today}
    usual = [edition for edition in ("home", "enterprise") if edition in lasting]
    others = [f"{EDITIONS[edition]} until {end}" for edition, end in lasting.items() if edition not in usual]
    if usual:
        words = "supported: " + ", ".join(f"{EDITIONS[edition]} until {lasting[edition]}" for edition in usual)
        return "; ".join([words, *others])
    ended = max(end for edition, end in release.end_of_service.items() if edition in ("home", "enterprise"))
    return "; ".join([f"ended on {ended}", *others])


def _build_rows(today: date) -> Iterator[list[str]]:
    yield ["build", "slug", "name", "released", f"support on {today}"]
    for release in catalog().values():
        yield [str(release.build), release.slug, release.name, str(release.released), support(release, today)]
