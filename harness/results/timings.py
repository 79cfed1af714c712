"""The steps of many runs as one pandas frame: what timing regressions are looked for in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from harness.results.frames import MOMENT, build_name, in_utc
from harness.results.journal import read
from harness.results.plan import Plan
from harness.results.result import Result
from harness.results.run import RunFolder

_VERSION = re.compile(r"\d+(?:\.\d+)+(?:[-+~.]?[0-9A-Za-z]+)*")
_NAMED = re.compile(r"(\d{8}T\d{6})\.")

TIMINGS: dict[str, Any] = {
    "run": "string",
    "at": MOMENT,  # when the run began
    "build": "string",
    "build_name": "string",
    "product": "string",
    "version": "string",  # the newest of the product that the run saw; "" where no version was named
    "scenario": "string",
    "leg": "string",  # with {version} for the newest and {previous} for the one before it: the same from run to run
    "machine": "string",
    "step": "string",  # as the run called it: "install 1.13.0"
    "role": "string",  # as it is called in every run: "install {version}"
    "seconds": "float64",
}


def timings(runs: Iterable[RunFolder]) -> pd.DataFrame:
    """Lay out one row for each step that ended well, of each run, oldest run first.

    Columns are those of ``TIMINGS``. Raises AuthoringError when a journal cannot be read.
    """
    return laid_out((run, run.read_plan()[0], read(run.journal_file).results) for run in runs)


def laid_out(runs: Iterable[tuple[RunFolder, Plan | None, Sequence[Result]]]) -> pd.DataFrame:
    """Do the same with runs whose plan and results were read already."""
    rows = [row for run, plan, results in runs for row in _rows(run, plan, results)]
    frame = pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=dtype) for name, dtype in TIMINGS.items()})
    return frame.sort_values(["at", "run"], kind="stable", ignore_index=True)


def began(run: RunFolder, plan: Plan | None, results: Iterable[Result]) -> datetime:
    """Tell when a run began: by its plan, its first cell, its name, or, at the very last, its folder's age."""
    moments = [moment for result in results if (moment := in_utc(result.started))]
    if plan is not None and plan.started is not None:
        return in_utc(plan.started) or plan.started
    if moments:
        return min(moments)
    if named := _NAMED.match(run.run):
        return datetime.strptime(named[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return datetime.fromtimestamp(run.path.stat().st_mtime, UTC)


def newest_first(versions: Iterable[str]) -> list[str]:
    """Sort versions by their numbers: 1.10 is newer than 1.9."""
    return sorted(set(versions), key=lambda it: [int(part) for part in re.findall(r"\d+", it)], reverse=True)


def roles(said: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Call each text of a product (its step, its leg) as it is called in every run; a pair is (product, text)."""
    pairs = dict.fromkeys(said)
    seen: dict[str, set[str]] = {}
    for product, text in pairs:
        seen.setdefault(product, set()).update(_VERSION.findall(text))
    versions = {product: newest_first(found) for product, found in seen.items()}
    return {(product, text): _role(text, versions[product]) for product, text in pairs}


def _rows(run: RunFolder, plan: Plan | None, results: Sequence[Result]) -> Iterator[dict[str, Any]]:
    at = began(run, plan, results)
    seen: dict[str, set[str]] = {}
    for result in results:
        words = [result.leg, *(step.name for step in result.steps)]
        seen.setdefault(result.product, set()).update(found for text in words for found in _VERSION.findall(text))
    versions = {product: newest_first(found) for product, found in seen.items()}
    for result in results:
        of_product = versions[result.product]
        for step in result.steps:
            if step.error is None and step.seconds > 0:
                yield {
                    "run": run.run,
                    "at": at,
                    "build": result.build,
                    "build_name": build_name(result.build),
                    "product": result.product,
                    "version": of_product[0] if of_product else "",
                    "scenario": result.scenario,
                    "leg": _role(result.leg, of_product),
                    "machine": result.machine,
                    "step": step.name,
                    "role": _role(step.name, of_product),
                    "seconds": step.seconds,
                }


def _role(text: str, versions: list[str]) -> str:
    """Call a step the same in every run: the newest version and the one before it move on with the product."""
    roles = dict(zip(versions, ("{version}", "{previous}"), strict=False))
    return _VERSION.sub(lambda found: roles.get(found[0], found[0]), text)


def find_runs(named: Iterable[str], *, parent: Path = Path("build/runs"), last: int = 0) -> list[RunFolder]:
    """Open runs by name; without names, the ``last`` ones (0: all) below ``parent``, oldest first.

    A folder that holds runs stands for all of them. Raises AuthoringError for one that is not there.
    """
    found: dict[Path, RunFolder] = {}
    for word in named:
        below = [] if (Path(word) / "journal.jsonl").exists() else sorted(Path(word).glob("*/journal.jsonl"))
        for run in [RunFolder(file.parent.resolve()) for file in below] or [RunFolder.find(word, parent=parent)]:
            found[run.path] = run
    if not found:
        found = {file.parent: RunFolder(file.parent.resolve()) for file in sorted(parent.glob("*/journal.jsonl"))}
    runs = list(found.values())
    return runs[-last:] if last else runs
