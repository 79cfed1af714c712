"""Numbers and rows as Windows' programs print them; what is none is said to be none, whatever was printed."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

_FIGURE = re.compile(r"0x[0-9a-f]{1,16}|[0-9]{1,20}", re.IGNORECASE)


def figure(text: str) -> int | None:
    """Read ``0x1f`` or ``31``, of 64 bits at most; None for anything else."""
    if not _FIGURE.fullmatch(text):
        return None
    return int(text, 16) if text[:2] in ("0x", "0X") else int(text)


def rows(printed: str) -> Iterator[list[str]]:
    """Read what was printed as comma separated values, each line by itself; a line that cannot be read is left out."""
    for line in printed.splitlines():
        try:
            yield from csv.reader([line])
        except csv.Error:  # longer than the csv module takes
            continue
