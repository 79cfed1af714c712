"""One thing that an installer did and should not have done, or the other way round."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why a cell did not pass, as a class that a person can act on; the first nine are the product's."""

    COMPATIBILITY = "compatibility"
    PERMISSION = "permission"
    PACKAGING = "packaging"
    ROLLBACK = "rollback"
    LEFTOVER = "leftover"
    REBOOT = "reboot"
    SIGNATURE = "signature"
    HANG = "hang"
    CRASH = "crash"
    ENVIRONMENT = "environment"
    LAB = "lab"
    HARNESS = "harness"

    @property
    def is_products(self) -> bool:
        """Whether the product has to change for it."""
        return self not in (Cause.ENVIRONMENT, Cause.LAB, Cause.HARNESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was seen: a ``code`` that never changes its meaning, a cause, a sentence, and the thing at fault."""

    code: str
    cause: Cause
    sentence: str
    subject: str = ""
