"""Every cell in columns, squeezed: what the page's script unfolds into the grid, the list and the cells.

Two texts of JSON, gzip and base64. The first holds what the grid needs, so that the page opens at once; the second is
unfolded when somebody looks at a cell. Values that repeat are kept once, in a list, and named by their place in it. The
script writes all of it as text, never as HTML.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from harness.report.cells import SMALL
from harness.report.changes import Earlier
from harness.report.marks import LETTERS, build_order
from harness.report.view import CellView
from harness.results.plan import Plan
from harness.results.result import Result, Step, Verdict
from harness.results.text import clipped, visible

_LONGEST = 20_000
_ODD = re.compile(r"[^a-z0-9._-]+")


class Names:
    """Gives each different value its place."""

    def __init__(self, first: Iterable[Any] = ()) -> None:
        self.places: dict[Any, int] = {value: place for place, value in enumerate(first)}

    def __call__(self, value: Any) -> int:
        """Tell a value's place; a new one comes last."""
        return self.places.setdefault(value, len(self.places))

    @property
    def all(self) -> list[Any]:
        """Every value, in the order of places."""
        return list(self.places)


def packed(value: Any) -> str:
    """Squeeze a value into text that can stand in a page."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # mtime: the same run makes the same page
    squeezed = gzip.compress(text.encode("utf-8", "replace"), 5, mtime=0)  # 7: twice the time, 2 % less
    return base64.b64encode(squeezed).decode()


def grid_island(cells: pd.DataFrame, told: Mapping[str, CellView], earlier: Sequence[Earlier]) -> dict[str, Any]:
    """Lay out what the grid and the list show of every cell."""
    columns: dict[str, Any] = {}
    lists: dict[str, list[Any]] = {}
    order = build_order(cells)
    names = dict(cells[["build", "build_name"]].drop_duplicates("build").itertuples(index=False, name=None))
    for column, first in {
        "build": order,
        "product": [],
        "scenario": [],
        "leg": [],
        "machine": [],
        "cause": [],
        "fingerprint": [],
    }.items():
        given = cells[column].astype("string").fillna("").tolist() if column in cells else [""] * len(cells)
        named = Names(first)
        columns[column] = _placed(given, named, str)
        lists[column] = [_shown(value, 200) for value in named.all]
    reasons = Names([""])
    kinds = dict(cells[["product", "kind"]].drop_duplicates("product").itertuples(index=False, name=None))
    columns["reason"] = _placed(
        cells["reason"].fillna("").tolist(), reasons, lambda reason: _shown(reason.strip().split("\n", 1)[0], 160)
    )
    lists["reason"] = reasons.all
    return {
        "small": len(cells) <= SMALL,
        "lists": lists
        | {
            "build": [[_shown(build, 40), _shown(names[build], 60)] for build in order],
            "kind": [_shown(kind, 20) for kind in kinds.values()],
        },
        "columns": columns,
        "verdict": "".join(LETTERS[Verdict(verdict)] for verdict in cells["verdict"].tolist()),
        "known": [int(view.key[1:]) - 1 for view in told.values() if " k" in view.style],
        "seconds": _hundredths(cells["seconds"].to_numpy(float)),
        "before": _before(cells, earlier),
    }


def story_island(
    cells: pd.DataFrame, results: Iterable[Result], plan: Plan | None, told: Mapping[str, CellView], base: str | None
) -> dict[str, Any]:
    """Lay out what only a cell's own page shows: steps, evidence, the guest, the command, and what went wrong.

    ``base`` leads from the page to the run's folder; None where no way does.
    """
    found = {result.cell: result for result in results}
    whole = cells["cell"].tolist()
    each = [found.get(cell) for cell in whole]
    steps, guests, evidence = Names([()]), Names([()]), Names([()])
    workers, origins = Names(), Names()
    began = cells["started"].min()
    offsets = (cells["started"] - began).dt.total_seconds().fillna(-1).round().astype(int).tolist()
    folders = [_folder(result) for result in each]
    seconds, gaps = _times([result.steps for result in each if result])
    columns: dict[str, list[Any]] = {
        "steps": _placed(
            [tuple([step.name for step in result.steps]) if result else () for result in each],
            steps,
            lambda names: tuple(_shown(name, 200) for name in names),
        ),
        "guest": _placed([tuple(result.guest.items()) if result else () for result in each], guests, _facts),
        "evidence": _placed([pieces for _, pieces in folders], evidence, _pieces),
        "folder": [folder for folder, _ in folders],
        "worker": _placed([result.worker if result else "" for result in each], workers, lambda it: _shown(it, 60)),
        "provenance": _placed(
            [result.provenance if result else "" for result in each], origins, lambda it: _shown(it, 200)
        ),
        "seconds": seconds,
        "gaps": gaps,
    }
    nodes = {planned.cell: planned.node for planned in plan.cells} if plan else {}
    prefix = next((node.removesuffix(cell) for cell, node in nodes.items() if node.endswith(cell)), "")
    return {
        "lists": {
            "steps": steps.all,
            "guest": guests.all,
            "evidence": evidence.all,
            "worker": workers.all,
            "provenance": origins.all,
        },
        "columns": columns,
        "base": base,
        "cell": [visible(clipped(cell, 300)) for cell in whole],
        "began": f"{began:%Y-%m-%dT%H:%M:%SZ}" if began == began else "",
        "started": offsets,
        "node": _shown(prefix, 300) if all(node in ("", prefix + cell) for cell, node in nodes.items()) else "",
        "site": _shown(plan.site_file, 300) if plan else "",
        "told": {int(view.key[1:]) - 1: _told(view) for view in told.values()},
    }


def _told(view: CellView) -> dict[str, Any]:
    pieces = [
        {
            "name": piece.name,
            "link": piece.link,
            "size": piece.size,
            "text": _shown(piece.excerpt),
            "whole": piece.whole,
            "image": str(piece.image),
            "note": piece.note,
        }
        for piece in view.evidence
    ]
    said = {
        "reason": _shown(view.reason) if view.opened else "",
        "fault": view.fault,
        "issue": _shown(view.issue),
        "errors": {place: _shown(step.error) for place, step in enumerate(view.steps) if step.error},
        "evidence": [{name: value for name, value in piece.items() if value} for piece in pieces],
        "notes": [_shown(note) for note in view.notes],
        "findings": [[_shown(code), _shown(sentence)] for code, sentence in view.findings],
        "foretold": [
            [one.style, one.standing, *map(_shown, (one.code, one.predicted, one.seen))] for one in view.foretold
        ],
        "attempts": [[verdict, _shown(why)] for verdict, why in view.attempts],
        "kept": [[what, _shown(command)] for what, command in view.kept],
        "repeat": _shown(view.repeat),
    }
    return {name: value for name, value in said.items() if value}


def _before(cells: pd.DataFrame, earlier: Sequence[Earlier]) -> dict[str, Any]:
    """Give each cell's verdicts in the runs before: a letter for each run, a space where it was not planned."""
    if not earlier:
        return {}
    rows = [
        cells["cell"].map(each.cells.drop_duplicates("cell").set_index("cell")["verdict"].astype("string")).tolist()
        for each in earlier
    ]
    letters = {verdict.value: letter for verdict, letter in LETTERS.items()}
    return {
        "runs": [_shown(f"{each.began:%Y-%m-%d %H:%M}" if each.began else each.name, 60) for each in earlier],
        "verdicts": ["".join(letters.get(value, " ") for value in each) for each in zip(*rows, strict=True)],
    }


