"""What holds for every product without being declared: rules over what an installer did to a guest."""

from harness.expectations.finding import Cause, Finding
from harness.expectations.phase import Phase
from harness.expectations.rules import findings

__all__ = ["Cause", "Finding", "Phase", "findings"]
