"""Where a row of candidates turns from good to bad: what to try next, and when to be sure. No machine, no clock.

A noisy binary search: every place that the turn may be at has a probability, each seen cell shifts them (Bayes' rule),
and the candidate from which most is to be learned is tried next (the most mutual information). How often cells deceive
is learned on the way from a first guess, for good candidates that fail and bad ones that pass separately (a beta prior
each). Without noise this is a binary search, after which each side of the turn is tried again until the place is
probable enough. ``git bayesect`` goes the same way for commits; plain repetition of each step spends far more cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import accumulate
from math import exp, lgamma, log, log2

TRIES = 2
"""How often a candidate may tell nothing before it is left out."""

QUIET = 0.05
"""Up to this noise, two ends that are alike after a cell each are taken at their word."""


class Seen(StrEnum):
    """What one cell told of its candidate; nothing when it was blocked or failed in another way."""

    GOOD = "good"
    BAD = "bad"
    NOTHING = "nothing"

    @property
    def other(self) -> Seen:
        """Bad for good and good for bad."""
        return Seen.BAD if self is Seen.GOOD else Seen.GOOD


@dataclass(frozen=True, slots=True)
class Rule:
    """When an answer is good enough.

    ``confidence`` is how probable it must be that the answer is right; ``noise`` is which part of the cells is
    expected to deceive, before any was seen; ``at_most`` is how many cells may be spent.
    """

    confidence: float = 0.95
    noise: float = 0.05
    at_most: int = 60


@dataclass(frozen=True, slots=True)
class Try:
    """Not sure yet: try this candidate next."""

    candidate: int


@dataclass(frozen=True, slots=True)
class Turn:
    """The answer: the last good and the first bad one, neighbours but for candidates that told nothing."""

    good: int
    bad: int
    confidence: float

    @property
    def between(self) -> range:
        """The candidates that told nothing; any of them may be the first bad one."""
        return range(min(self.good, self.bad) + 1, max(self.good, self.bad))


@dataclass(frozen=True, slots=True)
class NoTurn:
    """The answer: all candidates that tell anything are alike."""

    seen: Seen


@dataclass(frozen=True, slots=True)
class Unsure:
    """No answer: fewer than two candidates told anything, or as many cells as are allowed were ``spent``."""

    spent: bool


Told = tuple[int, Seen]
Step = Try | Turn | NoTurn | Unsure


def step(count: int, told: Sequence[Told], rule: Rule) -> Step:
    """Say what to do after the cells ``told`` of ``count`` candidates in a row: try one, or what the answer is.

    The row may turn either way. Its last candidate is tried first, then its first one; when both are alike, that is
    the answer, for nothing is known to search for. More noise than QUIET makes them be tried again before that.
    """
    row = _Row(count, told, rule)
    next_one = row.of_the_ends() or row.of_the_places()
    return Unsure(spent=True) if isinstance(next_one, Try) and len(told) >= rule.at_most else next_one


def about(count: int, told: Sequence[Told], rule: Rule) -> int:
    """Estimate how many cells there will be in all, if from now on each tells what is most probable."""
    told = list(told)
    while isinstance(next_one := step(count, told, rule), Try):
        told.append((next_one.candidate, _Row(count, told, rule).expects(next_one.candidate)))
    return len(told)


class _Row:
    """The candidates that may still tell something, and what was told of them."""

    def __init__(self, count: int, told: Sequence[Told], rule: Rule) -> None:
        silent = [candidate for candidate, seen in told if seen is Seen.NOTHING]
        self.decisive = [(candidate, seen) for candidate, seen in told if seen is not Seen.NOTHING]
        self.tried = {candidate for candidate, _ in self.decisive}
        self.ends = (count - 1, 0)
        left_out = {one for one in silent if silent.count(one) >= TRIES} - self.tried
        self.left_in = [one for one in range(count) if one not in left_out]
        self.rule = rule

    def of_the_ends(self) -> Step | None:
        for end in self.ends:
            if end in self.left_in and end not in self.tried:
                return Try(end)
        if not self.tried:
            return Unsure(spent=False)  # what keeps both ends from telling anything most probably keeps the others
        seen = [one for _, one in self.decisive]
        alike = self.tried == set(self.ends) and len(seen) == 2 and seen[0] is seen[1]
        return NoTurn(seen[0]) if alike and self.rule.noise <= QUIET else None

    def of_the_places(self) -> Step:
        if len(self.left_in) < 2:
            return Unsure(spent=False)
        places = self._places()
        best = max(places, key=lambda place: place.probability)
        if best.probability >= self.rule.confidence and {self.left_in[one] for one in best.neighbours} <= self.tried:
            return self._answer(best)
        telling = _information(places, len(self.left_in))
        # of equally telling ones, the one nearest to where the turn most probably is
        position = max(range(len(telling)), key=lambda one: (round(telling[one], 9), -abs(one - best.index)))
        return Try(self.left_in[position])

    def expects(self, candidate: int) -> Seen:
        if len(self.decisive) < 2:
            return self.decisive[0][1].other if self.decisive else Seen.BAD
        best = max(self._places(), key=lambda place: place.probability)
        return best.before if self.left_in.index(candidate) < best.index else best.before.other

    def _answer(self, place: _Place) -> Turn | NoTurn:
        if place.index == len(self.left_in):
            return NoTurn(place.before)
        left, right = self.left_in[place.index - 1], self.left_in[place.index]
        good, bad = (left, right) if place.before is Seen.GOOD else (right, left)
        return Turn(good, bad, place.probability)

    def _places(self) -> list[_Place]:
        """Give every place of the turn its probability after what was told."""
        last, noise = len(self.left_in), self.rule.noise
        bad, good = self._counted(Seen.BAD), self._counted(Seen.GOOD)
        found: list[tuple[float, int, Seen, _Side, _Side]] = []
        for index in range(1, last + 1):
            # a gap of candidates that tell nothing is as probable beforehand as all the places in it
            gap = log(1 if index == last else self.left_in[index] - self.left_in[index - 1])
            bad_before, good_before = bad[index], good[index]
            bad_after, good_after = bad[last] - bad_before, good[last] - good_before
            for before, goods, bads in (
                (Seen.GOOD, _side(bad_before, good_before, noise), _side(good_after, bad_after, noise)),
                (Seen.BAD, _side(bad_after, good_after, noise), _side(good_before, bad_before, noise)),
            ):
                found.append((gap + goods.likelihood + bads.likelihood, index, before, goods, bads))
        most = max(likelihood for likelihood, *_ in found)
        total = sum(exp(likelihood - most) for likelihood, *_ in found)
        return [
            _Place(index, last, before, 1 - bads.deceives, goods.deceives, exp(likelihood - most) / total)
            for likelihood, index, before, goods, bads in found
        ]

    def _counted(self, wanted: Seen) -> list[int]:
        """Count the cells that told this, of the first 0, 1, 2, ... candidates."""
        cells = Counter(candidate for candidate, seen in self.decisive if seen is wanted)
        return list(accumulate((cells[candidate] for candidate in self.left_in), initial=0))


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a turn: how probable its cells are (as a logarithm), and that its next cell deceives."""

    likelihood: float
    deceives: float


