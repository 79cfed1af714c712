"""A team's own Python tests as cells: ``@pytest.mark.matrix("matrices/demo.toml", scenario="...")``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.errors import AuthoringError
from harness.plugin.nodes import cell_key, matrix_key
from harness.plugin.reading import matrix_at

if TYPE_CHECKING:
    from harness.matrix import Cell, Matrix

_PARAMETER = "_wincompat_cell"


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Run a marked test once for each build and product of its matrix."""
    marker = metafunc.definition.get_closest_marker("matrix")
    if marker is None:
        return
    if len(marker.args) != 1:
        pytest.fail('write it like @pytest.mark.matrix("matrices/demo.toml")', pytrace=False)
    path = metafunc.config.rootpath / marker.args[0]
    try:
        matrix = matrix_at(metafunc.config, path)
    except AuthoringError as error:
        pytest.fail(str(error), pytrace=False)
    name = marker.kwargs.get("scenario") or metafunc.definition.originalname.removeprefix("test_")
    cells = _cells(matrix, name)
    metafunc.fixturenames.append(_PARAMETER)
    metafunc.parametrize(
        _PARAMETER,
        [pytest.param((matrix, cell), marks=_marks(cell)) for cell in cells],
        ids=[f"{cell.build.slug}::{cell.product}" for cell in cells],
    )


def _cells(matrix: Matrix, scenario: str) -> list[Cell]:
    """Take one cell of each build and product, for its newest version."""
    found: dict[tuple[object, str], Cell] = {}
    for cell in matrix.cells():
        found.setdefault((cell.build, cell.product), replace(cell, scenario=scenario, from_version=None, skip=None))
    return list(found.values())


def _marks(cell: Cell) -> list[pytest.MarkDecorator]:
    return [] if cell.skip is None else [pytest.mark.skip(reason=cell.skip)]


def adopt(item: pytest.Item) -> None:
    """Make a cell of a test that was parametrised here."""
    callspec = getattr(item, "callspec", None)
    if callspec is not None and _PARAMETER in callspec.params:
        item.stash[matrix_key], item.stash[cell_key] = callspec.params[_PARAMETER]
