"""Histories of made-up timings whose truth is known: usual times, noise, machines unlike each other, a change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from harness.results.timings import TIMINGS

BUILDS = {
    "19044": "Windows 10 21H2",
    "19045": "Windows 10 22H2",
    "22621": "Windows 11 22H2",
    "22631": "Windows 11 23H2",
}
STEPS = {  # usual seconds; the first two are the harness's own, and tell how fast the machine is
    "revert to the snapshot": 4.0,
    "look at the guest before": 2.5,
    "install {version}": 12.0,
    "look what {version} did": 3.0,
    "prove {version}": 0.8,
    "uninstall {version}": 6.0,
    "look for what is left": 2.0,
    "bring {version} to the guest": 5.0,
}
FIRST = datetime(2026, 9, 1, 2, tzinfo=UTC)


def history(
    seed: int,
    *,
    runs: int = 50,
    noise: float = 0.04,
    slower: float = 1.0,
    coming: int = 40,
    builds: Sequence[str] = ("22631",),
    step: str = "install {version}",
    versions: Sequence[tuple[int, str]] = ((0, "1.10.0"), (40, "1.11.0")),
    speeds: float = 0.1,
    spikes: float = 0.0,
) -> pd.DataFrame:
    """Make a frame of timings, a run a night: ``step`` takes ``slower`` times as long on ``builds`` since ``coming``.

    ``noise`` is the run-to-run coefficient of variation of each step; each run draws one of three machines, whose
    speeds differ by ``speeds``; ``spikes`` is the share of steps that take up to twice as long for no reason.
    """
    rng = np.random.default_rng(seed)
    machines = {build: np.exp(rng.normal(0, speeds, 3)) for build in BUILDS}
    rows = []
    for number in range(runs):
        version = [name for since, name in versions if since <= number][-1]
        for build, name in BUILDS.items():
            which = int(rng.integers(3))
            for role, usual in STEPS.items():
                seconds = usual * machines[build][which] * np.exp(rng.normal(0, noise))
                if rng.random() < spikes:
                    seconds *= rng.uniform(1.1, 2.0)
                if role == step and build in builds and number >= coming:
                    seconds *= slower
                rows.append(
                    {
                        "run": f"run-{number:03}",
                        "at": FIRST + timedelta(days=number),
                        "build": build,
                        "build_name": name,
                        "product": "ninja-msi",
                        "version": version,
                        "scenario": "install",
                        "leg": "",
                        "machine": f"{build}-{which}",
                        "step": role.replace("{version}", version),
                        "role": role,
                        "seconds": float(seconds),
                    }
                )
    return pd.DataFrame(
        {column: pd.Series([row[column] for row in rows], dtype=dtype) for column, dtype in TIMINGS.items()}
    )
