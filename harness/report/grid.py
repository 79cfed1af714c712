"""The plain grid: products, scenarios and legs down, builds across; what is read where no script runs."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from harness.report.marks import LETTERS, arrow, build_order
from harness.report.view import CellView, GridGroup, GridRow, Square
from harness.results import words
from harness.results.result import Verdict

_COLUMNS = ["cell", "build", "product", "kind", "scenario", "leg", "verdict", "seconds", "steps"]


def grid(cells: pd.DataFrame, told: Mapping[str, CellView]) -> tuple[GridGroup, ...]:
    """Arrange all cells; only the ``told`` ones have a place on the page to lead to."""
    columns = build_order(cells)
    groups: dict[tuple[str, str], dict[tuple[str, str], dict[str, Square]]] = {}
    for cell, build, product, kind, scenario, leg, verdict, seconds, steps in zip(
        *(cells[column].tolist() for column in _COLUMNS), strict=True
    ):
        view = told.get(cell)
        square = Square(
            view.style if view else LETTERS[Verdict(verdict)],
            verdict,
            view.key if view else "",
            words.seconds(seconds) if view and steps else "",
        )
        story = (scenario, arrow(leg))
        groups.setdefault((product, kind), {}).setdefault(story, {})[build] = square
    return tuple(
        GridGroup(
            product=product,
            kind=kind,
            rows=tuple(
                GridRow(scenario=scenario, leg=leg, squares=tuple(by_build.get(build) for build in columns))
                for (scenario, leg), by_build in stories.items()
            ),
        )
        for (product, kind), stories in groups.items()
    )
