"""Seconds by scenario and build, and by step: what pandas says of the two frames."""

from __future__ import annotations

import math

import pandas as pd

from harness.report.cells import LETTERS
from harness.report.text import clipped
from harness.report.view import Dot, StepSum, StripGroup, StripRow, TimesView
from harness.results import words
from harness.results.result import Verdict

_MOST_STEPS = 12
_RUN = [Verdict.PASSED.value, Verdict.FAILED.value, Verdict.HUNG.value]


def times_view(cells: pd.DataFrame, steps: pd.DataFrame) -> TimesView:
    """Lay out the cells that were really run; blocked and skipped ones say nothing about the product's speed."""
    run = cells[cells["verdict"].isin(_RUN) & (cells["seconds"] > 0) & (cells["steps"] > 0)]
    finite = run[run["seconds"] < math.inf]
    scale = _Scale(finite["seconds"])
    groups = []
    for scenario, by_scenario in finite.groupby("scenario", sort=False):
        ordered = by_scenario.sort_values("build", key=lambda builds: pd.to_numeric(builds, errors="coerce"))
        rows = []
        for name, by_build in ordered.groupby("build_name", sort=False):
            dots = zip(by_build["seconds"], by_build["verdict"], strict=True)
            rows.append(
                StripRow(
                    build_name=str(name),
                    dots=tuple(Dot(at=scale.place(at), style=LETTERS[Verdict(verdict)]) for at, verdict in dots),
                    median=words.seconds(float(by_build["seconds"].median())),
                    slowest=words.seconds(float(by_build["seconds"].max())),
                    number=len(by_build),
                )
            )
        groups.append(StripGroup(scenario=str(scenario), rows=tuple(rows)))
    return TimesView(ticks=scale.ticks(), groups=tuple(groups), steps=_step_sums(steps))


def _step_sums(steps: pd.DataFrame) -> tuple[StepSum, ...]:
    sums = steps.groupby("step")["seconds"].agg(["count", "median", "sum"]).sort_values("sum", ascending=False)
    longest = float(sums["sum"].max()) if len(sums) else 0.0
    return tuple(
        StepSum(
            name=clipped(str(name), 200),
            number=int(row["count"]),
            median=words.seconds(float(row["median"])),
            total=words.seconds(float(row["sum"])),
            width=round(100 * float(row["sum"]) / longest, 1) if 0 < longest < math.inf else 0.0,
        )
        for name, row in sums.head(_MOST_STEPS).iterrows()
    )


class _Scale:
    """A logarithmic scale over some seconds: a cell that hung for minutes must not flatten all the others."""

    def __init__(self, seconds: pd.Series) -> None:
        low, high = (float(seconds.min()), float(seconds.max())) if len(seconds) else (0.1, 1.0)
        self.low = math.log10(max(low, 0.01)) - 0.05
        self.high = max(math.log10(max(high, 0.01)) + 0.05, self.low + 0.3)

    def place(self, seconds: float) -> float:
        """Tell where some seconds stand, in percent."""
        return round(100 * (math.log10(max(seconds, 0.01)) - self.low) / (self.high - self.low), 1)

    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Choose a few round numbers, with their places."""
        round_ones = [step * 10.0**power for power in range(-2, 6) for step in (1, 2, 5)]
        fitting = [(self.place(number), f"{number:g} s") for number in round_ones]
        inside = [tick for tick in fitting if 2 <= tick[0] <= 96]
        return tuple(inside[:: max(1, math.ceil(len(inside) / 5))])
