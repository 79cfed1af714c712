"""Waiting for what another process or thread is to bring about."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(
    holds: Callable[[], object], within: float = 120, *, pause: float = 0.01, else_say: str = "it never came about"
) -> None:
    """Wait until something holds, looking again after each ``pause``; fails after ``within`` seconds."""
    patience = time.monotonic() + within
    while not holds():
        assert time.monotonic() < patience, else_say
        time.sleep(pause)
