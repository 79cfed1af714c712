"""Which cell is at which step, while it runs: a status line on a terminal, now and then a line in a log."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from typing import TextIO

from harness.results.running import At

# Draw below the line that pytest is writing, and come back: ESC D goes one row down and scrolls where it must, which
# saving and restoring the cursor alone would not survive on the last row.
_DOWN = "\x1bD"
_HERE = "\x1b7"
_BELOW = "\x1b[B\r\x1b[J"  # the next row, and nothing left on it and below
_NEXT = "\x1b[B\r"
_BACK = "\x1b8"


class Progress:
    """Watches the workers from a thread of the controller and says where they are.

    It writes to a copy of the terminal's descriptor made while pytest captured nothing, so that it neither disturbs
    capturing nor is captured.
    """

    def __init__(
        self,
        stream: TextIO,
        where: Callable[[], Iterable[At]],
        done: Callable[[], tuple[int, int]],
        *,
        every: float | None = None,
        draw: Callable[[int], list[str]] | None = None,
    ) -> None:
        """Watch; ``draw`` makes rows out of a terminal's width, in place of the one line (--live)."""
        stream.flush()  # into a pipe or a file, what pytest said before would otherwise come after the first lines
        self._descriptor = os.dup(stream.fileno())
        self._live = stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._every = every if every is not None else (0.5 if self._live else 15.0)
        self._draw = draw
        self._where = where
        self._done = done
        self._stop = threading.Event()
        self._drawn = threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="wincompat-progress", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching and leave the terminal clean."""
        self._stop.set()
        self._thread.join()
        self.clear()
        os.close(self._descriptor)

    def clear(self) -> None:
        """Take the status line away before somebody else writes."""
        if self._live:
            self._write(_rows([""]))

    def _watch(self) -> None:
        while not self._stop.wait(self._every):
            if self._live and self._draw is not None:
                size = shutil.get_terminal_size()
                try:
                    rows = self._draw(size.columns - 1)[: max(1, size.lines // 2)]
                except Exception:  # noqa: BLE001 - whatever is wrong with the view, the run goes on without it
                    self._draw = None
                    continue
                self._write(_rows(rows))
            elif line := line_of(self._where(), self._done(), now=time.time()):
                if self._live:
                    width = shutil.get_terminal_size().columns
                    self._write(_rows([f"\x1b[2m{line[: width - 1]}\x1b[0m"]))
                else:
                    self._write(f"\n{line}\n")

    def _write(self, text: str) -> None:
        with self._drawn:
            try:
                os.write(self._descriptor, text.encode("utf-8", "replace"))
            except OSError:
                self._stop.set()  # the terminal is gone; the run is not


def _rows(rows: list[str]) -> str:
    below = _BELOW + _NEXT.join(rows)
    return f"{_DOWN * len(rows)}\x1b[{len(rows)}A{_HERE}{below}{_BACK}"


def line_of(where: Iterable[At], done: tuple[int, int], *, now: float) -> str:
    """Say in one line how far the run is, or nothing when no cell is running."""
    running = [f"{at.worker + ': ' if at.worker else ''}{at.cell}: {at.step} ({now - at.since:.0f} s)" for at in where]
    return f"[{done[0]} of {done[1]} cells done] " + " | ".join(running) if running else ""
