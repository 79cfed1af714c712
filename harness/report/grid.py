"""The plain grid: products, scenarios and legs down, builds across; what is read where no script runs."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from harness.report.marks import LETTERS, arrow, build_order
from harness.report.view import CellView, GridGroup, GridRow, Square
from harness.results import words

_COLUMNS = ["cell", "build", "product", "kind", "scenario", "leg", "verdict", "seconds", "steps"]


def grid(cells: pd.DataFrame, told: Mapping[str, CellView]) -> tuple[GridGroup, ...]:
    """Arrange all cells; only the ``told`` ones have a place on the page to lead to."""
    columns = build_order(cells)
    untold = {verdict.value: Square(letter, verdict.value, "", "") for verdict, letter in LETTERS.items()}
    groups: dict[tuple[str, str], dict[tuple[str, str], dict[str, Square]]] = {}
    for cell, build, product, kind, scenario, leg, verdict, seconds, steps in zip(
        *(cells[column].tolist() for column in _COLUMNS), strict=True
    ):
        view = told.get(cell)
        if view:
            square = Square(view.style, verdict, view.key, words.seconds(seconds) if steps else "")
        else:
            square = untold[verdict]
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
