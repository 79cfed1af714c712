"""The search, without machines: the right place for every history, with few cells, also where cells deceive."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from math import ceil, log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.bisect.search import TRIES, NoTurn, Rule, Seen, Told, Try, Turn, Unsure, about, step

CASES = 150

Oracle = Callable[[int], Seen]


def _searched(count: int, oracle: Oracle, rule: Rule, told: Sequence[Told] = ()) -> tuple[object, list[Told]]:
    """Search to the end, with an oracle that tells what each cell shows."""
    told = list(told)
    while isinstance(next_one := step(count, told, rule), Try):
        told.append((next_one.candidate, oracle(next_one.candidate)))
        assert len(told) <= rule.at_most, "it spends no more cells than it may"
    return next_one, told


def _history(turn: int, *, good_first: bool = True) -> Oracle:
    """Tell the truth: the candidates before the turn are alike, and so are those from it on."""
    return lambda candidate: Seen.GOOD if (candidate < turn) == good_first else Seen.BAD


@st.composite
def _histories(draw: st.DrawFn) -> tuple[int, int, bool]:
    count = draw(st.integers(2, 60))
    return count, draw(st.integers(1, count - 1)), draw(st.booleans())


@settings(deadline=None, max_examples=40)
@given(_histories())
def test_the_turn_is_found_in_every_history(history: tuple[int, int, bool]) -> None:
    """Whatever the length, the place and the direction: without noise the answer names the two neighbours."""
    count, turn, good_first = history
    answer, told = _searched(count, _history(turn, good_first=good_first), Rule())
    assert isinstance(answer, Turn)
    ends = (turn - 1, turn) if good_first else (turn, turn - 1)
    assert (answer.good, answer.bad) == ends
    assert answer.confidence >= 0.95
    assert set(ends) <= {candidate for candidate, _ in told}, "both neighbours were really tried"


@settings(deadline=None, max_examples=40)
@given(_histories(), st.sampled_from([0.5, 0.8, 0.99]), st.sampled_from([0.001, 0.05, 0.4]))
def test_both_neighbours_were_tried(history: tuple[int, int, bool], confidence: float, noise: float) -> None:
    """However little confidence is asked for, no version is named that no cell has seen."""
    count, turn, good_first = history
    rule = Rule(confidence=confidence, noise=noise, at_most=300)
    answer, told = _searched(count, _history(turn, good_first=good_first), rule)
    assert isinstance(answer, Turn)
    assert {answer.good, answer.bad} <= {candidate for candidate, _ in told}


@settings(deadline=None, max_examples=40)
@given(_histories())
def test_the_cells_grow_with_the_logarithm(history: tuple[int, int, bool]) -> None:
    """Without noise a search costs what a binary search costs, and a few cells to be sure: five, or three at 1 %."""
    count, turn, good_first = history
    for rule, more in ((Rule(), 5), (Rule(noise=0.01), 3)):
        _, told = _searched(count, _history(turn, good_first=good_first), rule)
        assert len(told) <= ceil(log2(count)) + more


@settings(deadline=None, max_examples=15)
@given(_histories())
def test_the_estimate_holds_when_all_goes_as_expected(history: tuple[int, int, bool]) -> None:
    """What is told before the last cells is what it comes to, and never less than what is already spent."""
    count, turn, good_first = history
    _, told = _searched(count, _history(turn, good_first=good_first), Rule())
    for spent in range(len(told) + 1):
        assert spent <= about(count, told[:spent], Rule()) <= ceil(log2(count)) + 8
    assert about(count, told, Rule()) == len(told)


@pytest.mark.parametrize("seen", [Seen.GOOD, Seen.BAD])
@settings(deadline=None, max_examples=40)
@given(count=st.integers(2, 200))
def test_two_ends_that_are_alike_end_it_after_two_cells(seen: Seen, count: int) -> None:
    """There is nothing to search for between two good or two bad ones."""
    answer, told = _searched(count, lambda _: seen, Rule())
    assert answer == NoTurn(seen)
    assert sorted(candidate for candidate, _ in told) == [0, count - 1]


@settings(deadline=None, max_examples=40)
@given(_histories(), st.data())
def test_candidates_that_tell_nothing_are_never_blamed(history: tuple[int, int, bool], data: st.DataObject) -> None:
    """They are tried as often as agreed, then left out; the answer is right, and a range where one lies at the turn."""
    count, turn, good_first = history
    silent = data.draw(st.sets(st.integers(0, count - 1), max_size=min(count, 12)))
    truth = _history(turn, good_first=good_first)
    answer, told = _searched(
        count, lambda candidate: Seen.NOTHING if candidate in silent else truth(candidate), Rule(at_most=200)
    )
    spoken = [candidate for candidate in range(count) if candidate not in silent]
    before, after = [one for one in spoken if one < turn], [one for one in spoken if one >= turn]
    if isinstance(answer, Turn):
        left, right = sorted((answer.good, answer.bad))
        assert (left, right) == (before[-1], after[0])
        assert truth(answer.good) is Seen.GOOD
        assert truth(answer.bad) is Seen.BAD
        assert set(answer.between) <= silent
    elif isinstance(answer, NoTurn):
        assert not before or not after
        assert {truth(candidate) for candidate in spoken} == {answer.seen}
    else:
        assert len(spoken) < 2 or {0, count - 1} <= silent
    for candidate in silent:
        assert [one for one, _ in told].count(candidate) <= TRIES


@settings(deadline=None, max_examples=40)
@given(_histories(), st.integers(0, 12))
def test_it_goes_on_from_what_was_told_before(history: tuple[int, int, bool], stopped: int) -> None:
    """A search that was stopped anywhere and begun again with what it had learned tries the same and answers alike."""
    count, turn, good_first = history
    truth = _history(turn, good_first=good_first)
    whole, told = _searched(count, truth, Rule())
    again, told_again = _searched(count, truth, Rule(), told[:stopped])
    assert (again, told_again) == (whole, told)


def test_a_cell_that_deceives_once_is_found_out() -> None:
    """One bad cell of a good version, in the middle of the way, costs cells and not the answer."""
    for wrong in range(2, 8):
        told: list[Told] = []
        while isinstance(next_one := step(16, told, Rule()), Try):
            truth = Seen.GOOD if next_one.candidate < 11 else Seen.BAD
            told.append((next_one.candidate, truth.other if len(told) == wrong else truth))
        assert isinstance(next_one, Turn)
        assert (next_one.good, next_one.bad) == (10, 11)


def test_it_does_not_spend_more_than_it_may() -> None:
    """With fewer cells than it takes to be sure, it says that it is not sure."""
    answer, told = _searched(64, _history(20), Rule(at_most=6))
    assert (answer, len(told)) == (Unsure(spent=True), 6)


@pytest.mark.parametrize(
    ("noise", "good_fails", "bad_passes"),
    [(0.05, 0.05, 0.05), (0.1, 0.1, 0.1), (0.1, 0.0, 0.1), (0.2, 0.2, 0.2), (0.2, 0.0, 0.35)],
)
def test_the_answer_is_right_as_often_as_it_says(noise: float, good_fails: float, bad_passes: float) -> None:
    """Of the pairs that are named where cells deceive, at least the stated confidence's part is right."""
    chance = random.Random(20_240)  # noqa: S311 - no secret: the same histories each time
    confidence, named, right, cells = 0.9, 0, 0, 0
    for _ in range(CASES):
        count = chance.randint(3, 16)
        turn = chance.randint(1, count - 1)

        def shows(candidate: int, turn: int = turn) -> Seen:
            truth = Seen.GOOD if candidate < turn else Seen.BAD
            deceives = chance.random() < (good_fails if truth is Seen.GOOD else bad_passes)
            return truth.other if deceives else truth

        answer, told = _searched(count, shows, Rule(confidence=confidence, noise=noise, at_most=300))
        cells += len(told)
        if isinstance(answer, Turn):
            named += 1
            right += (answer.good, answer.bad) == (turn - 1, turn)
    assert right / named >= confidence
    assert named >= 0.8 * CASES, "and it does name one"
    assert cells / CASES < 40
