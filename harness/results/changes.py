"""Change points in one series of timings, each proven twice and with its size.

ruptures finds where the level moves (KernelCPD with the linear kernel: the exact optimum, in C: 0.04 ms for 50 runs
where its Pelt takes 25 ms, for the same answer). scipy says whether that is more than noise. Tried and left: one
Mann-Whitney test alone (a fifth of the slowdowns of 10 % under noise of 4 % go unseen, for its least p-value among a
few runs is too big to survive the correction for many series), apache-otava (it brings BigQuery's and Slack's clients).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BIGGEST_SPIKE = 3.0  # noise widths: what is further out counts as being that far
PROVEN = 0.001  # of one series; that there are many is corrected for by whoever looks at many
FEW = 8  # values on one side of a change: up to so many, scipy counts orders instead of approximating
LEAST_NOISE = 0.005  # of a step's time: clocks and schedulers are no better


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When a change is one: the least effect, the least samples on both sides, and how many false ones are allowed.

    ``false_share`` is the share of false ones among all that are reported (Benjamini-Hochberg).
    """

    effect: float = 0.05
    before: int = 8
    after: int = 5
    false_share: float = 0.01
    confidence: float = 0.95

    @property
    def samples(self) -> int:
        """The least length of a series that anything can be said of."""
        return self.before + self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One move of the level: ``position`` is the first run that shows it.

    ``low`` to ``high`` is the interval of the ratio of after to before (1.18: slower by 18 %), ``ratio`` its middle
    (Hodges-Lehmann); ``delta`` is Cliff's: 1 where every run after took longer than every run before.
    """

    position: int
    before: int
    after: int
    ratio: float
    low: float
    high: float
    delta: float
    p: float


def shifts(values: np.ndarray, rules: Rules) -> list[Shift]:
    """Find where a series of logarithms of seconds moves, oldest first; p-values are of this series alone.

    Each is tested against noise twice, and the worse p-value counts: by Student's t, corrected for having chosen the
    place, which has the power to see little among few runs; and by Mann-Whitney's ranks, which no outlier can fool.
    """
    if len(values) < rules.samples:
        return []
    import ruptures  # type: ignore[import-untyped]  # it brings no types

    level = _without_spikes(values)
    search = ruptures.KernelCPD(kernel="linear", min_size=rules.after).fit(level.reshape(-1, 1))
    places = [0, *search.predict(pen=3 * np.log(len(values)))]
    while True:
        found = [
            _shift(values, level, start, _best_place(level, start, place, end, rules.after), end, rules)
            for start, place, end in zip(places, places[1:], places[2:], strict=False)
            if start > 0 or place >= rules.before  # what there was before the first change has to be well known
        ]
        # what is no change does not divide what lies before it from what lies after: leave it out, and look again
        doubtful = max(found, key=lambda shift: shift.p, default=None)
        if doubtful is None or doubtful.p <= PROVEN:
            return found
        places.pop(1 + found.index(doubtful) + (len(places) - 2 - len(found)))


def _shift(values: np.ndarray, level: np.ndarray, start: int, place: int, end: int, rules: Rules) -> Shift:
    from scipy import stats  # type: ignore[import-untyped]  # it brings no types

    before, after = values[start:place], values[place:end]
    sides = {"alternative": "greater" if np.median(after) > np.median(before) else "less"}
    choices = end - start - 2 * rules.after + 1
    by_size = 2 * choices * stats.ttest_ind(level[place:end], level[start:place], **sides).pvalue
    # a coarse clock says the same time twice: what ties on one side alone leaves the order of the sides as it is, and
    # with few runs the approximation that scipy takes for ties is too weak to prove even a change that no value doubts
    apart = min(len(before), len(after)) <= FEW and not np.intersect1d(before, after).size
    ranks = stats.mannwhitneyu(after, before, method="exact" if apart else "auto", **sides)
    pairs = np.sort(np.subtract.outer(after, before), axis=None)
    n, m = len(after), len(before)
    # the interval of the pairs' differences that belongs to the ranks' test (Hodges and Lehmann)
    width = stats.norm.ppf((1 + rules.confidence) / 2) * np.sqrt(n * m * (n + m + 1) / 12)
    out = int(max(0, np.floor(n * m / 2 - width)))
    return Shift(
        position=place,
        before=m,
        after=n,
        ratio=float(np.exp(np.median(pairs))),
        low=float(np.exp(pairs[out])),
        high=float(np.exp(pairs[-1 - out])),
        delta=float(np.sign(pairs).mean()),
        p=float(min(1.0, max(by_size, 2 * ranks.pvalue))),
    )


def _best_place(level: np.ndarray, start: int, place: int, end: int, least: int) -> int:
    """Move a change to where its two levels explain the runs around it best; a spike next to it must not move it.

    Of slowdowns by 10 % under noise of 4 %, this dates 92 of 100 to the right run, give or take one, and 73 to the run
    itself: as many as one who knows both levels and the noise. The place with the most weight within a run of it would
    reach 95, but only 53 of them the run itself, and that is what names the version.
    """
    old, new = np.median(level[start:place]), np.median(level[place:end])

    def cost(middle: float, runs: np.ndarray) -> float:
        away = np.abs(runs - middle)
        return float(np.where(away < 2, away**2 / 2, 2 * away - 2).sum())  # Huber's

    near = [at for at in range(place - 3, place + 4) if start + least <= at <= end - least] or [place]
    return min(near, key=lambda at: cost(old, level[start:at]) + cost(new, level[at:end]))


def _without_spikes(values: np.ndarray) -> np.ndarray:
    """Bring a series to widths of its noise, and what sticks out of its surroundings to their edge."""
    steps = np.diff(values)
    # from the differences of neighbours: a level that moves is not noise
    noise = max(LEAST_NOISE, float(1.4826 * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2)))
    around = np.median(np.lib.stride_tricks.sliding_window_view(np.pad(values, 2, mode="edge"), 5), axis=1)
    kept = np.clip(values, around - BIGGEST_SPIKE * noise, around + BIGGEST_SPIKE * noise)
    return np.asarray((kept - np.median(kept)) / noise)
