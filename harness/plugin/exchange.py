"""What the controller and its workers tell each other: small files in one folder, written whole or not at all.

Without xdist the two are one process, and use the folder all the same: one way to do it is easier to trust.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.results.running import At, whereabouts

if TYPE_CHECKING:
    from harness.results.plan import PlannedCell

WORKER_INPUT = "wincompat_exchange"


@dataclass(frozen=True, slots=True)
class Posted:
    """What the controller posts before the first cell: where results go and which site serves the run."""

    run: Path
    site: Path


@dataclass(frozen=True, slots=True)
class Exchange:
    """The folder, as seen by one process."""

    folder: Path

    def post(self, posted: Posted) -> None:
        """Tell every worker where results go (controller)."""
        self._write("posted", {"run": str(posted.run), "site": str(posted.site)})

    def posted(self) -> Posted | None:
        """Read what the controller has posted, or None when it has not yet."""
        found = self._read("posted")
        return Posted(Path(found["run"]), Path(found["site"])) if found else None

    def plan(self, worker: str, cells: Sequence[PlannedCell], matrices: Sequence[Path]) -> None:
        """Tell the controller which cells were selected, and out of which matrices (worker)."""
        told = [cell.model_dump(mode="json") for cell in cells]
        self._write(f"plan-{worker}", {"cells": told, "matrices": [str(path) for path in matrices]})

    def planned(self, worker: str) -> tuple[tuple[PlannedCell, ...], tuple[Path, ...]]:
        """Read the cells that a worker has selected, and the matrices they are out of."""
        from harness.results.plan import PlannedCell

        found = self._read(f"plan-{worker}") or {"cells": [], "matrices": []}
        cells = tuple(PlannedCell.model_validate(cell) for cell in found["cells"])
        return cells, tuple(map(Path, found["matrices"]))

    def tell(self, worker: str, cell: str, step: str, machine: str = "") -> None:
        """Say at which step a worker is, and on which machine; an empty cell means that it is at none."""
        self._write(f"at-{worker}", {"cell": cell, "step": step, "since": time.time(), "machine": machine})

    def where(self) -> Iterator[At]:
        """Read where every worker is."""
        return whereabouts(self.folder)

    def remove(self) -> None:
        """Take the folder away (controller)."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, name: str, content: dict[str, Any]) -> None:
        part = self.folder / f".{name}.part"
        try:
            part.write_text(json.dumps(content), "utf-8")
            part.replace(self.folder / name)
        except FileNotFoundError:
            pass  # the controller is gone and took the folder with it: nobody reads this any more

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            content: dict[str, Any] = json.loads((self.folder / name).read_text("utf-8"))
        except FileNotFoundError:
            return None
        return content


exchange_key = pytest.StashKey[Exchange]()


def worker_of(config: pytest.Config) -> str:
    """Name this process as xdist does (``gw0``); an empty name when there are no workers."""
    return str(getattr(config, "workerinput", {}).get("workerid", ""))


def is_worker(config: pytest.Config) -> bool:
    """Whether this process only runs cells, and another one plans and records."""
    return hasattr(config, "workerinput")


def exchange_of(config: pytest.Config) -> Exchange:
    """Open the folder: the controller makes it when it is first wanted, workers are told where it is."""
    if exchange_key not in config.stash:
        told = getattr(config, "workerinput", {}).get(WORKER_INPUT)
        config.stash[exchange_key] = Exchange(Path(told or tempfile.mkdtemp(prefix="wincompat-")))
    return config.stash[exchange_key]
