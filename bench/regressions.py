"""How well a slower step is found in histories whose truth is known, and how often one is cried out that is none."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import numpy as np
import pandas as pd

from bench.figures import Figure
from harness.results.regressions import Course, courses
from tests.results.histories import history

HISTORIES = 200
SEEDED = 50
BEFORE = 40  # runs
WITHIN = 10  # runs of its coming
SLOWER = 1.10
BUILD, STEP = "22631", "install {version}"


def figures() -> Iterator[Figure]:
    """Judge histories of 50 runs of 4 builds x 6 steps under 4 % of noise, with and without a slowdown of 10 %."""
    start = time.process_time()
    alarms = sum(bool(_slower(history(seed))) for seed in range(HISTORIES))
    each = (time.process_time() - start) / HISTORIES
    yield Figure(f"false alarms in {HISTORIES} histories of 24 series", alarms, "histories", at_most=2)
    late, spread = zip(*map(_found, range(1000, 1000 + SEEDED)), strict=True)
    seen = [runs for runs in late if runs is not None]
    dated = [away for away in spread if away is not None]
    yield Figure(f"a step slower by 10 %, found within {WITHIN} runs", 100 * len(seen) / SEEDED, "%", at_least=90)
    yield Figure("... after how many runs, median", statistics.median(seen), "runs", at_most=WITHIN, spread=seen)
    right = sum(abs(away) <= 1 for away in dated)
    yield Figure("... dated to the right run, give or take one", 100 * right / max(1, len(dated)), "%", at_least=90)
    yield Figure("... which one who knows levels and noise can do for", 100 * _at_best(), "%")
    exact = sum(away == 0 for away in dated)
    yield Figure("... dated to the run itself", 100 * exact / max(1, len(dated)), "%")
    yield Figure("judging one history (24 series of 50 runs)", each, "CPU s")


def _found(seed: int) -> tuple[int | None, int | None]:
    """After how many runs a seeded slowdown is found, and how far from its coming it is dated with ten runs known."""
    whole = history(seed, runs=BEFORE + WITHIN, slower=SLOWER, coming=BEFORE, builds=(BUILD,), step=STEP)
    numbers = whole["run"].str.removeprefix("run-").astype(int)
    for late in range(5, WITHIN + 1):
        if _seeded(_slower(whole[numbers < BEFORE + late])):
            found = _seeded(_slower(whole))
            return late, found.moved.number - BEFORE if found and found.moved else None
    return None, None


def _at_best(noise: float = 0.04, tries: int = 20_000) -> float:
    """Give the share that the likeliest place is within a run of the right one, where only the place is not known."""
    rise = np.log(SLOWER) / noise
    runs = np.random.default_rng(7).normal(0, 1, (tries, BEFORE + WITHIN))
    runs[:, BEFORE:] += rise
    likely = np.cumsum((rise * runs - rise**2 / 2)[:, ::-1], axis=1)[:, ::-1]
    places = likely[:, : BEFORE + WITHIN - 4].argmax(axis=1)  # five runs have to show it
    return float((np.abs(places - BEFORE) <= 1).mean())


def _slower(timings: pd.DataFrame) -> list[Course]:
    return [course for course in courses(timings) if course.verdict == "slower"]


def _seeded(found: list[Course]) -> Course | None:
    return next((course for course in found if (course.build, course.role) == (BUILD, STEP)), None)
