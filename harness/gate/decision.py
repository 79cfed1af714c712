"""Ship or hold, with every reason: the gate's answer as plain values, and as the file ``gate.json``."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.results.decided import FILE as FILE  # results read it, too
from harness.results.run import write_whole

SCHEMA = 1


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Reason(_Plain):
    """One thing that the gate has to say: the rule, a sentence, the cells it is about, and where it counts, limits."""

    rule: str
    sentence: str
    cells: tuple[str, ...] = ()
    limit: str = ""
    seen: str = ""


class Waived(_Plain):
    """A waiver as it was met: what it covers, or in ``flaw`` why it does not count."""

    id: str
    reason: str
    person: str
    signed_off: date | None
    expires: date
    flaw: str = ""
    covers: tuple[Reason, ...] = ()


class BuildLine(_Plain):
    """One build: whether it blocks or warns and why, and how many of its planned cells passed."""

    build: str
    name: str
    act: str
    because: str
    planned: int
    passed: int


class Decision(_Plain):
    """The gate's answer.

    ``reasons`` hold; ``warnings`` do not; ``accepted`` are known issues and what stays within its budget; ``waivers``
    says of each what it covers. ``missing`` is true where there was too little to judge by.
    """

    gate: int = SCHEMA
    word: Literal["ship", "hold"]
    sentence: str
    run: str = ""
    matrix: str = ""
    policy: str = ""
    decided: datetime
    started: datetime | None = None
    is_lab: bool = False
    provenance: str = ""
    artifacts: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    builds: tuple[BuildLine, ...] = ()
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()
    accepted: tuple[Reason, ...] = ()
    waivers: tuple[Waived, ...] = ()
    missing: bool = False

    @property
    def ships(self) -> bool:
        """Whether nothing stands in the way."""
        return self.word == "ship"

    def write(self, target: Path) -> None:
        """Write it as JSON, whole or not at all."""
        write_whole(target, self.model_dump_json(indent=1) + "\n")


def read_decision(path: Path) -> Decision | None:
    """Read what a gate has written, or None where there is nothing that can be read."""
    try:
        return Decision.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
