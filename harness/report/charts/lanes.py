"""The run as it went by: a lane for each machine, and what it was busy with when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.report.marks import LETTERS
from harness.results import words
from harness.results.result import Verdict

_MOST_LANES = 40
_PLACES = 1000  # the lane's width in parts that can be told apart
# drawn in this order: what went wrong is never painted over
_ORDER = (Verdict.PASSED, Verdict.FLAKY, Verdict.SKIPPED, Verdict.BLOCKED, Verdict.FAILED, Verdict.HUNG)


@dataclass(frozen=True, slots=True)
class Stroke:
    """All the time of a lane with one verdict: an SVG path in a lane 1000 wide and 1 high."""

    style: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A machine: what it did when, and the same in numbers."""

    machine: str
    strokes: tuple[Stroke, ...]
    cells: int
    busy: str
    percent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LanesView:
    """The machines that were busy longest."""

    took: str
    lanes: tuple[Lane, ...]
    more: int


def lanes_view(cells: pd.DataFrame) -> LanesView | None:
    """Lay out every cell that began on a machine; None where none did."""
    began = cells[cells["started"].notna() & (cells["machine"] != "") & cells["seconds"].between(0, 1e7)]
    if began.empty:
        return None
    first = began["started"].min()
    start = (began["started"] - first).dt.total_seconds()
    end = start + began["seconds"]
    whole = max(float(end.max()), 0.001)
    left = np.floor(start / whole * _PLACES).astype(int)
    right = np.maximum(np.ceil(end / whole * _PLACES).astype(int), left + 1)
    spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for machine, verdict, *ends in zip(
        began["machine"].tolist(), began["verdict"].tolist(), left.tolist(), right.tolist(), strict=True
    ):
        spans.setdefault((machine, verdict), []).append((ends[0], ends[1]))
    seconds = began.groupby("machine")["seconds"].agg(["sum", "count"]).sort_values("sum", ascending=False)
    lanes = []
    for machine, sums in seconds.head(_MOST_LANES).iterrows():
        strokes = [Stroke(LETTERS[each], _path(spans.get((str(machine), each.value), []))) for each in _ORDER]
        lanes.append(
            Lane(
                machine=str(machine),
                strokes=tuple(stroke for stroke in strokes if stroke.path),
                cells=int(sums["count"]),
                busy=words.seconds(float(sums["sum"])),
                percent=f"{min(100.0, 100 * float(sums['sum']) / whole):.0f} %",
            )
        )
    return LanesView(took=words.seconds(whole), lanes=tuple(lanes), more=max(0, len(seconds) - len(lanes)))


def _path(spans: Sequence[tuple[int, int]]) -> str:
    # what touches is one piece: a hundred thousand cells draw no more than a lane has places
    pieces: list[list[int]] = []
    for left, right in sorted(spans):
        # half a place stays free between two cells as long as there is room for it
        if pieces and left < pieces[-1][1]:
            pieces[-1][1] = max(pieces[-1][1], right)
        else:
            pieces.append([left, right])
    few = len(pieces) < 120
    return "".join(f"M{left} 0H{max(right - few * 2, left + 1)}V1H{left}Z" for left, right in pieces)
