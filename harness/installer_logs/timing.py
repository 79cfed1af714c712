"""How long each action took: a stack of the open ones, and the sums of those that ended."""

from __future__ import annotations

from harness.installer_logs.clock import between
from harness.installer_logs.reading import ActionTime

_MOST = 5_000
_DEEPEST = 500


class Timing:
    """Adds up the seconds of actions by name; what runs within another counts for both.

    Bounded, whatever a broken log claims: names beyond 5,000 and depths beyond 500 are not kept.
    """

    def __init__(self) -> None:
        self._open: list[tuple[str, float, bool]] = []
        self._sums: dict[tuple[str, bool], tuple[float, int]] = {}
        self._step: tuple[str, float] | None = None

    @property
    def running(self) -> tuple[str, ...]:
        """The open actions, innermost first."""
        return tuple(name for name, _, _ in reversed(self._open))

    def start(self, name: str, at: float, *, deferred: bool = False) -> None:
        """Open an action."""
        if len(self._open) < _DEEPEST:
            self._open.append((name, at, deferred))

    def end(self, name: str, at: float) -> None:
        """Close the innermost action of that name, with all that was left open within it."""
        for depth in range(len(self._open) - 1, -1, -1):
            if self._open[depth][0] == name:
                _, since, deferred = self._open[depth]
                del self._open[depth:]
                self._add(name, between(since, at), deferred=deferred)
                return

    def step(self, name: str, at: float) -> None:
        """Begin a step of the script, which ends the one before; an empty name only ends that."""
        if self._step is not None:
            self._add(self._step[0], between(self._step[1], at), deferred=True)
        self._step = (name, at) if name else None

    def taken(self) -> tuple[ActionTime, ...]:
        """Give the sums, the slowest first."""
        made = [
            ActionTime(name=name, seconds=round(seconds, 3), times=times, deferred=deferred)
            for (name, deferred), (seconds, times) in self._sums.items()
        ]
        return tuple(sorted(made, key=lambda one: (-one.seconds, one.name)))

    def _add(self, name: str, seconds: float, *, deferred: bool) -> None:
        key = (name, deferred)
        if key in self._sums or len(self._sums) < _MOST:
            before, times = self._sums.get(key, (0.0, 0))
            self._sums[key] = (before + seconds, times + 1)
