"""A Windows build as a value, and the catalog that names it."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Self


@dataclass(frozen=True, slots=True, order=True)
class Build:
    """One Windows build, which sorts: ``22631.4037``; revision 0 means "any revision"."""

    number: int
    revision: int = 0

    @classmethod
    def parse(cls, text: str | int) -> Self:
        """Read ``22631``, ``22631.4037``, ``10.0.22631.4037`` or a slug such as ``win11-23h2`` or ``win11-23h2.4037``.

        Raises ValueError with the right form or the nearest slug.
        """
        words = str(text).strip()
        slug, dot, revision = words.casefold().partition(".")
        for release in catalog().values():
            if slug == release.slug:
                words = f"{release.build}{dot}{revision}"
        parts = words.removeprefix("10.0.").split(".")
        if len(parts) <= 2 and all(part.isascii() and part.isdecimal() and len(part) <= 9 for part in parts):
            return cls(*map(int, parts))
        near = difflib.get_close_matches(words[:80], [release.slug for release in catalog().values()], n=1)
        hint = f"did you mean {near[0]!r}?" if near else "write it like 22631, 22631.4037 or win11-23h2"
        raise ValueError(f"{words!r} is not a Windows build; {hint}")

    def __str__(self) -> str:
        return f"{self.number}.{self.revision}" if self.revision else str(self.number)

    @property
    def release(self) -> Release:
        """What the catalog knows of it; raises ValueError with the nearest build for a number it does not know."""
        known = catalog()
        if self.number not in known:
            nearest = min(known, key=lambda number: abs(number - self.number))
            raise ValueError(
                f"build {self.number} is not in the catalog; the nearest is {nearest} ({known[nearest].name})"
            )
        return known[self.number]

    @property
    def slug(self) -> str:
        """The short name used in ids and on the command line: ``win11-23h2``, ``win11-23h2.4037`` with a revision."""
        return f"{self.release.slug}.{self.revision}" if self.revision else self.release.slug

    @property
    def name(self) -> str:
        """The name that people know: ``Windows 11 23H2``. Never the registry's ProductName: it lies on Windows 11."""
        return self.release.name


@dataclass(frozen=True, slots=True)
class Release:
    """A catalog entry: the names and dates of one build number."""

    build: int
    slug: str
    name: str
    released: date
    end_of_service: dict[str, date]

    def out_of_service_since(self, today: date, edition: str = "enterprise") -> date | None:
        """Tell the day service ended for an edition (home, enterprise, ltsc, iot_ltsc, esu), or None while it lasts."""
        end = self.end_of_service.get(edition)
        return end if end is not None and end < today else None

    def edition(self, said: str) -> str | None:
        """Find whose dates count for an edition as a guest names it (Professional, EnterpriseS); None for silence."""
        return self.edition_or_enterprise(said) if said.strip() else None

    def edition_or_enterprise(self, said: str) -> str:
        """Find whose dates count as ``edition`` does; for silence it is Enterprise's."""
        words = said.lower().replace(" ", "")
        if "iot" in words:
            wanted = "iot_ltsc"
        elif "ltsc" in words or words == "enterprises":
            wanted = "ltsc"
        elif words.startswith(("pro", "home", "core")):
            wanted = "home"
        else:
            wanted = "enterprise"
        return wanted if wanted in self.end_of_service else next(iter(self.end_of_service))


@cache
def catalog() -> dict[int, Release]:
    """Every build the harness knows, by number, in order."""
    entries = tomllib.loads(resources.files("harness").joinpath("builds.toml").read_text("utf-8"))
    releases = (Release(build=int(number), **entry) for number, entry in entries.items())
    return {release.build: release for release in sorted(releases, key=lambda release: release.build)}
