"""Steps: named, timed, and honest about their end."""

from __future__ import annotations

import pytest

from harness.errors import GuestLost
from harness.scenarios.steps import Steps


def test_a_step_that_raises_is_still_timed() -> None:
    """A failed step keeps its time and the first line of why."""
    ticks = iter([0.0, 10.0, 12.5])
    steps = Steps(clock=lambda: next(ticks))
    with pytest.raises(GuestLost), steps("upgrade"):
        raise GuestLost("gone", machine="vm", advice="look")
    (step,) = steps.taken
    assert (step.name, step.started, step.seconds, step.error) == ("upgrade", 10.0, 2.5, "vm: gone; look")


def test_the_innermost_step_is_the_broken_one() -> None:
    """Steps may hold steps; the failure is told of the one in which it happened."""
    steps = Steps()
    with steps("well"):
        pass
    with pytest.raises(ValueError, match="no"), steps("outer"), steps("inner"):
        raise ValueError("no")
    assert steps.broken == "inner"


def test_whoever_watches_is_told_when_a_step_begins() -> None:
    """The name is told before the step's work, so that a hanging step can be seen."""
    told: list[str] = []
    steps = Steps(tell=told.append)
    with steps("install"):
        assert told == ["install"]
