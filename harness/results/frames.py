"""A run as two pandas frames with declared columns: one row for each planned cell, one row for each step."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from harness.builds import Build
from harness.results.cause import Cause
from harness.results.plan import Plan, PlannedCell
from harness.results.result import Fault, Result, Verdict

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


def cells_frame(plan: Plan | None, results: Iterable[Result]) -> pd.DataFrame:
    """Lay out one row for each planned cell, in the plan's order, then one for each result that nobody planned.

    A planned cell without a result is "not run", or "skipped" with its reason when the plan skips it.
    """
    found = {result.cell: result for result in results}
    rows = []
    for planned in plan.cells if plan else ():
        result = found.pop(planned.cell, None)
        row = _row(result) if result else _without_result(planned)
        rows.append(row | {"build_name": planned.build_name or build_name(planned.build), "planned": True})
    rows += [
        _row(result) | {"build_name": build_name(result.build), "planned": False if plan else None}
        for result in found.values()
    ]
    return _shaped(rows, CELLS)


def steps_frame(results: Iterable[Result]) -> pd.DataFrame:
    """Lay out one row for each step of each result, in the order they were taken."""
    rows = [
        {
            "cell": result.cell,
            "build": result.build,
            "product": result.product,
            "kind": result.kind,
            "scenario": result.scenario,
            "leg": result.leg,
            "position": position,
            "step": step.name,
            "started": step.started,
            "seconds": step.seconds,
            "error": step.error,
        }
        for result in results
        for position, step in enumerate(result.steps, start=1)
    ]
    return _shaped(rows, STEPS)


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


def _row(result: Result) -> dict[str, Any]:
    row = {column: getattr(result, column) for column in CELLS if column not in {"build_name", "planned", "steps"}}
    return row | {
        "verdict": result.verdict.value,
        "fault": result.fault.value,
        "cause": result.cause.value if result.cause is not None else None,
        "attempts": len(result.attempts) or int(result.started is not None),
        "steps": len(result.steps),
        "started": in_utc(result.started),
    }


def _without_result(planned: PlannedCell) -> dict[str, Any]:
    verdict = Verdict.SKIPPED if planned.skip is not None else Verdict.NOT_RUN
    return {
        **{column: getattr(planned, column) for column in ("cell", "build", "product", "kind", "scenario", "leg")},
        "verdict": verdict.value,
        "fault": Fault.NOBODY.value,
        "reason": planned.skip or "",
        **dict.fromkeys(("code", "at_fault", "fingerprint", "machine", "provenance", "worker"), ""),
        "attempts": 0,
        "steps": 0,
    }


def _shaped(rows: list[dict[str, Any]], columns: dict[str, Any]) -> pd.DataFrame:
    # column by column: a frame of no rows, or of a column that is missing throughout, gets its dtypes all the same
    return pd.DataFrame(
        {name: pd.Series([row.get(name) for row in rows], dtype=dtype) for name, dtype in columns.items()}
    )
