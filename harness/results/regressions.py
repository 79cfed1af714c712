"""Timing regressions over a history of runs: per build, product and step, with how sure and how much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from typing import Literal

import numpy as np
import pandas as pd

from harness.errors import AuthoringError
from harness.results.changes import Rules, Shift, shifts
from harness.results.speed import REFERENCE, slowness, without_the_machine
from harness.results.words import builds_in_words, count, listed

NEEDS = "timing regressions need scipy and ruptures: pip install pytest-wincompat[regressions]"
SERIES = ["build", "build_name", "product", "role"]
WIDELY_SEEN = 0.6  # of the runs in which a step was taken at all

Verdict = Literal["slower", "faster", "steady", "too few samples"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One change of one step's time: the first run that shows it, and the product's versions on both sides of it.

    ``number`` is the run's place among all runs that were looked at, ``q`` the p-value after correction for all series.
    """

    shift: Shift
    run: str
    number: int
    at: datetime
    version: str
    version_before: str
    q: float

    @property
    def since(self) -> str:
        """Since when, in words: the version where it changed with the change, else the run."""
        if self.version and self.version != self.version_before:
            return f"since {self.version} (run of {self.at:%Y-%m-%d})"
        same = f", which was no new version ({self.version})" if self.version else ""
        return f"since the run of {self.at:%Y-%m-%d}{same}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One step of one product on one build over runs: ``verdict`` is that of ``moved``.

    ``step`` is what the latest run called it. ``seconds`` is the median on a usual machine now (since the last change).
    ``moves`` are all changes, oldest first; ``moved`` is the last of them that is proven and big enough to tell.
    """

    build: str
    build_name: str
    product: str
    role: str
    step: str
    samples: int
    seconds: float
    verdict: Verdict
    moves: tuple[Moved, ...] = ()
    moved: Moved | None = None


@dataclass(frozen=True, slots=True)
class _Series:
    key: tuple[str, str, str, str]
    step: str
    runs: pd.DataFrame  # run, number, at and version, oldest first
    values: np.ndarray  # for each of them, the logarithm of seconds on a usual machine


def courses(timings: pd.DataFrame, rules: Rules | None = None) -> list[Course]:
    """Judge every step of every product on every build over its runs; the frame's columns are ``timings.TIMINGS``.

    Raises AuthoringError where scipy or ruptures is not installed.
    """
    _look_for_what_is_needed()
    rules = rules or Rules()
    series = list(_series(timings))
    found = {one.key: shifts(one.values, rules) for one in series}
    # each series is a question asked, and one that does not move is an answer: chance had its try there too
    asked = {(one.key, 0): 1.0 for one in series if len(one.runs) >= rules.samples}
    asked |= {(key, number): shift.p for key, moves in found.items() for number, shift in enumerate(moves)}
    corrected = dict(zip(asked, _corrected(list(asked.values())), strict=True))
    return [
        _course(one, [_moved(one.runs, it, corrected[one.key, n]) for n, it in enumerate(found[one.key])], rules)
        for one in series
    ]


def _look_for_what_is_needed() -> None:
    missing = [name for name in ("scipy", "ruptures") if find_spec(name) is None]
    if missing:
        raise AuthoringError(NEEDS)


def _corrected(p: list[float]) -> list[float]:
    from scipy import stats  # type: ignore[import-untyped]  # it brings no types

    return [float(value) for value in stats.false_discovery_control(p)] if p else []


def _series(timings: pd.DataFrame) -> Iterator[_Series]:
    """Bring a step's times in all scenarios of a run to one value, each scenario measured by what it usually takes."""
    rows = timings[~timings["role"].isin(REFERENCE)].copy()
    if rows.empty:
        return
    rows[["of_machine", "of_run"]] = slowness(timings)
    rows["number"] = timings.groupby(["at", "run"], observed=True).ngroup()
    rows["log"] = np.log(rows["seconds"].to_numpy(float))
    place = [rows[name] for name in ("scenario", "leg")]
    series = [rows[name] for name in SERIES]
    # a scenario that came late, or is run now and then, has no usual time to be measured by
    seen = rows.groupby([*SERIES, "scenario", "leg"], observed=True)["run"].transform("nunique")
    most = seen.groupby(series, observed=True).transform("max")
    rows = rows[seen >= WIDELY_SEEN * most]
    usual = rows["log"].groupby([*series, *place], observed=True).transform("median")
    rows = rows.assign(apart=rows["log"] - usual, usual=usual)
    each = rows.groupby([*SERIES, "number"], observed=True, sort=True).agg(
        run=("run", "first"),
        at=("at", "first"),
        version=("version", "last"),
        step=("step", "last"),
        apart=("apart", "mean"),
        usual=("usual", "median"),
        of_machine=("of_machine", "mean"),
        of_run=("of_run", "mean"),
    )
    for key, runs in each.reset_index("number").groupby(level=list(range(len(SERIES))), observed=True):
        apart = without_the_machine(runs["apart"].to_numpy(float), runs[["of_machine", "of_run"]].to_numpy(float))
        build, name, product, role = map(str, key)
        yield _Series(
            (build, name, product, role), str(runs["step"].iloc[-1]), runs, float(runs["usual"].median()) + apart
        )