@cache
def _side(deceiving: int, honest: int, noise: float) -> _Side:
    """Weigh so many cells that deceive and do not, over all rates of deceiving; ``noise`` is the rate expected."""
    before = 1 / noise - 1
    likelihood = _log_beta(1 + deceiving, before + honest) - _log_beta(1, before)
    return _Side(likelihood, (1 + deceiving) / (1 + before + deceiving + honest))


@dataclass(frozen=True, slots=True)
class _Place:
    """The turn lies before position ``index`` of ``last``; those in front of it are ``before``, the others are not.

    ``bad_fails`` and ``good_fails`` are the probabilities that the next cell of a bad and a good one fails.
    """

    index: int
    last: int
    before: Seen
    bad_fails: float
    good_fails: float
    probability: float

    @property
    def neighbours(self) -> range:
        return range(self.index - 1, min(self.index + 1, self.last))

    @property
    def sides(self) -> tuple[tuple[range, float], tuple[range, float]]:
        """Give the positions on each side, and the probability that their next cell fails."""
        fails = (self.good_fails, self.bad_fails) if self.before is Seen.GOOD else (self.bad_fails, self.good_fails)
        return (range(self.index), fails[0]), (range(self.index, self.last), fails[1])


def _information(places: Sequence[_Place], positions: int) -> list[float]:
    """Tell in bits how much the next cell of each position is expected to tell about the place."""
    fails, doubt = [0.0] * (positions + 1), [0.0] * (positions + 1)
    for place in places:
        for side, chance in place.sides:
            share, unknown = place.probability * chance, place.probability * _entropy(chance)
            fails[side.start] += share
            fails[side.stop] -= share
            doubt[side.start] += unknown
            doubt[side.stop] -= unknown
    return [_entropy(one) - known for one, known in zip(accumulate(fails), accumulate(doubt), strict=True)][:positions]


@cache
def _entropy(chance: float) -> float:
    chance = min(max(chance, 1e-12), 1 - 1e-12)
    return -chance * log2(chance) - (1 - chance) * log2(1 - chance)


def _log_beta(one: float, other: float) -> float:
    return lgamma(one) + lgamma(other) - lgamma(one + other)
