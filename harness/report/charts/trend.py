"""How a run stands among the runs before it: pass rate, time, flakiness."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.report.changes import Earlier
from harness.report.coverage import RUN
from harness.results import words
from harness.results.result import Verdict

WIDE, HIGH = 300, 60  # the drawing's own units


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure over the runs: the line's points and its last one, and in words what it says."""

    name: str
    points: str
    last: tuple[float, float]
    now: str
    before: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendView:
    """The figures, and the runs they were read from, oldest first."""

    runs: tuple[str, ...]
    lines: tuple[Line, ...]


def trend_view(cells: pd.DataFrame, earlier: Sequence[Earlier], run: str) -> TrendView | None:
    """Lay out the trend; None where there is no earlier run."""
    if not earlier:
        return None
    frames = [*(each.cells for each in earlier), cells]
    runs = [*((f"{each.began:%Y-%m-%d}" if each.began else each.name) for each in earlier), f"{run} (this one)"]
    rates, flaky, times = zip(*map(_figures, frames), strict=True)
    return TrendView(
        runs=tuple(runs),
        lines=(
            _line("Pass rate", rates, lambda value: f"{value:.1f} %"),
            _line("Median cell", times, words.seconds),
            _line("Flaky cells", flaky, lambda value: f"{value:.1f} %"),
        ),
    )


def _figures(cells: pd.DataFrame) -> tuple[float, float, float]:
    ran = cells[cells["verdict"].isin(RUN)]
    counted = ran["verdict"].astype("string").value_counts()
    number = max(len(ran), 1)
    flaky = int(counted.get(Verdict.FLAKY.value, 0))
    passed = int(counted.get(Verdict.PASSED.value, 0)) + flaky
    median = float(ran["seconds"].median()) if len(ran) else math.nan
    return 100 * passed / number, 100 * flaky / number, median


def _line(name: str, values: Sequence[float], say: Callable[[float], str]) -> Line:
    known = [value for value in values if value == value]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    span = (high - low) or 1.0
    across = (WIDE - 8) / max(len(values) - 1, 1)
    points = [
        (round(4 + place * across, 1), round(HIGH - 6 - (value - low) / span * (HIGH - 12), 1))
        for place, value in enumerate(values)
        if value == value
    ]
    said = tuple(say(value) if value == value else "unknown" for value in values)
    return Line(
        name=name,
        points=" ".join(f"{x},{y}" for x, y in points),
        last=points[-1] if points else (0, 0),
        now=said[-1],
        before=said[-2],
        values=said,
    )
