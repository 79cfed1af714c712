"""The doctor's one wait: for a guest that it has started."""

from __future__ import annotations

import time
from collections.abc import Callable

import tenacity


class NotUpYet(Exception):
    """The guest does not answer so far; says what it does instead."""


def until_the_guest_is_up(
    within: float, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> tenacity.Retrying:
    """Keep knocking without an account: a log-in that a booting guest refuses would count against the account."""
    started = clock()
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(NotUpYet),
        wait=tenacity.wait_exponential(multiplier=0.1, max=2),
        stop=lambda _: clock() - started >= within,
        sleep=sleep,
        reraise=True,
    )
