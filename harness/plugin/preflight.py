"""Packages are read while the cells run, on the controller and in a thread of its own, so that no cell waits for it."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from harness.builds import Build

if TYPE_CHECKING:
    from harness.matrix import Matrix
    from harness.predictions import Preflight
    from harness.predictions.inspected import Inspected
    from harness.predictions.inspecting import Wanted
    from harness.results.plan import PlannedCell

WITHIN = 60.0  # seconds that the end of a run waits for packages that are still being read


class Reading:
    """Reads each package once; `finish` gives what was said of them."""

    def __init__(self, matrices: Iterable[Matrix], cells: Sequence[PlannedCell]) -> None:
        self._wanted: dict[str, Wanted] = {}
        self._cells: dict[str, str] = {}
        self._read: dict[str, Inspected] = {}
        self._ended = threading.Event()
        self._name(list(matrices), cells)
        self._thread = threading.Thread(target=self._work, name="wincompat-preflight", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def finish(self, within: float = WITHIN) -> Preflight:
        """Wait for what is still being read, for ``within`` seconds at most, and give everything.

        What was being downloaded for a cell when it was looked for is read now.
        """
        from harness.predictions import Inspected, Preflight

        until = time.monotonic() + within
        self._thread.join(within)
        self._ended.set()
        with warnings.catch_warnings(action="ignore"):  # a test of the run may have made errors of them
            for key, one in self._wanted.items():
                known = self._read.get(key)
                if known is not None and known.trouble and time.monotonic() < until:
                    self._read[key] = _inspected(one)
        late = "it could not be inspected in time"
        packages = {
            key: self._read.get(key) or Inspected(product=one.product.id, version=one.version, trouble=late)
            for key, one in self._wanted.items()
        }
        return Preflight(packages=packages, cells=self._cells)

    def _name(self, matrices: Sequence[Matrix], cells: Sequence[PlannedCell]) -> None:
        from harness.predictions.inspecting import wanted

        products = {name: (one, matrix.builds) for matrix in matrices for name, one in matrix.products.items()}
        for cell in cells:
            if cell.skip is not None or cell.product not in products:
                continue
            product, builds = products[cell.product]
            try:
                one = wanted(product, cell.scenario, cell.leg, {Build(build.number) for build in builds})
                key = one.key
            except ValueError:  # a list of hashes that cannot be read is told by the cell that needs it
                continue
            self._wanted.setdefault(key, one)
            self._cells[cell.cell] = key

    def _work(self) -> None:
        for key, one in self._wanted.items():
            if self._ended.is_set():
                return
            self._read[key] = _inspected(one)


def _inspected(one: Wanted) -> Inspected:
    from harness.predictions.inspecting import inspected

    return inspected(one)
