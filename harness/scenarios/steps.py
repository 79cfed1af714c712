"""Steps: the named, timed parts of a scenario."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Taken:
    """A step that was begun; ``seconds`` and ``error`` are known when it has ended."""

    name: str
    started: float
    seconds: float | None = None
    error: str | None = None


@dataclass(slots=True)
class Steps:
    """Times the steps of one cell, in seconds on a clock that starts with the cell.

    ``tell`` is called with a step's name when it begins, so that someone can watch.
    """

    clock: Callable[[], float] = time.monotonic
    tell: Callable[[str], None] = lambda _name: None
    taken: list[Taken] = field(default_factory=list)
    origin: float = field(init=False)

    def __post_init__(self) -> None:
        self.origin = self.clock()

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time a step; a step that raises is timed too, and keeps the first line of what it raised."""
        __tracebackhide__ = True
        step = Taken(name=name, started=self.clock() - self.origin)
        self.taken.append(step)
        self.tell(name)
        try:
            yield
        except BaseException as error:
            words = str(error).strip().splitlines()
            step.error = words[0] if words else type(error).__name__
            raise
        finally:
            step.seconds = self.clock() - self.origin - step.started

    @property
    def seconds(self) -> float:
        """How long the cell has taken up to now."""
        return self.clock() - self.origin

    @property
    def broken(self) -> str:
        """The name of the innermost step that raised first, or nothing."""
        raised = [step for step in self.taken if step.error is not None]
        return raised[-1].name if raised else ""
