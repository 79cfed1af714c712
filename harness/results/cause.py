"""Why a cell did not pass, as a class that a person can act on."""

from __future__ import annotations

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
