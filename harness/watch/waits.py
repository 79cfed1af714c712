"""The one wait of a watcher: from one look to the next."""

from __future__ import annotations

import time
from collections.abc import Callable

EVERY = 0.5  # seconds between two looks


def until_the_next_look(*, sleep: Callable[[float], None] = time.sleep) -> None:
    """Let the pause between two looks pass; how many there are is for the run, or for who watches, to say."""
    sleep(EVERY)
