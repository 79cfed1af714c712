"""The runs of a history that came before a run, of the same matrix: what it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

import pandas as pd

from harness.results import journal
from harness.results.decided import Decided
from harness.results.history.store import History
from harness.results.narrowed import Narrowed
from harness.results.plan import Plan
from harness.results.run import RunFolder
from harness.results.timings import began

_GATE = ("decision", "decided", "policy", "reasons", "waivers")
_TIMED = 200  # runs whose steps are compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One run of a history, as far as it decides whether it is read.

    ``planned`` is as many as were planned, or came back where the plan is lost; ``cells`` the larger of both.
    ``decided`` is what a gate said of it; None where none did.
    """

    run: str
    at: datetime
    planned: int
    cells: int
    narrowed: Narrowed | None
    decided: Decided | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What is looked for: runs of a matrix that began before ``began`` (which has a zone), and none called ``but_for``.

    A lab's runs stand among a lab's alone.
    """

    matrix: str
    is_lab: bool
    began: datetime
    but_for: frozenset[str] = frozenset()

    @classmethod
    def of(cls, folder: RunFolder, plan: Plan) -> Self:
        """Look for the runs before this one; raises AuthoringError when its journal is needed and cannot be read."""
        results = () if plan.started else journal.read(folder.journal_file).results
        return cls(
            matrix=plan.matrix,
            is_lab=plan.is_lab,
            began=began(folder, plan, results),
            but_for=frozenset({folder.run, plan.run}),  # a folder that was carried elsewhere may have a name of its own
        )


def kept_before(history: History, asked: Before) -> list[Kept]:
    """Give the runs of a history that came before, oldest first; raises AuthoringError when it cannot be read."""
    runs = history.runs()
    alike = (runs["matrix"] == asked.matrix) & (runs["is_lab"].fillna(value=False) == asked.is_lab)
    return kept(runs[alike & (runs["at"] <= pd.Timestamp(asked.began)) & ~runs["run"].isin(asked.but_for)])


def with_times_before(history: History, times: pd.DataFrame, asked: Before) -> pd.DataFrame:
    """Put the times of the last runs before a run to ``times`` (``timings.TIMINGS``), each run once, oldest first."""
    there = set(times["run"])
    wanted = [one.run for one in kept_before(history, asked)[-_TIMED:] if one.run not in there]
    whole = pd.concat([history.table("timings", runs=wanted), times], ignore_index=True)
    return whole.sort_values(["at", "run"], kind="stable", ignore_index=True)


def kept(runs: pd.DataFrame) -> list[Kept]:
    """Read the rows of a history's table ``runs``, in their order."""
    columns = (runs[name].tolist() for name in ("run", "at", "planned", "results", "whole", "command"))
    gates = (runs[name].tolist() for name in _GATE)
    found = []
    for run, at, planned, results, whole, command, *gate in zip(*columns, *gates, strict=True):
        cells = max(int(planned), int(results))
        # what an older version wrote may lack a column, and has nothing in it then
        counted = int(whole) if isinstance(whole, int) and whole > 0 else None
        told = Narrowed.told(int(planned), counted, command if isinstance(command, str) else "") if planned else None
        count = int(planned) or int(results)
        decided = Decided.told(dict(zip(_GATE, gate, strict=True)))
        found.append(
            Kept(run=str(run), at=at.to_pydatetime(), planned=count, cells=cells, narrowed=told, decided=decided)
        )
    return found
