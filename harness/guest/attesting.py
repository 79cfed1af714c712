"""Whether a guest is the Windows that was declared: what differs is drift, and no product is judged on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.builds import Build
from harness.environment import Demands
from harness.errors import Drifted, NotTold
from harness.guest import clock
from harness.guest.clock import Skew
from harness.guest.environment import NOT_TOLD
from harness.guest.facts import Facts
from harness.guest.guest import Guest

_MATRIX, _SITE, _DEFAULT = "the matrix wants", "the site file says", "wanted is"


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference in words; ``told`` is false when the guest only does not tell what was demanded of it."""

    words: str
    told: bool = True


@dataclass(frozen=True, slots=True)
class Attested:
    """What a guest says of itself, as text by name, and what of it is not as declared."""

    text: Mapping[str, str]
    drifts: tuple[Drift, ...]

    def check(self, machine: str) -> None:
        """Raise Drifted, naming every difference, unless there is none; NotTold when all are only not told."""
        if not self.drifts:
            return
        problem = f"drifted: {'; '.join(drift.words for drift in self.drifts)}"
        if any(drift.told for drift in self.drifts):
            advice = "mend its snapshot, or correct what the matrix or the site file declares"
            raise Drifted(problem, machine=machine, advice=advice)
        advice = "take the demand out of [environment], or use machines that can tell"
        raise NotTold(problem, machine=machine, advice=advice)


def attest(guest: Guest, *, wanted: Build, said: Build, matrix: Demands, site: Demands) -> Attested:
    """Read what a guest is, set its clock if that is wrong, and compare with what was declared.

    ``wanted`` is the build of the cell and ``said`` that of the machine's entry in the site file, both with revision 0
    for any; ``matrix`` and ``site`` are what the two files demand. Raises GuestLost, Hung and their kin.
    """
    facts = guest.facts()
    skew = guest.skew()
    told = NOT_TOLD if skew is None else str(skew)
    strictest = min(clock.TOLERANCE, matrix.clock_skew, site.clock_skew)
    if skew is not None and skew.least > strictest:
        skew = guest.set_clock()
        left = skew is None or skew.least > strictest
        told += f"; could not be set, still {skew}" if left else "; was set"
    found = [*_build(facts.build, wanted, said), *_environment(facts, skew, matrix, site)]
    return Attested({**facts.as_text(), "clock": told}, tuple(found))


def _build(found: Build, wanted: Build, said: Build) -> Iterator[Drift]:
    declared = {said: _SITE, wanted: _MATRIX}  # what both say is said once
    for build, who in declared.items():
        if found.number != build.number or build.revision not in (0, found.revision):
            yield Drift(f"carries {found}, {who} {build}")


@dataclass(frozen=True, slots=True)
class _Compared:
    """A fact (None: not told), whether it is as demanded, and the demand in words."""

    told: str | None
    holds: bool
    wanted: str


def _environment(facts: Facts, skew: Skew | None, matrix: Demands, site: Demands) -> Iterator[Drift]:
    for key, (name, compare) in _COMPARISONS.items():
        written = [(who, one) for who, one in ((_MATRIX, matrix), (_SITE, site)) if key in one.model_fields_set]
        for who, demands in written or [(_DEFAULT, matrix)]:
            compared = compare(facts, skew, getattr(demands, key))
            if compared.told is None and written and not compared.holds:
                yield Drift(f"does not tell its {name}, {who} {compared.wanted}", told=False)
            elif compared.told is not None and not compared.holds:
                yield Drift(f"{name}: {compared.told}, {who} {compared.wanted}")


def _same(told: str | None, wanted: str | None) -> _Compared:
    holds = wanted in (None, "any") or (told is not None and told.casefold() == str(wanted).casefold())
    return _Compared(told, holds, str(wanted))


def _oldest(found: Build, minimum: tuple[str | int, ...]) -> _Compared:
    ours = [build for build in map(Build.parse, minimum) if build.number == found.number]
    least = max(ours, default=found)
    return _Compared(str(found), found >= least, f"{least} at least")


def _free(free: int | None, wanted: float | None) -> _Compared:
    told = None if free is None else f"{free / 1e9:.1f} GB"
    holds = wanted is None or (free is not None and free >= wanted * 1e9)
    return _Compared(told, holds, f"{wanted:g} GB at least" if wanted is not None else "any")


def _clock(skew: Skew | None, wanted: float) -> _Compared:
    holds = skew is not None and skew.least <= wanted
    return _Compared(None if skew is None else str(skew), holds, f"{wanted:g} s off at most")


def _pending(pending: tuple[str, ...] | None, wanted: str) -> _Compared:
    told = None if pending is None else "; ".join(pending)
    return _Compared(told, wanted == "any" or pending == (), wanted)


_COMPARISONS: Mapping[str, tuple[str, Callable[[Facts, Skew | None, Any], _Compared]]] = {
    "minimum_builds": ("build", lambda facts, _, wanted: _oldest(facts.build, wanted)),
    "edition": ("edition", lambda facts, _, wanted: _same(facts.edition or None, wanted)),
    "language": ("language", lambda facts, _, wanted: _same(facts.environment.language, wanted)),
    "locale": ("system locale", lambda facts, _, wanted: _same(facts.environment.locale, wanted)),
    "free_disk_gb": ("free disk", lambda facts, _, wanted: _free(facts.environment.free_disk, wanted)),
    "clock_skew": ("clock", lambda _, skew, wanted: _clock(skew, wanted)),
    "pending_reboot": ("pending restart", lambda facts, _, wanted: _pending(facts.environment.pending, wanted)),
    "installer_rollback": (
        "installer rollback",
        lambda facts, _, wanted: _same(facts.environment.installer_rollback, wanted),
    ),
    "updates": ("Windows Update", lambda facts, _, wanted: _same(facts.environment.updates, wanted)),
    "defender": ("Defender", lambda facts, _, wanted: _same(facts.environment.defender, wanted)),
}
