"""``wincompat merge``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.options import RUNS, theme_option

if TYPE_CHECKING:
    from harness.matrix import Matrix


@click.command(name="merge")
@click.argument("shards", nargs=-1, required=True, metavar="SHARD...", type=click.Path(path_type=Path))
@click.option(
    "--runs",
    type=click.Path(path_type=Path),
    default=RUNS,
    show_default=True,
    help="Receives the folder of the merged run, which is then the latest.",
)
@click.option("--matrix", type=click.Path(path_type=Path), help="Plan its cells that no shard has planned: not run.")
@click.option("--report/--no-report", default=True, show_default=True, help="Make the report of the merged run.")
@theme_option
def command(shards: tuple[Path, ...], runs: Path, matrix: Path | None, report: bool, theme: Path) -> None:
    """Make one run out of the runs that several CI jobs left of one matrix, with all their evidence.

    A SHARD is a run's folder, or a folder that holds runs, as a CI system unpacks its jobs' artifacts. Of several
    results of one cell the latest counts. Name the --matrix, so that the cells of a job that never started are not
    run, instead of unknown. `wincompat gate` then decides about the whole.

    Exit codes: 0 done; 4 the shards are not parts of one run (another matrix, another package).

    \b
    Examples:
      wincompat merge artifacts/ --matrix matrices/release.toml
      wincompat merge job-1/build/runs job-2/build/runs --no-report
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    from harness.results.merge import merge
    from harness.results.run import RunFolder

    found = [folder for shard in shards for folder in _runs(shard)]
    merged = merge([RunFolder(folder.resolve()) for folder in found], into=runs, matrix=_read(matrix))
    for words in merged.said:
        click.echo(f"note: {words}")
    click.echo(f"{len(found)} shards merged into {merged.folder.path}")
    if report:
        from harness.report.page import write_report
        from harness.results.costs import numbers_of

        page = write_report(merged.folder.path, overrides=theme, costs=numbers_of(Path()))
        click.echo(f"report: {page}")


def _runs(shard: Path) -> list[Path]:
    from harness.results.run import RunFolder

    names = ("plan.json", "journal.jsonl")
    if any((shard / name).exists() for name in names) or not shard.is_dir():
        return [RunFolder.find(shard).path]
    below = sorted({file.parent for name in names for file in shard.rglob(name)})
    return below or [RunFolder.find(shard).path]


def _read(matrix: Path | None) -> Matrix | None:
    if matrix is None:
        return None
    from harness import authoring
    from harness.matrix import MatrixFile, read_matrix
    from harness.scenarios import SCENARIOS

    own = authoring.read(matrix, MatrixFile).scenarios
    # packages need not be here: what they are was checked where the shards ran
    return read_matrix(matrix, scenarios=[*SCENARIOS, *own], files=False, hashes=False)
