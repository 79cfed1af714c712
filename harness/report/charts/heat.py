"""Scenario by build: how many cells passed, and how long they took; a table whose squares carry colour and number."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from harness.report.coverage import RUN
from harness.report.marks import build_names, build_order
from harness.results import words
from harness.results.result import Verdict

_MOST_ROWS = 40


@dataclass(frozen=True, slots=True)
class Spot:
    """One square: ``level`` 0 (good, quick) to 6 (bad, slow), what it says, and the rest of it for who asks."""

    level: int
    said: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatRow:
    """A scenario: its squares of verdicts and of seconds, one for each build; None where nothing was planned or run."""

    scenario: str
    verdicts: tuple[Spot | None, ...]
    seconds: tuple[Spot | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatView:
    """Two heat maps over the same builds and scenarios."""

    builds: tuple[str, ...]
    rows: tuple[HeatRow, ...]
    more: int


def heat_view(cells: pd.DataFrame) -> HeatView | None:
    """Lay out both; None where there is nothing to compare: fewer than two builds or no scenario."""
    builds = build_order(cells)
    if len(builds) < 2:
        return None
    names = build_names(cells)
    judged = cells[cells["verdict"] != Verdict.SKIPPED.value]
    good = judged["verdict"].isin([Verdict.PASSED.value, Verdict.FLAKY.value])
    planned = judged.groupby(["scenario", "build"], sort=False).size()
    passed = good.groupby([judged["scenario"], judged["build"]], sort=False).sum()
    ran = cells[cells["verdict"].isin(RUN) & (cells["steps"] > 0) & (cells["seconds"] < math.inf)]
    medians = ran.groupby(["scenario", "build"], sort=False)["seconds"].median()
    quickest = medians.groupby(level="scenario").min()
    scenarios = [str(scenario) for scenario in cells["scenario"].unique()]
    rows = []
    for scenario in scenarios[:_MOST_ROWS]:
        least = float(quickest.get(scenario, 0.0))
        places = [(scenario, build) for build in builds]
        rows.append(
            HeatRow(
                scenario=scenario,
                verdicts=tuple(
                    _verdicts(int(passed[place]), int(planned[place])) if place in planned.index else None
                    for place in places
                ),
                seconds=tuple(
                    _seconds(float(medians[place]), least) if place in medians.index else None for place in places
                ),
            )
        )
    return HeatView(builds=tuple(names[build] for build in builds), rows=tuple(rows), more=len(scenarios) - len(rows))


def _verdicts(passed: int, planned: int) -> Spot:
    share = passed / planned
    level = 0 if passed == planned else min(6, 1 + math.floor((1 - share) * 6))
    percent = "all" if passed == planned else "none" if not passed else f"{min(99, max(1, round(100 * share)))} %"
    return Spot(level, percent, f"{passed:,} of {planned:,} passed")


def _seconds(median: float, least: float) -> Spot:
    times = median / least if least > 0 else 1.0
    level = min(6, max(0, math.floor(math.log(times, 1.15)))) if times > 0 else 0
    return Spot(level, words.seconds(median), f"{times:.2f} times the quickest build")
