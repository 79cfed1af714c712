"""The one wait of a notice: for an address that does not take it yet."""

from __future__ import annotations

import time
from collections.abc import Callable

import tenacity


class NotTaken(Exception):
    """The address did not take the message and may do so later; ``after`` is the seconds that it asks for."""

    def __init__(self, words: str, after: float = 0.0) -> None:
        super().__init__(words)
        self.after = after


def until_it_is_taken(within: float, *, sleep: Callable[[float], None] = time.sleep) -> tenacity.Retrying:
    """Try again what may be taken later, never past the budget; an address may ask to be left alone for a while."""
    growing = tenacity.wait_exponential(multiplier=0.5, max=8)

    def pause(state: tenacity.RetryCallState) -> float:
        raised = state.outcome.exception() if state.outcome is not None else None
        asked = raised.after if isinstance(raised, NotTaken) else 0.0
        return max(asked, growing(state))

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(NotTaken),
        wait=pause,
        stop=tenacity.stop_before_delay(within),
        sleep=sleep,
        reraise=True,
    )
