"""The wait for a machine."""

from __future__ import annotations

import time
from collections.abc import Callable

import tenacity


class AllHeld(Exception):
    """Every machine that would serve is held by someone else, or promised to someone who waits for longer."""


def until_a_machine_is_free(
    within: float, *, patient: Callable[[BaseException], bool], sleep: Callable[[float], None] = time.sleep
) -> tenacity.Retrying:
    """Keep asking while others hold every machine that serves; ``patient`` says what else is ridden out."""
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda error: isinstance(error, AllHeld) or patient(error)),
        wait=tenacity.wait_random(0.05, 0.25),
        stop=tenacity.stop_before_delay(within),
        sleep=sleep,
        reraise=True,
    )
