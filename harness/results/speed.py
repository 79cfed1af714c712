"""The machine's own speed, seen in the steps that no product has a part in, and taken out of the steps it has."""

from __future__ import annotations

import numpy as np
import pandas as pd

# What the harness does on the clean guest before the product comes: where these take longer, everything does.
REFERENCE = (
    "revert to the snapshot",
    "wait until the guest answers",
    "read what the guest is",
    "compare the guest with what was declared",
    "look at the guest before",
)


def slowness(timings: pd.DataFrame) -> pd.DataFrame:
    """Tell for each row how slow its machine is, as logarithms: 0 is usual, 0.1 is about 10 % slower.

    From the reference steps, each against what it usually takes on that build. ``of_machine`` is the machine's median
    over all runs, which is known well; ``of_run`` is how far it was from that in this run, which is known badly. Both
    are 0 where the machine took no reference step.
    """
    reference = timings[timings["role"].isin(REFERENCE)]
    seconds = pd.Series(np.log(reference["seconds"].to_numpy(float)), index=reference.index)
    usual = seconds.groupby([reference["build"], reference["role"]], observed=True).transform("median")
    in_run = (seconds - usual).groupby([reference["machine"], reference["run"]], observed=True).median()
    always = in_run.groupby(level=0).transform("median")
    known = pd.DataFrame({"of_machine": always, "of_run": in_run - always})
    place = pd.MultiIndex.from_frame(timings[["machine", "run"]])
    return known.reindex(place).fillna(0.0).set_axis(timings.index)


def without_the_machine(values: np.ndarray, slow: np.ndarray) -> np.ndarray:
    """Take as much of the machine's slowness out of a series as it explains there: all of it, a part, or nothing.

    A step that only waits for a timer is as long on any machine, and a reference that is mere noise explains nothing.
    The share comes from the differences between neighbours, in which a slowdown of the product itself is one among
    many. ``values`` are logarithms in the order of runs, ``slow`` has a column for each part of the slowness.
    """
    rest = values.astype(float)
    for part in slow.T:
        along, beside = np.diff(rest), np.diff(part)
        moved = float(beside @ beside)
        share = float(np.clip(along @ beside / moved, 0.0, 1.0)) if moved > 0 else 0.0
        rest = rest - share * (part - np.median(part))
    return rest
