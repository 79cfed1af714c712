"""Which steps became slower or faster over the runs: the sentence, and the line that shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.report.changes import Earlier
from harness.report.charts.trend import Line, can_tell, drawn
from harness.results import words
from harness.results.changes import Rules
from harness.results.regressions import Course, courses, in_words
from harness.results.text import clipped

_MOST_SERIES = 500  # of a step, a product and a build each: judging one takes milliseconds
_MOST_LINES = 6
_MOST_SENTENCES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceView:
    """What moved, in sentences (the last one may say that too little is known), and the lines of the widest moves."""

    sentences: tuple[str, ...]
    more: int
    lines: tuple[Line, ...]


def pace_view(own: Callable[[], pd.DataFrame], earlier: Sequence[Earlier], *, alone: bool = False) -> PaceView | None:
    """Judge every step over the runs before and this one; ``own`` lays out this run's times (``TIMINGS``).

    ``alone``: only steps that this run took. None where there is nothing to compare with, or nothing to do it with.
    """
    known = [each.times for each in earlier if each.times is not None and not each.times.empty]
    if len(known) + 1 < Rules().samples or not can_tell() or (times := own()).empty:
        return None
    asked = len(times[["build", "product", "role"]].drop_duplicates())
    if asked > _MOST_SERIES:
        many = f"Too many steps to judge them all on a page ({asked:,} by product and build): ask wincompat trend."
        return PaceView(sentences=(many,), more=0, lines=())
    whole = pd.concat([*known, times], ignore_index=True).sort_values(["at", "run"], kind="stable", ignore_index=True)
    taken = set(times[["build", "product", "role"]].itertuples(index=False, name=None)) if alone else None
    found = [
        course for course in courses(whole) if taken is None or (course.build, course.product, course.role) in taken
    ]
    moved = [course for course in found if course.moved is not None]
    judged = sum(course.verdict != "too few samples" for course in found)
    none = f"None of {words.count(judged, 'step')} that can be judged became slower or faster."
    said = [*([none] if judged and not moved else []), *in_words(found)]
    moved.sort(
        key=lambda course: (course.verdict != "slower", -abs(course.moved.shift.ratio - 1) if course.moved else 0)
    )
    return PaceView(
        sentences=tuple(clipped(sentence, 300) for sentence in said[:_MOST_SENTENCES]),
        more=max(0, len(said) - _MOST_SENTENCES),
        lines=tuple(_line(course, whole) for course in moved[:_MOST_LINES]),
    )


def _line(course: Course, whole: pd.DataFrame) -> Line:
    own = whole[
        (whole["build"] == course.build) & (whole["product"] == course.product) & (whole["role"] == course.role)
    ]
    by_run = own.groupby(["at", "run"], observed=True, sort=True)["seconds"].median()
    names = [str(run) for _, run in by_run.index]
    moves = [names.index(one.run) for one in course.moves if one.run in names]
    runs = [f"{at:%Y-%m-%d}" for at, _ in by_run.index]
    name = clipped(f"{course.product}, {course.step} on {course.build_name}", 200)
    return drawn(name, by_run.tolist(), words.seconds, runs, moves=moves)
