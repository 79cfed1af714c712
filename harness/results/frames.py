"""A run as two pandas frames with declared columns: one row for each planned cell, one row for each step."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd

from harness.builds import Build
from harness.results.cause import Cause
from harness.results.plan import Plan, PlannedCell
from harness.results.result import Fault, Result, Step, Verdict

VERDICTS = pd.CategoricalDtype([verdict.value for verdict in Verdict], ordered=True)
FAULTS = pd.CategoricalDtype([fault.value for fault in Fault])
CAUSES = pd.CategoricalDtype([cause.value for cause in Cause])
MOMENT = pd.DatetimeTZDtype("us", "UTC")

CELLS: dict[str, Any] = {
    "cell": "string",  # unique in the run
    "build": "string",  # "19044", or "22631.4037" where the matrix names a revision
    "build_name": "string",  # "Windows 10 21H2"
    "product": "string",
    "kind": "string",  # msi, exe, zip
    "scenario": "string",
    "leg": "string",  # "1.10.2->1.13.0", or "" where a scenario has no legs
    "verdict": VERDICTS,  # ordered, best first; "not run" for a cell that was planned and left no result
    "fault": FAULTS,
    "reason": "string",
    "cause": CAUSES,  # missing for a cell that passed or was skipped
    "code": "string",  # what the product did not do: not-installed, broke-rules, ...; "" where nothing says so
    "at_fault": "string",
    "fingerprint": "string",  # the same for the same failure in every run; "" without a failure
    "attempts": "int64",  # how often the cell was tried
    "known_issue": "string",  # missing where none covers the cell
    "missed_issue": "string",  # a strict known issue that should have shown and did not; mostly missing
    "machine": "string",
    "provenance": "string",
    "started": MOMENT,  # missing where the cell never began
    "seconds": "float64",  # on the controller's clock; missing where the cell never began
    "steps": "int64",  # how many were begun
    "worker": "string",
    "planned": "boolean",  # false for a result that no plan announced; missing when the plan itself is missing
}

STEPS: dict[str, Any] = {
    "cell": "string",
    "build": "string",
    "product": "string",
    "kind": "string",
    "scenario": "string",
    "leg": "string",
    "position": "int64",  # 1 for the first step of the cell
    "step": "string",
    "started": "float64",  # seconds from the cell's start
    "seconds": "float64",
    "error": "string",  # missing where the step ended well
}

_MADE = frozenset({"attempts", "started", "steps"})  # columns that are no plain attribute of a result
_OF_STEP = {"step": "name", "started": "started", "seconds": "seconds", "error": "error"}  # and what a step calls them


def cells_frame(plan: Plan | None, results: Iterable[Result]) -> pd.DataFrame:
    """Lay out one row for each planned cell, in the plan's order, then one for each result that nobody planned.

    A planned cell without a result is "not run", or "skipped" with its reason when the plan skips it.
    """
    found = {result.cell: result for result in results}
    rows: list[Result] = []
    names: list[str] = []
    silent: list[int] = []
    for place, planned in enumerate(plan.cells if plan else ()):
        result = found.pop(planned.cell, None)
        if result is None:
            result = _without_result(planned)
            silent.append(place)
        rows.append(result)
        names.append(planned.build_name or build_name(planned.build))
    planned_ones = len(rows)
    rows += found.values()
    names += [build_name(result.build) for result in found.values()]
    # column by column, not row by row: that is several times as fast, and 100,000 cells are not many
    told = _told(rows, [name for name in CELLS if name in Result.model_fields and name not in _MADE])
    seconds = np.array(told.pop("seconds"), dtype=float)
    seconds[silent] = np.nan
    made: dict[str, Any] = {
        **told,
        "build_name": names,
        "attempts": [len(result.attempts) or int(result.started is not None) for result in rows],
        "started": [in_utc(result.started) for result in rows],
        "seconds": seconds,
        "steps": [len(result.steps) for result in rows],
        "planned": [True] * planned_ones + [False if plan else None] * (len(rows) - planned_ones),
    }
    return pd.DataFrame({name: pd.Series(made[name], dtype=dtype) for name, dtype in CELLS.items()})


def steps_frame(results: Iterable[Result], columns: Collection[str] = STEPS.keys()) -> pd.DataFrame:
    """Lay out one row for each step of each result, in the order they were taken; ``columns`` are those looked at."""
    whole = list(results)
    taken = [step for result in whole for step in result.steps]
    numbers = np.array([len(result.steps) for result in whole], dtype=np.int64)
    of_cell = np.repeat(np.arange(len(whole)), numbers)
    before = np.cumsum(numbers) - numbers
    wanted = [name for name in STEPS if name in columns]
    own = _told(taken, [_OF_STEP[name] for name in wanted if name in _OF_STEP])
    made: dict[str, Any] = {name: own[_OF_STEP[name]] for name in wanted if name in _OF_STEP}
    made["position"] = np.arange(1, len(taken) + 1) - before[of_cell]
    shared = _told(whole, [name for name in wanted if name not in made])
    # what all steps of a cell share is read once and repeated
    return pd.DataFrame(
        {
            name: pd.Series(made[name], dtype=STEPS[name])
            if name in made
            else pd.array(shared[name], dtype=STEPS[name]).take(of_cell)
            for name in wanted
        }
    )


@lru_cache(maxsize=1_000)  # few builds, many cells
def build_name(build: str) -> str:
    """Name a build by the catalog, or by its number where the catalog does not know it."""
    try:
        return Build.parse(build).name
    except ValueError:
        return f"build {build}"


def in_utc(moment: datetime | None) -> datetime | None:
    """Bring a moment to UTC; one without a zone is taken to be in it."""
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _without_result(planned: PlannedCell) -> Result:
    verdict = Verdict.SKIPPED if planned.skip is not None else Verdict.NOT_RUN
    same = {name: getattr(planned, name) for name in ("cell", "build", "product", "kind", "scenario", "leg")}
    return Result(**same, verdict=verdict, reason=planned.skip or "")


def _told(things: Sequence[Result] | Sequence[Step], names: Sequence[str]) -> dict[str, Any]:
    """Read attributes as columns; each thing is gone to once, as going to it costs more than reading."""
    if not names or not things:
        return {name: [] for name in names}
    read = map(attrgetter(*names), things)
    columns = zip(*read, strict=True) if len(names) > 1 else [tuple(read)]
    return dict(zip(names, columns, strict=True))
