"""Every wait for a guest, by name: what is tried again, how often, and for how long."""

from __future__ import annotations

from collections.abc import Callable

import tenacity

from harness.errors import GuestRefused

Clock = Callable[[], float]
Sleep = Callable[[float], None]

CONNECT = 1.0
"""Seconds for one TCP connection to a booting guest: one that drops packets must not eat the budget."""

REFUSAL_GRACE = 10.0
"""Seconds that a booting guest may refuse a right password, from its first refusal on."""

REFUSAL_PAUSE = 2.0
"""Seconds between refused log-ins: with the grace above at most six, below Windows' lock-out threshold of ten."""


def until_the_guest_is_ready(
    within: float, *, grace: float, retry: Callable[[BaseException], bool], clock: Clock, sleep: Sleep
) -> tenacity.Retrying:
    """Keep knocking on a guest that boots: every 25 ms at first, in the end every 1.5 s, more rarely if refused."""
    started = clock()
    first_refusal: float | None = None

    def again(error: BaseException) -> bool:
        nonlocal first_refusal
        if isinstance(error, GuestRefused):
            first_refusal = clock() if first_refusal is None else first_refusal
            return clock() - first_refusal < grace
        return retry(error)

    knocking = tenacity.wait_exponential(multiplier=0.025, exp_base=1.1, max=1.5)

    def pause(state: tenacity.RetryCallState) -> float:
        refused = state.outcome is not None and isinstance(state.outcome.exception(), GuestRefused)
        return min(REFUSAL_PAUSE, grace) if refused else knocking(state)

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(again),
        wait=pause,
        stop=lambda _: clock() - started >= within,
        sleep=sleep,
        reraise=True,
    )


def until_the_guest_answers_again(
    patience: float,
    *,
    on: tuple[type[BaseException], ...],
    before: Callable[[], None],
    clock: Clock,
    sleep: Sleep,
) -> tenacity.Retrying:
    """Ride out a short silence in the middle of a step; ``before`` runs before each further try."""
    started = clock()
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(on),
        wait=tenacity.wait_exponential(multiplier=0.05, max=1.0),
        stop=lambda _: clock() - started >= patience,
        before_sleep=lambda _: before(),
        sleep=sleep,
        reraise=True,
    )
