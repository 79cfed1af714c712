"""What a bisection was asked: which row of candidates, for which product and scenario, and when it is sure."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from harness.bisect.search import Rule

Over = Literal["versions", "builds"]


BUDGET = 4 * 3600.0
"""Seconds that one cell may take in all: its wait for a machine, its steps, and the report of its run."""


class Asked(BaseModel):
    """A bisection as its command line said it; paths are absolute, so that it can be resumed from anywhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    matrix: Path
    over: Over = "versions"
    product: str | None = None
    build: str | None = None
    version: str | None = None
    from_version: str | None = None
    scenario: str | None = None
    good: str | None = None
    bad: str | None = None
    site: str | None = None  # a site file, "lab", or None for what pytest's ini file says
    confidence: float = 0.95
    noise: float = 0.05
    at_most: int = 60
    budget: float = BUDGET

    @property
    def rule(self) -> Rule:
        """When an answer is good enough."""
        return Rule(confidence=self.confidence, noise=self.noise, at_most=self.at_most)
