"""Every wait of the scenarios, by name; no other sleep exists there."""

from __future__ import annotations

import time
from collections.abc import Callable

import tenacity


def until_programs_have_ended(within: float, *, sleep: Callable[[float], None] = time.sleep) -> tenacity.Retrying:
    """Look again while programs that an installer has begun still run; the last answer is returned in the end."""
    return until_the_removal_settles(within, sleep=sleep)


def until_the_removal_settles(within: float, *, sleep: Callable[[float], None] = time.sleep) -> tenacity.Retrying:
    """Look again while an uninstaller that has returned already is still at work, and on nothing else.

    The attempt answers with what is left; the last answer is returned when ``within`` seconds are over.
    """
    return tenacity.Retrying(
        retry=tenacity.retry_if_result(bool),
        wait=tenacity.wait_fixed(0.25),
        stop=tenacity.stop_before_delay(within),
        sleep=sleep,
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
