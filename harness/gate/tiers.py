"""Which builds block a release and which only warn, by the catalog's end-of-service dates and the policy."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from harness.authoring import BuildName
from harness.builds import Build, Release, catalog
from harness.gate.policy import Act, Tiers

_EDITIONS = {
    "home": "Home and Pro",
    "enterprise": "Enterprise and Education",
    "ltsc": "LTSC",
    "iot_ltsc": "IoT LTSC",
    "esu": "extended security updates",
}


def tier(build: Build, edition: str, tiers: Tiers, today: date) -> tuple[Act, str]:
    """Tell whether a build blocks or warns for an edition as a guest names it, and why, in words.

    Of a cell whose edition nobody knows, the strictest answer counts: a guest that says nothing excuses nothing.
    """
    if _named(build, tiers.block):
        return "block", "the policy names it"
    if _named(build, tiers.warn):
        return "warn", "the policy names it"
    try:
        release = build.release
    except ValueError:
        return tiers.unknown, "not in the catalog"
    whose = tiers.edition or release.edition(edition)
    if whose is not None:
        return _of_edition(release, whose, tiers, today)
    answers = [_of_edition(release, one, tiers, today) for one in release.end_of_service]
    strictest = [answer for answer in answers if answer[0] == "block"] or answers
    return max(strictest, key=lambda answer: answer[1])  # in words as in dates, the one that is served longest


def supported(release: Release, tiers: Tiers, today: date) -> bool:
    """Tell whether the catalog calls a release supported: for the policy's edition, else for Enterprise."""
    edition = tiers.edition or "enterprise"
    return release.released <= today and edition in release.end_of_service and _served(release, edition, today)


def _of_edition(release: Release, edition: str, tiers: Tiers, today: date) -> tuple[Act, str]:
    whose = _EDITIONS.get(edition, edition)
    if edition not in release.end_of_service:
        return tiers.unsupported, f"never served for {whose}"
    end = release.end_of_service[edition]
    if _served(release, edition, today):
        return tiers.supported, f"supported until {end} ({whose})"
    return tiers.unsupported, f"out of service since {end} ({whose})"


def _served(release: Release, edition: str, today: date) -> bool:
    return release.out_of_service_since(today, edition) is None


def _named(build: Build, names: Iterable[BuildName]) -> bool:
    return any(Build.parse(name) in (build, Build(build.number)) for name in names)


def surely_blocks(build: Build, edition: str, tiers: Tiers, today: date) -> bool:
    """Tell whether a build blocks whatever the edition is: what nobody knows of a guest does not make it a proof."""
    if tier(build, edition, tiers, today)[0] == "warn":
        return False
    if edition or tiers.edition or _named(build, tiers.block) or build.number not in catalog():
        return True
    release = build.release
    return all(_of_edition(release, one, tiers, today)[0] == "block" for one in release.end_of_service)
