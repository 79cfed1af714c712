"""A measured figure beside its target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, in which unit, and what it should be at most or at least; without either, to compare with."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    spread: Sequence[float] = ()

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )

    def __str__(self) -> str:
        limits = {"at most": self.at_most, "at least": self.at_least}
        limit = "".join(f"{word} {value:g}" for word, value in limits.items() if value is not None)
        verdict = "" if not limit else "met" if self.met else "MISSED"
        between = f"  ({min(self.spread):.2f} to {max(self.spread):.2f}, n={len(self.spread)})" if self.spread else ""
        return f"{self.name:<46} {self.value:9.2f} {self.unit:<9} {limit:<14} {verdict:<6}{between}".rstrip()
