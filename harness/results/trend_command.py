"""``wincompat trend``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.options import runs_option

if TYPE_CHECKING:
    import pandas as pd

    from harness.results.costs import Cost, Costs
    from harness.results.regressions import Course
    from harness.results.run import RunFolder
    from harness.results.trends import Trend

BARS = "▁▂▃▄▅▆▇█"
SHOWN = 15  # runs on the terminal; --json has all


@click.command(
    name="trend",
    short_help="Print how runs went over time: pass rate, time, flakiness, regressions.",
)
@click.argument("named", nargs=-1, metavar="RUNS...")
@runs_option
@click.option("--last", type=click.IntRange(0), default=100, show_default=True, help="Only the last ones; 0: all.")
@click.option("--effect", type=click.FloatRange(0, 10), default=0.05, show_default=True, help="The least to tell.")
@click.option("--history", metavar="URL", help="Take the runs that `wincompat history` keeps there instead.")
@click.option("--costs", type=click.Path(path_type=Path), help="The site's own numbers, to reckon the cost with.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(
    named: tuple[str, ...],
    runs: Path,
    last: int,
    effect: float,
    history: str | None,
    costs: Path | None,
    as_json: bool,
) -> None:
    """Print how RUNS went over time, and which steps became slower, since when and where.

    RUNS are folders of runs, folders that hold runs, or names; without them, all below --runs.

    \b
    Examples:
      wincompat trend                                       all runs below build/runs
      wincompat trend nightly/ --last 60 --json             the last 60 runs below nightly/, for another program
      wincompat trend --history s3://ours/wincompat         the runs that are kept there
      wincompat trend --costs fixtures/costs.toml           with machine hours and what testing by hand would take

    A step is called slower or faster when that is proven (Student's t and Mann-Whitney, corrected for all steps, at
    most 1 % false) and at least --effect (0.05: 5 %); 13 runs are the least that says anything. The speed of the
    machine is taken out by the steps before the product comes. Exit code 0, whatever is found: wincompat gate decides.
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    from harness.results.costs import read_costs
    from harness.results.timings import find_runs, timings
    from harness.results.trends import trend

    if history is not None:
        if named or costs is not None:
            raise click.UsageError("--history has runs of its own, and knows no costs: leave out RUNS and --costs")
        _of_history(history, last, effect, as_json)
        return
    known = read_costs(costs) if costs is not None else None
    folders = find_runs(named, parent=runs, last=last)
    if not folders:
        click.echo(f"{runs}: no run yet; start one with pytest and a matrix")
        return
    went = trend(folders)
    _tell(went, _regressions(timings(folders), effect), folders[-1], known, as_json=as_json)


def _of_history(url: str, last: int, effect: float, as_json: bool) -> None:
    from harness.results.history.opening import opened

    kept = opened(url)
    from harness.results.history.over_time import over_time

    went, steps = over_time(kept, last=last)
    if not went.runs:
        click.echo(f"{url}: no run yet; put some in with: wincompat history add")
        return
    _tell(went, _regressions(steps, effect), None, None, as_json=as_json)


def _tell(
    went: Trend,
    steps: tuple[list[Course], list[str]],
    newest: RunFolder | None,
    costs: Costs | None,
    *,
    as_json: bool,
) -> None:
    found, words = steps
    if as_json:
        click.echo(json.dumps(_plain(went, found, words, newest, costs), indent=1, default=str))
        return
    for line in _lines(went, words, newest, costs):
        click.echo(line)


def _regressions(steps: pd.DataFrame, effect: float) -> tuple[list[Course], list[str]]:
    from harness.errors import AuthoringError
    from harness.results.changes import Rules
    from harness.results.regressions import NEEDS, courses, in_words

    rules = Rules(effect=effect)
    try:
        found = courses(steps, rules)
    except AuthoringError as error:
        if str(error) != NEEDS:
            raise
        return [], [NEEDS]  # all the rest can be told without
    return found, in_words(found, rules) or ["no step became slower or faster"]


def _lines(went: Trend, words: list[str], newest: RunFolder | None, costs: Costs | None) -> Iterator[str]:
    from harness.results.trends import unsteady_in_words
    from harness.results.words import count, seconds

    shown = went.runs[-SHOWN:]
    yield f"{count(len(went.runs), 'run')}, {went.runs[0].at:%Y-%m-%d} to {went.runs[-1].at:%Y-%m-%d}"
    # a part of a matrix says nothing of the whole: it stands in the table, and moves no line
    whole = [one for one in went.runs if not one.narrowed]
    rates = [one.pass_rate for one in whole if one.pass_rate is not None]
    if rates:
        spread = f"{rates[-1]:.0%} now, {min(rates):.0%} to {max(rates):.0%}"
        yield f"pass rate  {_bars(rates[-60:], least=0.0, most=1.0)}  {spread}"
        taken = [one.elapsed for one in whole][-60:]
        yield f"time       {_bars(taken, least=0.0, most=max(taken))}  {seconds(taken[-1])} now"
    yield ""
    yield f"{'run':<28} {'passed':>13} {'flaky':>6} {'took':>12} {'machine hours':>14}"
    for one in shown:
        passed = f"{one.passed:,} of {one.judged:,}" if one.judged else "none judged"
        line = f"{one.run:<28.28} {passed:>13} {one.flaky:>6} {seconds(one.elapsed):>12} {one.machine_hours:>14.2f}"
        yield f"{line}  {one.narrowed}".rstrip()
    if len(whole) < len(went.runs):
        yield f"{count(len(went.runs) - len(whole), 'run')} of a part of the matrix: not in pass rate and time above"
    yield ""
    yield from words
    if went.unsteady:
        yield f"unsteady: {unsteady_in_words(went.unsteady)}"
    if costs is not None and newest is not None:
        yield f"cost of the latest run, {_cost_in_words(newest, costs)}"


def _cost(run: RunFolder, costs: Costs) -> Cost:
    from harness.results import journal
    from harness.results.costs import cost

    return cost(journal.read(run.journal_file).results, costs)


def _cost_in_words(run: RunFolder, costs: Costs) -> str:
    from harness.results.costs import cost_in_words

    return cost_in_words(_cost(run, costs))


def _bars(values: Sequence[float], *, least: float, most: float) -> str:
    span = (most - least) or 1.0
    return "".join(BARS[min(7, int(8 * (value - least) / span))] for value in values)


def _plain(
    went: Trend, found: list[Course], words: list[str], newest: RunFolder | None, costs: Costs | None
) -> dict[str, Any]:
    return {
        "runs": [{**asdict(one), "pass_rate": one.pass_rate} for one in went.runs],
        "unsteady": [asdict(one) for one in went.unsteady],
        "timings": {"words": words, "steps": [asdict(course) for course in found]},
        "cost": asdict(_cost(newest, costs)) if costs is not None and newest is not None else None,
    }
