"""What one command did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one command did in the guest: exit code (signed 32 bit), output as text, and seconds on our clock.

    ``truncated`` is true when more than the cap was printed; the head and the tail are kept.
    """

    command: str
    exit_code: int
    stdout: str
    stderr: str
    seconds: float
    truncated: bool = False

    @property
    def ok(self) -> bool:
        """Whether the exit code is 0; what other codes mean is the product's knowledge, not the guest's."""
        return self.exit_code == 0

    @property
    def text(self) -> str:
        """Both streams together, for a message or a search."""
        return self.stdout + self.stderr
