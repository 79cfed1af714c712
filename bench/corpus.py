"""How many seeded defects are found, how many clean installers are let be, and what less of a look would have found."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure
from tests.corpus.building import missing_tools
from tests.corpus.running import BUILDS, run_corpus
from tests.corpus.table import installers
from tests.lab.running_labs import serving


def figures() -> Iterator[Figure]:
    """Run the whole corpus on a lab of its own; what was missed is printed by name."""
    if missing := missing_tools():
        print(f"corpus: {', '.join(missing)} not found; make setup installs them")
        return
    builds = [word for build in BUILDS for word in ("--build", build)]
    with tempfile.TemporaryDirectory() as folder, serving(*builds, "--machines", "2") as (_, site_file):
        judged = run_corpus(Path(folder, "corpus"), site_file, installers())
    for one in judged:
        if one.amiss:
            print(one)
    seeded = [one for one in judged if one.installer.expected is not None]
    clean = [one for one in judged if one.installer.expected is None]
    kinds = len({one.installer.kind for one in seeded})
    yield Figure(
        f"{len(seeded)} defects of {kinds} kinds: found", _rate(not one.amiss for one in seeded), "%", at_least=100
    )
    yield Figure(f"{len(clean)} clean installers: let be", _rate(not one.amiss for one in clean), "%", at_least=100)
    yield Figure("defects, by exit code and entry alone", _rate(one.naive for one in seeded), "%")
    yield Figure("clean ones let be, by these alone", _rate(not one.naive for one in clean), "%")


def _rate(those: Iterator[bool]) -> float:
    counted = list(those)
    return 100 * sum(counted) / len(counted)
