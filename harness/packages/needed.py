"""Which DLLs a clean Windows lacks, by the small list in needed.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Lacking:
    """An entry of the list: names as glob patterns, where they are, and what brings them."""

    names: tuple[str, ...]
    words: str
    source: str
    since: int = 0
    absent: bool = False
    never: bool = False

    def is_missing_on(self, build: int) -> bool:
        """Tell whether a clean machine of a build lacks it."""
        return self.absent or self.never or build < self.since


def lacking(imports: Collection[str], shipped: Collection[str]) -> Iterator[tuple[str, Lacking]]:
    """Give the imported DLLs that the list knows and the package does not ship; names in small letters."""
    for name in imports:
        if name in shipped:
            continue
        for entry in _entries():
            if any(fnmatchcase(name, pattern) for pattern in entry.names):
                yield name, entry


def absent() -> list[str]:
    """Give the DLLs that no clean Windows has, as glob patterns in small letters."""
    return [name for entry in _entries() if entry.absent or entry.never for name in entry.names]


@cache
def _entries() -> tuple[Lacking, ...]:
    told = tomllib.loads(resources.files("harness.packages").joinpath("needed.toml").read_text("utf-8"))
    return tuple(Lacking(**{**entry, "names": tuple(entry["names"])}) for entry in told["dll"])
