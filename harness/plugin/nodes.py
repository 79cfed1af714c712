"""Matrix files become ordinary tests: file > build > product > one test for each cell."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import AuthoringError
from harness.plugin.reading import matrix_at, scenarios_of

if TYPE_CHECKING:
    from harness.matrix import Cell, Matrix

cell_key = pytest.StashKey["Cell"]()
matrix_key = pytest.StashKey["Matrix"]()


class MatrixFile(pytest.File):
    """One matrix: its builds in order."""

    def collect(self) -> Iterator[pytest.Collector]:
        """Yield a node for each build; an author's mistake is one line."""
        try:
            matrix = matrix_at(self.config, self.path)
        except AuthoringError as error:
            raise self.CollectError(str(error)) from error
        for build, cells in groupby(matrix.cells(), key=lambda cell: cell.build):
            yield BuildNode.from_parent(self, name=build.slug, matrix=matrix, cells=tuple(cells))


class _CellsNode(pytest.Collector):
    def __init__(self, *, matrix: Matrix, cells: tuple[Cell, ...], **rest: Any) -> None:
        super().__init__(**rest)
        self.matrix = matrix
        self.cells = cells


class BuildNode(_CellsNode):
    """One Windows build: its products in order."""

    def collect(self) -> Iterator[pytest.Collector]:
        """Yield a node for each product."""
        for product, cells in groupby(self.cells, key=lambda cell: cell.product):
            yield ProductNode.from_parent(self, name=product, matrix=self.matrix, cells=tuple(cells))


class ProductNode(_CellsNode):
    """One product on one build: one ordinary test for each scenario and its versions."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield real test functions, so that fixtures and -k and -m just work."""
        scenarios = scenarios_of(self.config)
        for cell in self.cells:
            test = CellItem.from_parent(self, name=cell.name, callobj=scenarios[cell.scenario])
            test.stash[cell_key] = cell
            test.stash[matrix_key] = self.matrix
            test.add_marker(cell.scenario)
            if cell.skip is not None:
                test.add_marker(pytest.mark.skip(reason=cell.skip))
            yield test


class CellItem(pytest.Function):
    """A cell's test."""

    def __init__(self, name: str, parent: pytest.Collector, **rest: Any) -> None:
        super().__init__(name, parent, **rest)
        # Since 9.2 pytest keeps ids in parts, and takes "upgrade[1.0->2.0]" as one name here but as name and parameters
        # where it reads an id back (--lf, --junitxml, workers): give it the parts that it will read.
        identity = getattr(self, "id", None)
        if identity is not None:
            self._id = type(identity).parse(str(identity))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say that this test stands in the matrix, not in the scenario's source; pytest wants some line."""
        return self.path, 0, self.nodeid.partition("::")[2]
