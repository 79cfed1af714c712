"""How long the steps that cost most took on each build: a box of the runs before, and this run's cells marked on it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.report.changes import Earlier
from harness.report.marks import LETTERS, build_names, build_order
from harness.results import words
from harness.results.result import Verdict
from harness.results.text import clipped
from harness.results.timings import roles

TIMED = ("cell", "build", "product", "step", "seconds")
"""The columns of the steps that are looked at."""
_MOST_STEPS = 6
_MOST_DOTS = 40
_LEAST = 5  # values that a box can be drawn of


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
    """A step on a build: what it took in the runs before (``box``), in this one (``dots``, ``now``), and the numbers.

    Where there are too few runs before, the box is of this run's own cells, and ``before`` is "".
    """

    build_name: str
    box: Box
    now: float
    dots: tuple[Dot, ...]
    median: str
    before: str
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
    """The steps that cost most, on one logarithmic scale; ``left_out`` steps cost less, ``runs`` stand in the boxes."""

    runs: int
    ticks: tuple[tuple[float, str], ...]
    groups: tuple[BoxGroup, ...]
    left_out: int


def boxes_view(steps: pd.DataFrame, cells: pd.DataFrame, earlier: Sequence[Earlier] = ()) -> BoxesView | None:
    """Lay out the steps of all cells that were really run, beside the runs before; None where none was."""
    really = (steps["seconds"] > 0) & (steps["seconds"] < math.inf)
    timed = steps.loc[really, list(TIMED)]
    if timed.empty:
        return None
    # few names on very many rows: compared by their numbers
    timed = timed.astype({"build": "category", "product": "category", "step": "category"})
    timed = timed.assign(role=_roles_of(pd.Categorical(timed["product"]), pd.Categorical(timed["step"])))
    sums = timed.groupby("role", observed=True)["seconds"].sum().sort_values(ascending=False)
    most = [str(role) for role in sums.index[:_MOST_STEPS]]
    costly = timed[timed["role"].isin(most)]
    then = [each.times for each in earlier if each.times is not None and not each.times.empty]
    past = pd.concat(then, ignore_index=True) if then else None
    past = past[past["role"].isin(most)] if past is not None else None
    before = dict(list(past.groupby(["role", "build"], sort=False)["seconds"])) if past is not None else {}
    verdicts = dict(zip(cells["cell"], cells["verdict"], strict=True)) if len(costly) <= 50_000 else {}
    names = build_names(cells)
    scale = _Scale(costly["seconds"] if past is None else pd.concat([costly["seconds"], past["seconds"]]))
    whole = float(sums.sum())
    groups = []
    for role in most:
        own = costly[costly["role"] == role]
        by_build = dict(list(own.groupby("build", observed=True, sort=False)))
        rows = [
            _row(str(names.get(build, build)), by_build[build], before.get((role, build)), scale, verdicts)
            for build in build_order(own)
        ]
        share = f"{100 * float(sums[role]) / whole:.0f} % of the time of all steps"
        groups.append(BoxGroup(step=clipped(_called(role, own["step"]), 200), share=share, rows=tuple(rows)))
    return BoxesView(ticks=scale.ticks(), groups=tuple(groups), left_out=len(sums) - len(groups), runs=len(then))


def _roles_of(products: pd.Categorical, steps: pd.Categorical) -> pd.Categorical[str]:
    """Call what moves on with the product's versions one step: "install 1.12" then and "install 1.13" now."""
    count = len(steps.categories)
    places, pairs = pd.factorize(products.codes.astype(np.int64) * count + steps.codes)
    of, called = products.categories.tolist(), steps.categories.tolist()
    named = [(of[pair // count], called[pair % count]) for pair in pairs.tolist()]
    found = roles(named)
    return pd.Categorical([found[pair] for pair in named]).take(places)


def _called(role: str, steps: pd.Series) -> str:
    """Call a step as this run does, where it has one name for it."""
    names = steps.unique()
    if len(names) == 1:
        return str(names[0])
    return role.replace("{version}", "the newest version").replace("{previous}", "the version before")


def _row(name: str, own: pd.DataFrame, past: pd.Series | None, scale: _Scale, verdicts: Mapping[str, str]) -> BoxRow:
    seconds = own["seconds"]
    known = past is not None and len(past) >= _LEAST
    wide = past if known and past is not None else seconds
    low, first, middle, third, high = map(scale.place, _quantiles(wide))
    places = _quantiles(seconds)
    few = len(own) <= _MOST_DOTS
    dots = [
        Dot(scale.place(float(at)), LETTERS[Verdict(verdicts.get(cell, "passed"))])
        for at, cell in (zip(seconds, own["cell"], strict=True) if few else ())
    ]
    return BoxRow(
        build_name=name,
        box=Box(low=low, first=first, middle=middle, third=third, high=high),
        now=scale.place(places[2]),
        dots=tuple(dots),
        median=words.seconds(places[2]),
        before=words.seconds(_quantiles(wide)[2]) if known else "",
        spread=f"{words.seconds(places[1])} to {words.seconds(places[3])}",
        slowest=words.seconds(float(seconds.max())),
        number=len(own),
    )


def _quantiles(seconds: pd.Series) -> list[float]:
    return [float(place) for place in np.quantile(seconds.to_numpy(float), (0.05, 0.25, 0.5, 0.75, 0.95))]


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
