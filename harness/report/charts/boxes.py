"""How long the steps that cost most took on each build: boxes, or each cell as a dot where there are few."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.report.marks import LETTERS, build_order
from harness.report.text import clipped
from harness.results import words
from harness.results.result import Verdict

_MOST_STEPS = 6
_MOST_DOTS = 40


@dataclass(frozen=True, slots=True)
class Dot:
    """One cell on a scale of seconds: ``at`` in percent."""

    at: float
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Where the values of many cells lie: ends of the whiskers (5 and 95 of 100), quarters, middle; in percent."""

    low: float
    first: float
    middle: float
    third: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxRow:
    """A step on a build: a box or dots, and the numbers that they show."""

    build_name: str
    box: Box
    dots: tuple[Dot, ...]
    median: str
    spread: str
    slowest: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxGroup:
    """A step: its part of the run's time, and a row for each build."""

    step: str
    share: str
    rows: tuple[BoxRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxesView:
    """The steps that cost most, on one logarithmic scale; ``left_out`` steps cost less."""

    ticks: tuple[tuple[float, str], ...]
    groups: tuple[BoxGroup, ...]
    left_out: int


def boxes_view(steps: pd.DataFrame, cells: pd.DataFrame) -> BoxesView | None:
    """Lay out the steps of all cells that were really run; None where none was."""
    timed = steps[(steps["seconds"] > 0) & (steps["seconds"] < math.inf)]
    if timed.empty:
        return None
    sums = timed.groupby("step")["seconds"].sum().sort_values(ascending=False)
    costly = timed[timed["step"].isin(sums.index[:_MOST_STEPS])]
    verdicts = dict(zip(cells["cell"], cells["verdict"], strict=True)) if len(costly) <= 50_000 else {}
    names: dict[str, str] = dict(cells[["build", "build_name"]].drop_duplicates("build").itertuples(index=False))
    scale = _Scale(costly["seconds"])
    whole = float(sums.sum())
    groups = []
    for step in sums.index[:_MOST_STEPS]:
        own = costly[costly["step"] == step]
        by_build = dict(list(own.groupby("build", sort=False)))
        rows = [_row(str(names.get(build, build)), by_build[build], scale, verdicts) for build in build_order(own)]
        share = f"{100 * float(sums[step]) / whole:.0f} % of the time of all steps"
        groups.append(BoxGroup(step=clipped(str(step), 200), share=share, rows=tuple(rows)))
    return BoxesView(ticks=scale.ticks(), groups=tuple(groups), left_out=len(sums) - len(groups))


def _row(name: str, own: pd.DataFrame, scale: _Scale, verdicts: Mapping[str, str]) -> BoxRow:
    seconds = own["seconds"]
    places = [float(place) for place in np.quantile(seconds.to_numpy(), (0.05, 0.25, 0.5, 0.75, 0.95))]
    low, first, middle, third, high = map(scale.place, places)
    few = len(own) <= _MOST_DOTS
    dots = [
        Dot(scale.place(float(at)), LETTERS[Verdict(verdicts.get(cell, "passed"))])
        for at, cell in (zip(seconds, own["cell"], strict=True) if few else ())
    ]
    return BoxRow(
        build_name=name,
        box=Box(low=low, first=first, middle=middle, third=third, high=high),
        dots=tuple(dots),
        median=words.seconds(places[2]),
        spread=f"{words.seconds(places[1])} to {words.seconds(places[3])}",
        slowest=words.seconds(float(seconds.max())),
        number=len(own),
    )


class _Scale:
    """A logarithmic scale over some seconds: a cell that hung for minutes must not flatten all the others."""

    def __init__(self, seconds: pd.Series) -> None:
        low, high = float(seconds.min()), float(seconds.max())
        self.low = math.log10(max(low, 0.01)) - 0.05
        self.high = max(math.log10(max(high, 0.01)) + 0.05, self.low + 0.3)

    def place(self, seconds: float) -> float:
        """Tell where some seconds stand, in percent."""
        return round(100 * (math.log10(max(seconds, 0.01)) - self.low) / (self.high - self.low), 1)

    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Choose a few round numbers, with their places."""
        round_ones = [step * 10.0**power for power in range(-2, 6) for step in (1, 2, 5)]
        fitting = [(self.place(number), f"{number:g} s") for number in round_ones]
        inside = [tick for tick in fitting if 3 <= tick[0] <= 96]
        return tuple(inside[:: max(1, math.ceil(len(inside) / 5))])