def _course(one: _Series, moves: list[Moved], rules: Rules) -> Course:
    build, name, product, role = one.key
    moved = next((it for it in reversed(moves) if _tells(it, rules)), None)
    verdict: Verdict = "steady"
    if len(one.runs) < rules.samples:
        verdict = "too few samples"
    elif moved is not None:
        verdict = "slower" if moved.shift.ratio > 1 else "faster"
    return Course(
        build=build,
        build_name=name,
        product=product,
        role=role,
        step=one.step,
        samples=len(one.runs),
        seconds=float(np.exp(np.median(one.values[moves[-1].shift.position if moves else 0 :]))),
        verdict=verdict,
        moves=tuple(moves),
        moved=moved,
    )


def _tells(moved: Moved, rules: Rules) -> bool:
    """Whether a change is proven, big enough, and its interval lies wholly on one side."""
    shift = moved.shift
    big = abs(np.log(shift.ratio)) >= np.log1p(rules.effect)
    return bool(moved.q <= rules.false_share and big and not shift.low <= 1 <= shift.high)


def _moved(runs: pd.DataFrame, shift: Shift, q: float) -> Moved:
    row = runs.iloc[shift.position]
    return Moved(
        shift=shift,
        run=str(row["run"]),
        number=int(row["number"]),
        at=row["at"].to_pydatetime(),
        version=str(row["version"]),
        version_before=str(runs["version"].iloc[shift.position - 1]),
        q=q,
    )


def in_words(found: Iterable[Course], rules: Rules | None = None) -> list[str]:
    """Say what became slower or faster, the same change on several builds once; then what too little is known of.

    ``ninja-msi, install 1.13.0: slower by 18 % to 25 % since 1.11 (run of 2026-11-02), on Windows 11 only``
    """
    rules = rules or Rules()
    steps: dict[tuple[str, str], list[Course]] = {}
    for course in found:
        steps.setdefault((course.product, course.role), []).append(course)
    words = [
        _sentence(together, beside, verdict)
        for verdict in ("slower", "faster")
        for beside in steps.values()
        for together in _at_once([(it.moved, it) for it in beside if it.verdict == verdict and it.moved])
    ]
    every = [course for beside in steps.values() for course in beside]
    if few := [it for it in every if it.verdict == "too few samples"]:
        most = count(max(it.samples for it in few), "run")
        of = "all steps" if len(few) == len(every) else f"{count(len(few), 'step')} of {len(every):,}"
        words.append(f"too few samples to say for {of}: {most} at most, at least {rules.samples} are needed")
    return words


_Pair = tuple[Moved, Course]


def _at_once(found: list[_Pair]) -> Iterator[list[_Pair]]:
    """Put together what changed at once: each is dated give or take one run."""
    together: list[_Pair] = []
    for moved, course in sorted(found, key=lambda it: it[0].number):
        if together and moved.number - together[0][0].number > 2:
            yield together
            together = []
        together.append((moved, course))
    if together:
        yield together


def _sentence(found: list[_Pair], beside: list[Course], verdict: str) -> str:
    moves = [moved for moved, _ in found]
    edges = [edge for moved in moves for edge in (moved.shift.low, moved.shift.high)]
    least, most = sorted(abs(100 * (edge - 1)) for edge in (min(edges), max(edges)))
    # where builds differ by a run, most of them are right
    since = max(moves, key=lambda it: sum(other.run == it.run for other in moves)).since
    product, step = found[-1][1].product, found[-1][1].step
    where = _where([course for _, course in found], beside)
    return f"{product}, {step}: {verdict} by {least:.0f} % to {most:.0f} % {since}, {where}"


def _where(found: list[Course], beside: list[Course]) -> str:
    names = list(dict.fromkeys(it.build_name for it in sorted(found, key=lambda it: it.build)))
    others = [it for it in beside if it.build_name not in names]
    unknown = [it.build_name for it in others if it.verdict == "too few samples"]
    if not others:
        return "on every build" if len(names) > 1 else f"on {names[0]}"
    # "on Windows 11": when all of its builds changed
    systems = dict.fromkeys(name.rpartition(" ")[0] for name in names)
    whole = all(systems) and not any(it.build_name.rpartition(" ")[0] in systems for it in others)
    where = listed(list(systems)) if whole else builds_in_words(names)
    return f"on {where}; too few samples on {builds_in_words(unknown)}" if unknown else f"on {where} only"
