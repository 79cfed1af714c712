"""What the engine rides out, as a note of the cell that it happened to: a recovery is never silent.

The engine knows nothing of cells: it logs a warning where it had to help itself. One process runs one cell at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from harness.plugin.record import Record


class _Hearing(logging.Handler):
    def __init__(self, record: Record) -> None:
        super().__init__(logging.WARNING)
        self._record = record

    def emit(self, record: logging.LogRecord) -> None:
        words = " ".join(record.getMessage().split())
        if words not in self._record.notes:
            self._record.notes.append(words)


@contextmanager
def heard(record: Record) -> Iterator[None]:
    """Note every warning of the engine until the block ends."""
    engine, hearing = logging.getLogger("harness"), _Hearing(record)
    engine.addHandler(hearing)
    try:
        yield
    finally:
        engine.removeHandler(hearing)
