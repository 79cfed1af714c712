"""What ``tasklist`` prints, as plain values."""

from __future__ import annotations

import csv

PROGRAMS = "tasklist /fo csv /nh"
"""The question whose answer `programs` reads."""


def programs(listed: str) -> frozenset[str]:
    """Read the names of the files that run, in small letters: the first column, which is in no language."""
    return frozenset(row[0].lower() for row in csv.reader(listed.splitlines()) if len(row) > 1)
