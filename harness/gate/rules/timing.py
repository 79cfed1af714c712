"""Whether it took too long: against budgets in seconds, and against what it took before."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fnmatch import fnmatchcase

from harness.gate.case import Case
from harness.gate.complaint import Complaint
from harness.gate.evidence import Seen
from harness.gate.policy import Budget
from harness.results.words import seconds


def budgets(case: Case) -> Iterator[Complaint]:
    """Complain of steps and cells over their budget, and of a budget that no passed cell was held against."""
    proofs = {cell.cell for cell in case.proved}
    for number, budget in enumerate(case.policy.budgets, start=1):
        met = False
        for cell in case.cells:
            if not (cell.was_run and budget.holds(cell)):
                continue
            taken = list(_taken(cell, budget))
            met = met or (bool(taken) and cell.cell in proofs)
            over = [(name, took) for name, took in taken if not took <= budget.seconds]  # also of what is no number
            if over:
                name, took = max(over, key=lambda one: (math.inf if math.isnan(one[1]) else one[1], one[0]))
                yield Complaint(
                    rule="budget",
                    words=f"{name} took {seconds(took)}, {seconds(budget.seconds)} are allowed",
                    cell=cell,
                    act=case.act(cell),
                    about=f"{number}",
                    limit=f"{budget.seconds:g} s",
                    seen=f"{took:.4g} s",
                )
        if not met:
            what = f"step {budget.step!r}" if budget.step else "cells"
            words = f"budget {number} ({what}, {budget.seconds:g} s) was held against nothing that passed"
            yield Complaint(rule="coverage", words=words, about=words)


def regressions(case: Case) -> Iterator[Complaint]:
    """Complain of what became slower, by the findings of those who compare runs."""
    wanted = case.policy.regressions
    if wanted.act == "ignore":
        return
    if case.evidence.slower is None:
        if wanted.required:
            words = "there are too few runs to compare with"
            yield Complaint(rule="regressions-unknown", words=words, about=words)
        return
    for slower in case.evidence.slower:
        cells = [cell for cell in case.cells if cell.cell in slower.cells]
        for cell in cells:
            act = case.act(cell) if wanted.act == "block" else "warn"
            yield Complaint(rule="regression", words=slower.sentence, cell=cell, act=act, about=slower.sentence)
        if not cells:
            yield Complaint(rule="regression", words=slower.sentence, act=wanted.act, about=slower.sentence)


def _taken(cell: Seen, budget: Budget) -> Iterator[tuple[str, float]]:
    if budget.step is None:
        yield cell.scenario, cell.seconds
        return
    for step in cell.steps:
        if step.name == budget.step or fnmatchcase(step.name, budget.step):
            yield step.name, step.seconds
