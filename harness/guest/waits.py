"""Every wait for a guest, by name: what is tried again, how often, and for how long."""

from __future__ import annotations

from collections.abc import Callable

import tenacity

from harness.errors import GuestRefused, GuestUnreachable, SiteError

Clock = Callable[[], float]
Sleep = Callable[[float], None]

KNOCK = 0.025
"""Seconds between two knocks on the port of a booting guest: a refused or lost one costs next to nothing."""

BRISK = 0.4
"""Seconds that a knock is waited for; the next ones are under way meanwhile."""

PATIENT = 3.0
"""Seconds that one knock at a time is waited for: as long as the system itself needs to find a neighbour."""

LOOK_UP = 5.0
"""Seconds after which whoever knocks looks up: whether the guest is still ours, and anything to be waited for."""

STALE_GRACE = 30.0
"""Seconds that a Windows from before the revert may go on answering, from its first answer on."""

STALE_PAUSE = 0.5
"""Seconds between two looks whether it still does: each is a command in a guest that is to go away."""

REFUSAL_GRACE = 10.0
"""Seconds that a booting guest may refuse a right password, from its first refusal on."""

REFUSAL_PAUSE = 2.0
"""Seconds between refused log-ins: with the grace above at most six, below Windows' lock-out threshold of ten."""


class GuestStale(GuestUnreachable):
    """The guest that answers is the one from before the revert."""


def until_the_guest_is_ready(
    within: float, *, grace: float, retry: Callable[[BaseException], bool], clock: Clock, sleep: Sleep
) -> tenacity.Retrying:
    """Keep asking a guest whose port is open: every 50 ms at first, then every 3 % of the time it has taken so far.

    A guest that refuses the account is asked more rarely, and one from before the revert for ``STALE_GRACE`` seconds.
    """
    started = clock()
    first: dict[type[SiteError], float] = {}

    def again(error: BaseException) -> bool:
        for kind, patience in ((GuestRefused, grace), (GuestStale, STALE_GRACE)):
            if isinstance(error, kind):
                return clock() - first.setdefault(kind, clock()) < patience
        return retry(error)

    knocking = tenacity.wait_exponential(multiplier=0.05, exp_base=1.03, max=0.5)

    def pause(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        if isinstance(error, GuestRefused):
            return min(REFUSAL_PAUSE, grace)
        return STALE_PAUSE if isinstance(error, GuestStale) else knocking(state)

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
