"""Waiting for what another process or thread is to bring about."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest


def until(
    holds: Callable[[], object], within: float = 120, *, pause: float = 0.01, else_say: str = "it never came about"
) -> None:
    """Wait until something holds, looking again after each ``pause``; fails after ``within`` seconds."""
    patience = time.monotonic() + within
    while not holds():
        assert time.monotonic() < patience, else_say
        time.sleep(pause)


def begun(patch: pytest.MonkeyPatch, owner: type, name: str) -> threading.Event:
    """Tell, from now on, when a coroutine method of a class has been called in a server beside the test."""
    called, known = threading.Event(), getattr(owner, name)

    async def noticed(*given: Any, **named: Any) -> Any:
        called.set()
        return await known(*given, **named)

    patch.setattr(owner, name, noticed)
    return called
