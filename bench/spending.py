"""What a program costs that is run beside this one."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds of a program and all it started, in all their threads, and seconds on the clock."""

    cpu: float
    clock: float


def spend(words: Sequence[str | Path], *, cwd: Path | None = None) -> Spent:
    """Run a program to its end, from its start on, whatever it prints; raises CalledProcessError above exit code 1."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ended = subprocess.run(words, check=False, cwd=cwd, capture_output=True, text=True, errors="replace")
    clock, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode not in (0, 1):  # pytest's 1: tests failed, as they should
        print(ended.stdout[-2_000:], ended.stderr[-2_000:])
        ended.check_returncode()
    return Spent(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, clock)