def _placed(values: Sequence[Any], names: Names, shown: Callable[[Any], Any]) -> list[int]:
    """Give each value the place of what is shown of it; what comes back with every cell is looked at once."""
    places = {value: names(shown(value)) for value in dict.fromkeys(values)}
    return list(map(places.__getitem__, values))


def _facts(guest: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((_shown(name.replace("_", " "), 60), _shown(value, 300)) for name, value in guest)


def _pieces(pieces: Iterable[tuple[str, str, str]]) -> tuple[tuple[str, str, str], ...]:
    return tuple((_shown(name, 200), kind, path) for name, kind, path in pieces)


def _folder(result: Result | None) -> tuple[str, tuple[tuple[str, str, str], ...]]:
    """Split a cell's evidence into the folder that only it has and the file names that many cells share."""
    if result is None or not result.evidence:
        return "", ()
    folder = result.evidence[0].path.rpartition("/")[0]
    name = folder.removeprefix("evidence/")
    inside = f"{folder}/"
    # most folders are named after their cell, and the script knows how: then only the mark behind the name is kept
    named = name.removesuffix(name[-8:]) == f"{_plain(result.cell)}-"
    return name[-8:] if named else f"/{name}", tuple(
        [(piece.name, piece.kind, piece.path.removeprefix(inside)) for piece in result.evidence]
    )


def _plain(cell: str) -> str:
    return _ODD.sub("-", cell.lower()).strip("-. ")[:60].strip("-. ").replace(".", "-")


def _times(taken: Sequence[Sequence[Step]]) -> tuple[list[int], list[int]]:
    """Give the time of every step, and what passed between the end of the one before it (or the start) and it."""
    steps = [step for steps in taken for step in steps]
    started = np.array([step.started for step in steps], dtype=float)
    seconds = np.array([step.seconds for step in steps], dtype=float)
    numbers = np.array([len(steps) for steps in taken], dtype=int)
    ended = np.roll(started + seconds, 1)
    ended[(np.cumsum(numbers) - numbers)[numbers > 0]] = 0.0
    return _hundredths(seconds), _hundredths(started - ended)


def _hundredths(seconds: np.ndarray) -> list[int]:
    with np.errstate(invalid="ignore", over="ignore"):
        # also where it is no number
        rounded = np.where(np.abs(seconds) < 1e9, np.rint(seconds * 100), -1)
    return [int(value) for value in rounded.astype(np.int64).tolist()]


@lru_cache(maxsize=10_000)  # the same words come back with every cell
def _shown(text: str, most: int = _LONGEST) -> str:
    return visible(clipped(text, most))
