"""What ``tasklist`` prints, as plain values."""

from __future__ import annotations

from harness.guest.figures import rows

PROGRAMS = "tasklist /fo csv /nh"
"""The question whose answer `programs` reads."""


def programs(listed: str) -> frozenset[str]:
    """Read the names of the files that run, in small letters: the first column, which is in no language."""
    return frozenset(row[0].lower() for row in rows(listed) if len(row) > 1)
