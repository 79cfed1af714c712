"""A bisection, from its first cell to its answer: what is known is asked for the next candidate, which is then run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from harness.bisect.candidates import Candidate, Row
from harness.bisect.probing import earlier, folder_of
from harness.bisect.record import BisectFolder, Probe, meaning, told
from harness.bisect.search import NoTurn, Rule, Try, Turn, Unsure, about, step
from harness.bisect.telling import said_of

Run = Callable[[Path, Candidate], Probe]
"""Runs a candidate's cell below a folder."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Where a bisection tells how it goes: ``begin`` opens a line that ``end`` finishes."""

    begin: Callable[[str], None]
    end: Callable[[str], None]


def conduct(folder: BisectFolder, row: Row, run: Run, voice: Voice) -> Turn | NoTurn | Unsure:
    """Run cells until the answer is sure enough, and keep each result before the next cell begins."""
    while isinstance(next_one := next_step(folder, row), Try):
        number = len(folder.record.probes) + 1
        candidate = row.candidates[next_one.candidate]
        where = f"{candidate.shown} on {row.on}" if row.on else f"{row.of} on {candidate.shown}"
        voice.begin(f"step {number} of about {expected(folder, row)}: {where}: ")
        place = folder_of(folder.path, number, candidate)
        probe = earlier(place, folder.path, candidate)
        if probe is None:
            probe = run(place, candidate)
        folder.add(probe)
        voice.end(said_of(probe, meaning(folder.record.probes)[-1]))
    return next_one


def next_step(folder: BisectFolder, row: Row) -> Try | Turn | NoTurn | Unsure:
    """Say what comes after the cells of a bisection's record."""
    known = told(row, folder.record.probes)
    return step(len(row.candidates), known, _rule(folder, len(known)))


def expected(folder: BisectFolder, row: Row) -> int:
    """Estimate how many cells there will be in all."""
    probes = folder.record.probes
    known = told(row, probes)
    return about(len(row.candidates), known, _rule(folder, len(known))) - (len(known) - len(probes))


def _rule(folder: BisectFolder, known: int) -> Rule:
    """Let what the matrix skips, which is known without a cell, not count among the cells that may be spent."""
    rule = folder.record.asked.rule
    return replace(rule, at_most=rule.at_most + known - len(folder.record.probes))
