"""How a run stands among the runs before it: pass rate, time, flakiness, each with the runs at which it moved."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
import pandas as pd

from harness.report.changes import Earlier
from harness.report.coverage import RUN
from harness.results import words
from harness.results.changes import Rules, shifts
from harness.results.decided import Decided
from harness.results.narrowed import Narrowed
from harness.results.result import Verdict

WIDE, HIGH = 300, 60  # the drawing's own units
_LEAST_TIME = math.log(1.05)  # less is not worth a word
_LEAST_SHARE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure over the runs: the line's points and its last one, where it moved, and in words what it says.

    ``marks`` are places across of the first runs after a move, ``moved`` says each of them in words.
    """

    name: str
    points: str
    last: tuple[float, float]
    now: str
    before: str
    reach: str  # from the lowest to the highest value, between which the line is drawn
    values: tuple[str, ...]
    marks: tuple[float, ...] = ()
    moved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendView:
    """The figures, and the runs they were read from, oldest first.

    ``gates`` says of each what a gate decided, and is empty where none decided any. ``note`` says of which cells they
    are and which runs are left out, and why no move could be looked for.
    """

    runs: tuple[str, ...]
    gates: tuple[str, ...]
    lines: tuple[Line, ...]
    note: str


def trend_view(
    cells: pd.DataFrame,
    earlier: Sequence[Earlier],
    run: str,
    narrowed: Narrowed | None = None,
    decided: Decided | None = None,
) -> TrendView | None:
    """Lay out the trend; None where there is no earlier run to put it beside. ``decided`` is what a gate said of it.

    Runs that were narrowed say nothing of the whole and are left out; a run that is ``narrowed`` itself stands among
    the same cells of the whole ones.
    """
    before, note = _beside(cells, earlier, narrowed)
    if not before:
        return None
    frames = [*(each.cells for each in before), cells]
    runs = [*((f"{each.began:%Y-%m-%d}" if each.began else each.name) for each in before), f"{run} (this one)"]
    rates, flaky, times = zip(*map(_figures, frames), strict=True)
    gates = [*(each.decided for each in before), decided]
    return TrendView(
        runs=tuple(runs),
        gates=tuple(gate.short if gate is not None else "no decision" for gate in gates) if any(gates) else (),
        lines=(
            drawn("Pass rate", rates, _percent, runs, moves=moves([rate / 100 for rate in rates], _LEAST_SHARE)),
            drawn("Median cell", times, words.seconds, runs, moves=moves([_log(time) for time in times], _LEAST_TIME)),
            drawn("Flaky cells", flaky, _percent, runs, moves=moves([rate / 100 for rate in flaky], _LEAST_SHARE)),
        ),
        note=" ".join(filter(None, (note, why_unmarked(len(frames))))),
    )


def _beside(cells: pd.DataFrame, earlier: Sequence[Earlier], narrowed: Narrowed | None) -> tuple[list[Earlier], str]:
    """Choose the runs that can stand in one line with this one, cut to its cells where it has not all."""
    whole = [each for each in earlier if each.narrowed is None]
    left = len(earlier) - len(whole)
    note = ""
    if narrowed:
        own = set(cells["cell"])
        cut = [replace(each, cells=each.cells[each.cells["cell"].isin(own)]) for each in whole]
        whole = [each for each in cut if len(each.cells)]
        note = f"Of the {words.count(len(own), 'cell')} of this run alone, for it was {narrowed.words}."
    if left:
        are = "run that was narrowed is" if left == 1 else "runs that were narrowed are"
        note += f" {left:,} {are} left out: a part of the cells says nothing of the whole."
    return whole, note.strip()


def why_unmarked(runs: int) -> str:
    """Say why moves of a line are not looked for; "" where they are."""
    least = Rules().samples
    if runs < least:
        return f"{words.count(runs, 'run')} so far: a move of a line is marked from {least} runs on."
    if not can_tell():
        return "Where a line moves is marked with: pip install pytest-wincompat[regressions]"
    return ""


def can_tell() -> bool:
    """Whether what finds and proves a move is installed."""
    return all(find_spec(name) is not None for name in ("scipy", "ruptures"))


def moves(values: Sequence[float], least: float) -> tuple[int, ...]:
    """Tell at which places a series moved by at least so much, proven against its noise; oldest first."""
    known = [place for place, value in enumerate(values) if math.isfinite(value)]
    series = np.array([values[place] for place in known])
    if len(series) < Rules().samples or not can_tell() or np.ptp(series) < least:
        return ()
    with warnings.catch_warnings(action="ignore"):  # a series without any noise divides by it
        found = shifts(series, Rules())
    return tuple(known[one.position] for one in found if abs(math.log(one.ratio)) >= least)


def drawn(
    name: str, values: Sequence[float], say: Callable[[float], str], runs: Sequence[str], *, moves: Sequence[int] = ()
) -> Line:
    """Draw a line over the runs; ``moves`` are the places at which it moved."""
    known = [value for value in values if math.isfinite(value)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    span = (high - low) or 1.0
    across = (WIDE - 8) / max(len(values) - 1, 1)
    points = [
        (round(4 + place * across, 1), round(HIGH - 6 - (value - low) / span * (HIGH - 12), 1))
        for place, value in enumerate(values)
        if math.isfinite(value)
    ]
    said = tuple(say(value) if math.isfinite(value) else "unknown" for value in values)
    ends = [0, *moves, len(values)]
    levels = [_level(values[start:end]) for start, end in pairwise(ends)]
    return Line(
        name=name,
        points=" ".join(f"{x},{y}" for x, y in points),
        last=points[-1] if points else (0, 0),
        now=said[-1],
        before=said[-2] if len(said) > 1 else "",
        reach=f"{say(low)} to {say(high)}" if known and high > low else "",
        values=said,
        marks=tuple(round(4 + (place - 0.5) * across, 1) for place in moves),
        moved=tuple(
            f"since the run of {runs[place]}: {say(levels[number])} before, {say(levels[number + 1])} from then on"
            for number, place in enumerate(moves)
        ),
    )


def _figures(cells: pd.DataFrame) -> tuple[float, float, float]:
    ran = cells[cells["verdict"].isin(RUN)]
    if ran.empty:
        return math.nan, math.nan, math.nan
    counted = ran["verdict"].astype("string").value_counts()
    flaky = int(counted.get(Verdict.FLAKY.value, 0))
    passed = int(counted.get(Verdict.PASSED.value, 0)) + flaky
    return 100 * passed / len(ran), 100 * flaky / len(ran), float(ran["seconds"].median())


def _level(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return float(np.median(known)) if known else math.nan


def _percent(value: float) -> str:
    # 100 % must be all of them
    return f"{value:.1f} %" if value in (0, 100) or 0.05 <= value < 99.95 else "99.9 %" if value > 50 else "0.1 %"


def _log(value: float) -> float:
    return math.log(value) if value > 0 and math.isfinite(value) else math.nan
