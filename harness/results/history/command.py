"""``wincompat history``: keep runs, list them, ask about them, let old ones go."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from harness.options import runs_option
from harness.results.history.opening import opened
from harness.table import table

if TYPE_CHECKING:
    import pandas as pd

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _at(command: _Command) -> _Command:
    return click.option(
        "--at",
        "url",
        metavar="URL",
        envvar="WINCOMPAT_HISTORY",
        show_envvar=True,
        default="build/history",
        show_default=True,
        help="A folder, or s3://..., gs://..., abfs://... (with s3fs, gcsfs or adlfs installed).",
    )(command)


@click.group()
def history() -> None:
    """Keep runs as Parquet, in a folder or a bucket, for as long as you like, and ask about them.

    Tables: runs (one row for each run), cells, steps, timings (steps that ended well, named alike in all runs).
    Several controllers may write at once. Exit codes: 0 done; 2 wrong usage; 4 a file, URL or query is wrong.

    \b
    Examples:
      wincompat history add                                  every run below build/runs
      wincompat history add build/runs/NAME old.jsonl --at s3://ours/wincompat
      wincompat history list
      wincompat history query "select build, avg(seconds) from cells where verdict = 'passed' group by build"
      wincompat history prune --days 400
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b


@history.command()
@click.argument("named", nargs=-1, metavar="RUN...")
@runs_option
@_at
def add(named: tuple[str, ...], runs: Path, url: str) -> None:
    """Put runs into the history: folders, folders of runs, names, or journals of any age; all below --runs by default.

    A run that is there already is not written again; one that has grown since is, or that `wincompat gate` has judged.

    \b
    Examples:
      wincompat history add
      wincompat history add latest --at s3://ours/wincompat
      wincompat history add archive/2024/*.jsonl                journals that lie alone, without a plan
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    kept = opened(url)
    from harness.results.history.rows import rows, sources

    found = sources(named, parent=runs)
    added = 0
    for source in found:
        frames = rows(source)
        if kept.put(frames):
            added += 1
            click.echo(f"added {source.run}: {len(frames['cells'])} cells, {len(frames['steps'])} steps")
    click.echo(f"{added} added, {len(found) - added} already there")


@history.command(name="list")
@click.option("--last", type=click.IntRange(0), default=30, show_default=True, help="Only the newest ones; 0: all.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@_at
def list_(last: int, as_json: bool, url: str) -> None:
    """List the runs of the history, oldest first, with what a gate decided of them where it did before they were added.

    \b
    Examples:
      wincompat history list --last 0 --json
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    kept = opened(url)
    runs, cells = kept.runs(), kept.table("cells")
    passed = cells[cells["verdict"].isin(["passed", "flaky"])].groupby("run").size()
    shown = runs.tail(last) if last else runs
    if as_json:
        _print_json(shown.assign(passed=shown["run"].map(passed).fillna(0).astype("int64")))
        return
    if not len(runs):
        click.echo(f"no run in {url} yet; put some in with: wincompat history add")
        return
    from harness.results.history.before import kept as read

    lines = [["began (UTC)", "run", "matrix", "site", "cells", "passed", "gate"]]
    for row, one in zip(_records(shown), read(shown), strict=True):
        site = f"{row['site']} (lab)" if row["is_lab"] else row["site"]
        cells_of_it = str(max(row["planned"], row["results"]))
        began = f"{row['at']:%Y-%m-%d %H:%M}"
        gate = one.decided.short if one.decided is not None else "-"
        lines.append([began, row["run"], row["matrix"], site, cells_of_it, str(passed.get(row["run"], 0)), gate])
    for line in table(lines):
        click.echo(line)


@history.command()
@click.argument("sql")
@click.option("--json", "output", flag_value="json", help="Print JSON.")
@click.option("--csv", "output", flag_value="csv", help="Print CSV.")
@_at
def query(sql: str, output: str | None, url: str) -> None:
    """Ask the history in SQL (DuckDB's): tables runs, cells, steps, timings; began is when a run did.

    \b
    Examples:
      wincompat history query "select cell, count(*) from cells where verdict = 'failed' group by cell order by 2 desc"
      wincompat history query "select began, run, reason from cells where fingerprint = 'a1b2c3d4e5' order by began"
      wincompat history query "from timings where role = 'install {version}'" --csv > installs.csv
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    kept = opened(url)
    from harness.results.history.query import query as ask

    answer = ask(kept, sql)
    if output == "json":
        _print_json(answer)
    elif output == "csv":
        click.echo(answer.to_csv(index=False), nl=False)
    else:
        for line in table([[str(name) for name in answer.columns], *_words(answer)] if len(answer.columns) else []):
            click.echo(line)


@history.command()
@click.option("--days", type=click.FloatRange(min=0, min_open=True), help="Let runs go that are older.")
@click.option("--at-most", type=click.IntRange(1), metavar="N", help="Keep the newest N of each matrix and site.")
@click.option("--dry-run", is_flag=True, help="Only say which.")
@_at
def prune(days: float | None, at_most: int | None, dry_run: bool, url: str) -> None:
    """Let old runs go. The newest run of each matrix and site always stays, and the newest that shipped.

    \b
    Examples:
      wincompat history prune --days 400 --dry-run
      wincompat history prune --at-most 200
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    if days is None and at_most is None:
        raise click.UsageError("say what may go: --days or --at-most")
    kept = opened(url)
    from harness.results.history.retention import outdated

    gone = outdated(kept.runs(), now=datetime.now(UTC), days=days, at_most=at_most)
    for run in gone:
        if not dry_run:
            kept.remove(run)
        click.echo(f"{'would remove' if dry_run else 'removed'} {run}")
    click.echo(f"{len(gone)} {'would go' if dry_run else 'gone'}")


@history.command()
@_at
def migrate(url: str) -> None:
    """Rewrite what older versions wrote, so that it need not be done at each reading.

    \b
    Examples:
      wincompat history migrate --at s3://ours/wincompat
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    click.echo(f"{opened(url).migrate()} files rewritten")


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _words(frame: pd.DataFrame) -> list[list[str]]:
    missing = frame.isna().to_numpy()
    return [
        ["" if gone else str(value) for value, gone in zip(row.values(), lacks, strict=True)]
        for row, lacks in zip(_records(frame), missing, strict=True)
    ]


def _print_json(frame: pd.DataFrame) -> None:
    plain = frame.to_json(orient="records", date_format="iso", date_unit="us", force_ascii=False)
    click.echo(json.dumps(json.loads(plain or "[]"), indent=1, ensure_ascii=False))
