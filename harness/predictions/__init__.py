"""What was predicted of a package before it was run, held against what a run has seen."""

from harness.predictions.comparing import Comparison, Standing, compare, contradictions
from harness.predictions.inspected import Inspected, Preflight

__all__ = ["Comparison", "Inspected", "Preflight", "Standing", "compare", "contradictions"]
