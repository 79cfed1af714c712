"""``wincompat bisect``: the first bad version of a product, or the first bad build for it."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.errors import AuthoringError

if TYPE_CHECKING:
    from harness.bisect.asked import Asked
    from harness.bisect.candidates import Row
    from harness.bisect.record import BisectFolder
    from harness.bisect.telling import Conclusion

LAB = "lab"

ASKED_ANEW = frozenset({"at_most", "budget", "confidence"})
"""What may change when a bisection is resumed: what is enough, not what was seen."""


@click.command(name="bisect")
@click.argument("matrix", type=click.Path(path_type=Path), required=False)
@click.option("--over", type=click.Choice(["versions", "builds"]), help="What the candidates are.  [default: versions]")
@click.option("--product", metavar="NAME", help="The product; needed where the matrix has several.")
@click.option("--build", metavar="BUILD", help="The build to try versions on: 22631, win11-23h2, 22631.4037.")
@click.option("--version", metavar="VERSION", help="The version to try on builds; the newest by default.")
@click.option("--scenario", metavar="NAME", help="The scenario that fails.  [default: install]")
@click.option(
    "--from",
    "from_version",
    metavar="VERSION",
    help="Where upgrades start from; the product's oldest version by default.",
)
@click.option("--good", metavar="CANDIDATE", help="The good end; the oldest candidate by default.")
@click.option("--bad", metavar="CANDIDATE", help="The bad end; the newest candidate by default.")
@click.option(
    "--site", metavar="FILE|lab", help="As pytest's --site. With --over builds, its machines' revisions count."
)
@click.option("--confidence", type=click.FloatRange(0.5, 0.9999), help="How sure to be.  [default: 0.95]")
@click.option(
    "--noise", type=click.FloatRange(0.001, 0.4), help="Which part of the cells you expect to deceive.  [default: 0.05]"
)
@click.option(
    "--budget",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="How long one cell may take in all, its wait for a machine included; it tells nothing then.  [default: 14400]",
)
@click.option("--at-most", type=click.IntRange(2, 10_000), metavar="N", help="Cells to spend at most.  [default: 60]")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("build/bisects"),
    show_default=True,
    help="Receives a folder for each bisection, with the runs of its cells.",
)
@click.option("--resume", type=click.Path(path_type=Path), metavar="FOLDER", help="Go on with one that was stopped.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the answer as JSON; how it goes is told on standard error."
)
def command(matrix: Path | None, folder: Path, resume: Path | None, as_json: bool, **words: Any) -> None:
    """Find the first bad version of a product on a build, or (--over builds) the first bad build for a version.

    The candidates are the versions in the product's file between --good and --bad, or the builds of MATRIX; a build of
    which any revision will do counts once for each revision that the site's machines have. Each is tried by its real
    cell, run by pytest; the number of cells grows with the logarithm of theirs. Either end may be the older one.

    \b
    What a cell tells:
      good      it passed
      bad       the product failed or hung, in the same way (fingerprint) as the first bad one that was seen
      nothing   it was blocked, or failed in another way. It is run a second time, on another machine where the site
                has one, and then the candidate is left out; where it lay next to the turn, the answer is a range.

    \b
    What "sure" means: the probability, after all cells seen, that the turn lies exactly there. Every place it may be
    at is weighed by how well it explains what was seen (Bayes' rule). How often cells deceive, a good one that fails
    or a bad one that passes by chance, is learned from the cells themselves, beginning with --noise, for each of the
    two kinds alone. So each side of the turn is run again until it is sure: with the default twice, more where cells
    contradict each other. It assumes that there is one turn, and that cells deceive independently of each other: what
    deceives always in the same way, such as one broken machine, no repetition finds out. Two ends that are alike end
    it after two cells; above --noise 0.05 they are repeated first.

    \b
    Exit codes: 0 found; 1 nothing to find, all are good or all are bad; 2 wrong usage; 3 nothing could be tried; 4 a
    file or a word is wrong; 5 found but for candidates that told nothing (a range); 6 not sure within --at-most cells;
    130 stopped by Ctrl-C, after which --resume goes on where it was.

    \b
    Examples:
      wincompat bisect matrices/go.toml --product go --build 22631
      wincompat bisect matrices/go.toml --product go --build 22631 --good 1.21.13 --bad 1.23.9 --scenario upgrade
      wincompat bisect matrices/demo.toml --over builds --product ninja-windows11
      wincompat bisect matrices/go.toml --build 22631 --noise 0.2 --confidence 0.99     it fails now and then only
      wincompat bisect --resume build/bisects/20261122T101500Z-1a2b
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    given = {name: value for name, value in words.items() if value is not None}
    bisection, row = _resumed(resume, matrix, given) if resume is not None else _begun(folder, matrix, given)
    conclusion = _concluded(bisection, row, to_stderr=as_json)
    if as_json:
        click.echo(json.dumps(conclusion.as_json(), indent=1, ensure_ascii=False))
    else:
        for line in conclusion.lines():
            click.echo(line)
    sys.exit(conclusion.exit_code)


# imported in the functions below: `wincompat bisect --help` needs none of it


def _begun(folder: Path, matrix: Path | None, given: dict[str, Any]) -> tuple[BisectFolder, Row]:
    from harness.bisect.asked import Asked
    from harness.bisect.record import BisectFolder

    if matrix is None:
        raise click.UsageError("name a matrix, or a bisection to --resume")
    if given.get("site") not in (None, LAB):
        given["site"] = str(Path(given["site"]).absolute())
    asked = Asked(matrix=matrix.absolute(), **given)
    row = _row(asked, Path.cwd())
    return BisectFolder.create(folder, asked, row), row


def _resumed(resume: Path, matrix: Path | None, given: dict[str, Any]) -> tuple[BisectFolder, Row]:
    from harness.bisect.record import BisectFolder

    if others := sorted(set(given) - ASKED_ANEW):
        raise click.UsageError(f"--resume goes on with what was asked; --{others[0].replace('_', '-')} cannot change")
    if matrix is not None:
        raise click.UsageError("--resume knows its matrix; leave it out")
    bisection = BisectFolder.open(resume)
    bisection.ask(**given)
    row = _row(bisection.record.asked, bisection.record.folder)
    labels = tuple(one.label for one in row.candidates)
    if labels != bisection.record.candidates:
        raise AuthoringError(
            f"{resume}: by now the candidates are others ({', '.join(labels)}), for the matrix, product or site file "
            "has changed; begin anew"
        )
    return bisection, row


def _row(asked: Asked, started_in: Path) -> Row:
    from harness.bisect.candidates import row_of
    from harness.running_lab import lab_that_is_up
    from harness.site import read_site

    place = None
    if asked.site is not None:
        place = Path(asked.site) if asked.site != LAB else lab_that_is_up() if asked.over == "builds" else None
    return row_of(asked, None if place is None else read_site(place), started_in=started_in)


def _concluded(bisection: BisectFolder, row: Row, *, to_stderr: bool) -> Conclusion:
    from harness.bisect.conduct import Voice, conduct
    from harness.bisect.probing import run
    from harness.bisect.telling import Conclusion

    def tell(words: str) -> None:
        click.echo(f"\n{words}", err=True)

    voice = Voice(
        begin=lambda words: click.echo(words, nl=False, err=to_stderr),
        end=lambda words: click.echo(words, err=to_stderr),
    )
    asked = bisection.record.asked
    cell = partial(run, bisection=bisection.path, started_in=bisection.record.folder, within=asked.budget, tell=tell)
    try:
        return Conclusion(bisection, row, conduct(bisection, row, cell, voice))
    except BaseException:
        tell(f"nothing is lost; go on with: wincompat bisect --resume {bisection.path}")
        raise
