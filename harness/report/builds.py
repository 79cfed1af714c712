"""The Windows builds of a run: names, support by the catalog, what the guests said, how their cells came out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import pandas as pd

from harness.builds import Build
from harness.report.marks import LETTERS, build_order
from harness.report.view import BuildView, Share
from harness.results.result import Result, Verdict
from harness.results.text import clipped

_CHANNELS = {
    "home": "Home and Pro",
    "enterprise": "Enterprise and Education",
    "ltsc": "LTSC",
    "iot_ltsc": "IoT LTSC",
    "esu": "extended security updates",
}


def build_views(cells: pd.DataFrame, results: Iterable[Result], today: date) -> tuple[BuildView, ...]:
    """Lay out each build, oldest first; ``today`` is the day of the run."""
    # many cells, few kinds of guests: each kind is looked at once
    guests: dict[str, dict[tuple[tuple[str, str], ...], Mapping[str, str]]] = {}
    for result in results:
        if result.guest:
            guests.setdefault(result.build, {}).setdefault(tuple(result.guest.items()), result.guest)
    views = []
    needed = cells[["build", "build_name", "verdict"]]
    for number in build_order(cells):
        own = needed[needed["build"] == number]
        name = str(own["build_name"].iloc[0])
        system, _, release = name.rpartition(" ")
        said = list(guests.get(number, {}).values())
        support, served = _support(number, said[0] if said else {}, today)
        views.append(
            BuildView(
                number=number,
                name=name,
                system=system,
                release=release,
                support=support,
                served=served,
                seen=clipped("; ".join(dict.fromkeys(map(_seen, said))), 200),
                passed=f"{int((own['verdict'] == Verdict.PASSED.value).sum()):,} of {len(own):,}",
                shares=shares(own),
            )
        )
    return tuple(views)


def shares(cells: pd.DataFrame) -> tuple[Share, ...]:
    """Split some cells by verdict, best first; verdicts that do not occur are left out."""
    counted = cells["verdict"].value_counts()
    left = 0.0
    parts = []
    for verdict in Verdict:
        number = int(counted.get(verdict.value, 0))
        if number:
            width = 100 * number / len(cells)
            letter = LETTERS[verdict]
            parts.append(
                Share(style=letter, name=verdict.value, number=number, left=round(left, 2), width=round(width, 2))
            )
            left += width
    return tuple(parts)


def _support(number: str, guest: Mapping[str, str], today: date) -> tuple[str, bool]:
    try:
        release = Build.parse(number).release
    except ValueError:
        return "not in the catalog", False
    edition = release.edition_or_enterprise(guest.get("edition", ""))
    ended = release.out_of_service_since(today, edition)
    if ended is None:
        return f"in service until {release.end_of_service[edition]} ({_CHANNELS.get(edition, edition)})", True
    lasting = {name: end for name, end in release.end_of_service.items() if end >= today}
    also = "; ".join(f"{_CHANNELS.get(name, name)} until {end}" for name, end in lasting.items())
    return f"out of service since {ended} ({_CHANNELS.get(edition, edition)}){'; ' + also if also else ''}", False


def _seen(guest: Mapping[str, str]) -> str:
    build = guest.get("build", "")
    revision = guest.get("revision") or guest.get("ubr") or ""
    version = build if "." in build or not revision else f"{build}.{revision}"
    return " ".join(filter(None, (version, guest.get("display_version", ""), guest.get("edition", ""))))
