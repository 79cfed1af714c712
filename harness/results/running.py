"""Where a run that is going on can be looked at: a note in its folder, which goes when the run ends.

Nobody who runs cells ever reads it, and nobody who reads it writes anything: watching changes no run.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

NOTE = "running.json"


@dataclass(frozen=True, slots=True)
class At:
    """Where a worker is; ``since`` is the wall clock's seconds, because two processes read it."""

    worker: str
    cell: str
    step: str
    since: float
    machine: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """The process that runs, and the folder in which its workers say where they are."""

    pid: int
    host: str
    exchange: Path

    @property
    def is_alive(self) -> bool | None:
        """Whether the process is still there; None where that cannot be known: on another host, or on Windows."""
        if self.host != platform.node() or os.name == "nt":
            return None  # on Windows, os.kill would end it
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True  # it is somebody else's
        return True


def announce(run: Path, exchange: Path) -> None:
    """Leave the note; a disk that does not take it costs the watchers, not the run."""
    note = {"pid": os.getpid(), "host": platform.node(), "exchange": str(exchange)}
    part = run / f".{NOTE}.part"
    with suppress(OSError):
        part.write_text(json.dumps(note), "utf-8")
        part.replace(run / NOTE)


def withdraw(run: Path) -> None:
    """Take the note away: the run has ended by itself."""
    with suppress(OSError):
        (run / NOTE).unlink()


def running(run: Path) -> Running | None:
    """Read the note; None where there is none, or one that says nothing."""
    try:
        note = json.loads((run / NOTE).read_text("utf-8"))
        return Running(int(note["pid"]), str(note["host"]), Path(note["exchange"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def whereabouts(exchange: Path) -> Iterator[At]:
    """Read where every worker is; what cannot be read is passed over."""
    for file in sorted(exchange.glob("at-*")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            found = json.loads(file.read_text("utf-8"))
            if found["cell"]:
                yield At(
                    file.name.removeprefix("at-"),
                    str(found["cell"]),
                    str(found["step"]),
                    float(found["since"]),
                    str(found.get("machine", "")),
                )
