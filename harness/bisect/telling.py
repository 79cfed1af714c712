"""The answer of a bisection in words, and as plain values."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.bisect.candidates import Candidate, Row
from harness.bisect.record import BisectFolder, Probe, meaning
from harness.bisect.search import NoTurn, Seen, Turn, Unsure
from harness.results.words import count, listed, seconds

FOUND, ALIKE, NOT_TOLD, RANGE, UNSURE = 0, 1, 3, 5, 6

_LONGEST = 240

Answer = Turn | NoTurn | Unsure


def said_of(probe: Probe, seen: Seen) -> str:
    """Say in a few words what a cell told."""
    if seen is Seen.GOOD:
        return "good"
    if seen is Seen.BAD:
        return f"bad ({short(probe.reason)})"
    if probe.failed:
        return f"no answer, it fails in another way ({short(probe.reason)})"
    return f"no answer, {probe.verdict} ({short(probe.reason)})"


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The answer of a bisection, with what it rests on."""

    folder: BisectFolder
    row: Row
    answer: Answer

    @property
    def exit_code(self) -> int:
        """0 found, 1 all alike, 3 nothing could be tried, 5 a range, 6 not sure."""
        if isinstance(self.answer, Turn):
            return RANGE if self.answer.between else FOUND
        if isinstance(self.answer, NoTurn):
            return ALIKE
        return UNSURE if self.answer.spent else NOT_TOLD

    @property
    def sentence(self) -> str:
        """The answer in one sentence."""
        if isinstance(self.answer, Turn):
            return self._of_a_turn(self.answer)
        if isinstance(self.answer, NoTurn):
            return self._of_no_turn(self.answer)
        if self.answer.spent:
            return f"not sure after {self._spent()}: allow more of them, with --resume {self.folder.path} --at-most N"
        why = next((probe.reason for probe in reversed(self._probes) if probe.reason), "the matrix skips them")
        return f"too few {self.row.what}s could be tried to tell anything: {short(why)}"

    def lines(self) -> Iterator[str]:
        """Say the answer, what it rests on, and how to repeat it."""
        yield self.sentence
        failure = self._failure()
        if failure is not None:
            yield f"  the failure: {failure.reason} [{failure.fingerprint}]"
        for seen, candidate in self._witnesses():
            yield f"  {seen}: {candidate.shown}, {self._tries(candidate)}; to repeat it:"
            yield f"    {_command(candidate)}"
        for label, why in self.silent().items():
            yield f"  told nothing: {label}: {short(why)}"
        yield from (f"  left out: {words}" for words in self.row.left_out)
        yield f"  kept in {self.folder.path}"

    def as_json(self) -> dict[str, Any]:
        """Give the answer as plain values."""
        turn = self.answer if isinstance(self.answer, Turn) else None
        words = {FOUND: "found", RANGE: "range", NOT_TOLD: "nothing told", UNSURE: "not sure"}
        failure = self._failure()
        return {
            "bisect": "pytest-wincompat",
            "schema": 1,
            "answer": f"all {self.answer.seen}" if isinstance(self.answer, NoTurn) else words[self.exit_code],
            "exit_code": self.exit_code,
            "sentence": self.sentence,
            "over": f"{self.row.what}s",
            "of": self.row.of,
            "on": self.row.on,
            "scenario": self.row.scenario,
            "good": None if turn is None else self.row.candidates[turn.good].label,
            "bad": None if turn is None else self.row.candidates[turn.bad].label,
            "between": [] if turn is None else [self.row.candidates[index].label for index in turn.between],
            "confidence": None if turn is None else round(turn.confidence, 4),
            "reason": "" if failure is None else failure.reason,
            "fingerprint": "" if failure is None else failure.fingerprint,
            "commands": {candidate.label: _command(candidate) for _, candidate in self._witnesses()},
            "told_nothing": self.silent(),
            "left_out": list(self.row.left_out),
            "candidates": [candidate.label for candidate in self.row.candidates],
            "probes": [{**probe.model_dump(mode="json"), "seen": str(seen)} for probe, seen in self._seen()],
            "folder": str(self.folder.path),
        }

    def silent(self) -> dict[str, str]:
        """Name the candidates that told nothing when they were tried, or that the matrix skips, and why."""
        why = {one.label: f"skipped by the matrix: {one.skip}" for one in self.row.candidates if one.skip}
        why |= {probe.candidate: said_of(probe, seen) for probe, seen in self._seen() if seen is Seen.NOTHING}
        spoke = {probe.candidate for probe, seen in self._seen() if seen is not Seen.NOTHING}
        return {label: words.removeprefix("no answer, ") for label, words in why.items() if label not in spoke}

    # ---

    @property
    def _probes(self) -> tuple[Probe, ...]:
        return self.folder.record.probes

    def _seen(self) -> list[tuple[Probe, Seen]]:
        return list(zip(self._probes, meaning(self._probes), strict=True))

    def _failure(self) -> Probe | None:
        """Find the failure that was searched for, as the first bad candidate showed it."""
        bad = [probe for probe, seen in self._seen() if seen is Seen.BAD]
        if isinstance(self.answer, Turn):
            first = self.row.candidates[self.answer.bad].label
            bad = [probe for probe in bad if probe.candidate == first] or bad
        return bad[0] if bad else None

    def _witnesses(self) -> Iterator[tuple[Seen, Candidate]]:
        """Name the neighbours of the turn; the two ends, as far as they told anything, where there is none."""
        if isinstance(self.answer, Turn):
            yield Seen.GOOD, self.row.candidates[self.answer.good]
            yield Seen.BAD, self.row.candidates[self.answer.bad]
        elif isinstance(self.answer, NoTurn):
            tried = {probe.candidate for probe, seen in self._seen() if seen is not Seen.NOTHING}
            there = [one for one in self.row.candidates if one.label in tried]
            yield from ((self.answer.seen, one) for one in dict.fromkeys((there[0], there[-1])))

    def _of_a_turn(self, turn: Turn) -> str:
        good, bad = self.row.candidates[turn.good], self.row.candidates[turn.bad]
        forwards = self._is_forwards(turn)
        how_sure = f"({turn.confidence:.1%} sure, {self._spent()})"
        if turn.between:
            between = [self.row.candidates[index].shown for index in turn.between]
            if turn.good > turn.bad:
                between.reverse()
            last = "first" if forwards else "last"
            return (
                f"the {last} bad {self._what()} is {' or '.join([*between, bad.shown])}: {good.shown} passes and "
                f"{bad.shown} fails, and nothing is known of {listed(between)} {how_sure}"
            )
        if forwards:
            told = f"{bad.shown} is the first bad {self._what()}, {good.shown} the last good one"
        else:
            told = f"{bad.shown} is the last bad {self._what()}, {good.shown} the first good one"
        return f"{told} {how_sure}"

    def _is_forwards(self, turn: Turn) -> bool:
        """Tell whether the bad one is the newer one; a row may lie either way."""
        return (turn.bad > turn.good) != self.row.backwards

    def _of_no_turn(self, answer: NoTurn) -> str:
        tried = [candidate.shown for _, candidate in self._witnesses()]
        does = "passes" if answer.seen is Seen.GOOD else "fails"
        whole = "every" if not self.silent() else "every one that could be tried"
        ends = listed(tried) if len(tried) < 3 else f"{tried[0]} to {tried[-1]}"
        return f"nothing to find: {ends} are both {answer.seen}, so {whole} {self._what()} {does} ({self._spent()})"

    def _what(self) -> str:
        where = f" on {self.row.on}" if self.row.on else ""
        return f"{self.row.what} of {self.row.of}{where}" if self.row.on else f"{self.row.what} for {self.row.of}"

    def _tries(self, candidate: Candidate) -> str:
        seen = [one for probe, one in self._seen() if probe.candidate == candidate.label]
        words = [f"{seen.count(one)} {one}" for one in (Seen.GOOD, Seen.BAD) if one in seen]
        silent = f", {seen.count(Seen.NOTHING)} without an answer" if Seen.NOTHING in seen else ""
        return f"{' and '.join(words)} of {count(len(seen), 'cell')}{silent}"

    def _spent(self) -> str:
        return f"{count(len(self._probes), 'cell')} in {seconds(sum(probe.seconds for probe in self._probes))}"


def short(reason: str) -> str:
    """Cut a reason to what a line holds."""
    return reason if len(reason) <= _LONGEST else f"{reason[: _LONGEST - 3]}..."


def _command(candidate: Candidate) -> str:
    return shlex.join(["pytest", *candidate.words])
