"""Which cells a run will run: selected by the options, named without doubles, written down before the first begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.plugin.nodes import cell_key, matrix_key
from harness.plugin.reading import serves
from harness.plugin.settings import settings_key

if TYPE_CHECKING:
    from harness.matrix import Cell, Matrix
    from harness.plugin.settings import Settings
    from harness.results.plan import PlannedCell, PlannedIssue, PlannedNote, PlannedPackage

name_key = pytest.StashKey[str]()


def is_cell(item: pytest.Item) -> bool:
    """Whether a test stands for a cell of a matrix."""
    return cell_key in item.stash


def deselect(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the cells that ``--build``, ``--product`` and ``--scenario`` do not name; other tests stay."""
    settings = config.stash[settings_key]
    left_out = [item for item in items if is_cell(item) and not _selected(item.stash[cell_key], settings)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]


def _selected(cell: Cell, settings: Settings) -> bool:
    return (
        (not settings.builds or any(serves(cell.build, build) for build in settings.builds))
        and (not settings.products or cell.product in settings.products)
        and (not settings.scenarios or cell.scenario in settings.scenarios)
    )


def name_cells(items: Iterable[pytest.Item]) -> None:
    """Give every cell a name that no other cell of the run has.

    It is the cell's id; where two matrices or two tests plan the same id, the matrix's or the test's place is added.
    """
    cells = [item for item in items if is_cell(item)]
    once = Counter(item.stash[cell_key].id for item in cells)
    for item in cells:
        identity = item.stash[cell_key].id
        item.stash[name_key] = identity if once[identity] == 1 else f"{item.nodeid.partition('::')[0]}::{identity}"
    twice = Counter(item.stash[name_key] for item in cells)
    for item in cells:
        if twice[item.stash[name_key]] > 1:
            item.stash[name_key] = item.nodeid


def spread(items: list[pytest.Item]) -> None:
    """Put cells of different builds side by side: workers take what lies together, and a build has few machines."""
    lanes: dict[object, list[pytest.Item]] = {}
    for item in items:
        lanes.setdefault(item.stash[cell_key].build if is_cell(item) else None, []).append(item)
    items[:] = [item for row in zip_longest(*lanes.values()) for item in row if item is not None]


def planned(items: Sequence[pytest.Item]) -> list[PlannedCell]:
    """Describe the selected cells, in the order they were collected."""
    from harness.results.plan import PlannedCell

    return [
        PlannedCell.of(item.stash[cell_key], item.stash[matrix_key], name=item.stash[name_key], node=item.nodeid)
        for item in items
        if is_cell(item)
    ]


def whole_of(cells: Sequence[PlannedCell], matrices: Iterable[Matrix], root: Path) -> int:
    """Count the cells of the matrices that were collected, also those that nobody asked for, and a team's own tests."""
    files = {(root / cell.node.partition("::")[0]).resolve() for cell in cells}
    collected = [matrix for matrix in matrices if matrix.path.resolve() in files]
    own = sum(not cell.node.partition("::")[0].endswith(".toml") for cell in cells)
    return own + sum(sum(1 for _ in matrix.cells()) for matrix in collected)


def packages_of(matrices: Iterable[Matrix]) -> list[PlannedPackage]:
    """Name every package of the matrices' products by its hash, so that a release can be held against what was run."""
    from harness.results.plan import PlannedPackage

    found = [
        PlannedPackage(
            product=product.id,
            version=version.version,
            file=version.file_name,
            sha256=version.expected_sha256(),
            newest=version.version == product.newest,
        )
        for matrix in matrices
        for product in matrix.products.values()
        for version in product.versions
    ]
    return list(dict.fromkeys(found))  # two matrices may share a product


def issues_of(matrices: Iterable[Matrix]) -> list[PlannedIssue]:
    """Describe the known issues, with how many cells of its matrix each is about."""
    from harness.results.plan import PlannedIssue

    return [
        PlannedIssue(
            **{name: getattr(issue, name) for name in ("id", "ticket", "reason", "expires", "where", "owner")},
            cells=sum(cell.skip is None and issue.holds(cell) for cell in matrix.cells()),
        )
        for matrix in matrices
        for issue in matrix.known_issues
    ]


def notes_of(matrices: Iterable[Matrix]) -> list[PlannedNote]:
    """Read what was written about failures of earlier runs; raises AuthoringError."""
    from harness.results.plan import PlannedNote
    from harness.triage import read_notes

    files = dict.fromkeys(matrix.triage for matrix in matrices)
    return [PlannedNote(**note.model_dump()) for file in files for note in read_notes(file)]


def matrices_of(items: Iterable[pytest.Item]) -> list[Path]:
    """Find the matrix files that the selected cells come from."""
    return list(dict.fromkeys(item.stash[matrix_key].path for item in items if is_cell(item)))
