"""Why a cell did not pass: a class decided by rules that are data, and a fingerprint that is the same everywhere."""

from harness.causes.deciding import decided
from harness.causes.fingerprint import fingerprint

__all__ = ["decided", "fingerprint"]
