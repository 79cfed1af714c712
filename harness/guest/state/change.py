"""One difference between two states, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Did = Literal["added", "changed", "removed"]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: what kind of thing (``area``), what became of it, which one, and ``detail`` if any."""

    area: str
    did: Did
    subject: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.area} {self.did}: {self.subject}" + (f" ({self.detail})" if self.detail else "")

    @property
    def as_leftover(self) -> str:
        """Say it of a guest that should be as it was before."""
        how = {"added": _STILL.get(self.area, "is left"), "changed": "is not as it was", "removed": "is gone"}[self.did]
        name = self.subject if self.area in ("file", "folder") else f"{self.area} {self.subject}"
        return f"{name} {how}" + (f" ({self.detail})" if self.detail else "")


_STILL = {
    "service": "is still registered",
    "driver": "is still registered",
    "uninstall entry": "is still in the list of programs",
    "running service": "still runs",
    "system PATH entry": "is still there",
    "user PATH entry": "is still there",
    "scheduled task": "is still scheduled",
}
