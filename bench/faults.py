"""Two hundred runs in which the lab lets something go wrong: how many of them are blamed on the product."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure
from tests.corpus.building import missing_tools
from tests.corpus.injected import run_injected, troubles

RUNS = 200


def figures() -> Iterator[Figure]:
    """Meet every trouble on the lab's own guests, none of them scripted; what was blamed wrongly is printed."""
    if missing := missing_tools():
        print(f"faults: {', '.join(missing)} not found; make setup installs them")
        return
    with tempfile.TemporaryDirectory() as folder:
        met = run_injected(Path(folder), troubles(RUNS))
    blamed = [one for one in met if one.blames_the_product]
    for one in blamed:
        print(one)
    for kind in sorted({one.trouble.kind for one in met}):
        verdicts = Counter(str(one.result.verdict) for one in met if one.trouble.kind == kind)
        yield Figure(f"{kind}: {', '.join(f'{n} {word}' for word, n in verdicts.items())}", verdicts.total(), "runs")
    yield Figure("in which the fault came about", sum(bool(one.struck) for one in met), "runs", at_least=0.95 * RUNS)
    yield Figure("blamed on the product", len(blamed), "runs", at_most=0)
