"""Whether the run's records are whole, belong together, and are recent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from harness.gate.case import Case, in_utc
from harness.gate.complaint import Complaint
from harness.gate.evidence import Seen
from harness.results.narrowed import Narrowed
from harness.results.words import listed, seconds

_NEVER_BEGAN = ("not run", "skipped")

AHEAD = timedelta(minutes=10)  # that a controller's clock may be ahead of ours


def plan(case: Case) -> Iterator[Complaint]:
    """Complain of a lost plan: cells that were planned and not run cannot be known."""
    if case.evidence.plan is None:
        yield Complaint(rule="plan", words="the plan (plan.json) is lost, so cells that were not run cannot be known")


def journal(case: Case) -> Iterator[Complaint]:
    """Complain of every line that cannot be read: nobody knows what it said."""
    for words in case.evidence.damaged:
        yield Complaint(rule="journal", words=words, about=words)


def unplanned(case: Case) -> Iterator[Complaint]:
    """Complain of results that nobody planned: plan and journal do not belong together."""
    if case.evidence.plan is not None:
        for cell in case.cells:
            if not cell.planned:
                yield Complaint(rule="unplanned", words="a result that no plan announced", cell=cell)


def narrowed(case: Case) -> Iterator[Complaint]:
    """Complain of a run that was asked for a part of its matrix alone: of the other cells nothing is known.

    Where nobody counted them, as in the plans of older versions, its command is all that says so: that only warns.
    """
    found = Narrowed.of(case.evidence.plan)
    if found is None or case.policy.allow_narrowed:
        return
    limit = f"{found.whole}" if found.whole else ""
    yield Complaint(
        rule="narrowed",
        words=f"the run was {found.words} (allow_narrowed = true would take it)",
        act="block" if found.whole else "warn",
        about="run",
        limit=limit,
        seen=f"{found.asked}" if limit else "",
    )


def lost_files(case: Case) -> Iterator[Complaint]:
    """Complain of cells whose evidence is named in the journal and gone from the folder."""
    if case.policy.evidence_files:
        for cell in case.cells:
            if lost := case.evidence.lost_files.get(cell.cell):
                words = f"files of the evidence are gone: {listed(list(lost), 3)}"
                yield Complaint(rule="evidence-files", words=words, cell=cell, act=case.act(cell))


def stale(case: Case) -> Iterator[Complaint]:
    """Complain of a run, or of cells of it, that began too long ago or lie in the future."""
    if case.policy.max_age_hours is None:
        return
    most = timedelta(hours=case.policy.max_age_hours)
    limit = f"{case.policy.max_age_hours:g} h"
    now = in_utc(case.now)
    began = case.evidence.plan.started if case.evidence.plan else None
    if began is None:
        yield Complaint(rule="stale", words="the plan does not say when the run began", about="run", limit=limit)
    elif words := _age(now - in_utc(began), most):
        yield Complaint(rule="stale", words=f"the run {words}", about="run", limit=limit)
    for cell in case.cells:
        if words := _age_of(cell, now, most):
            yield Complaint(
                rule="stale", words=f"evidence that {words}", cell=cell, act=case.act(cell), about="cells", limit=limit
            )


def _age_of(cell: Seen, now: datetime, most: timedelta) -> str:
    if cell.started is not None:
        return _age(now - in_utc(cell.started), most)
    return "" if cell.verdict in _NEVER_BEGAN else "does not say when it began"


def _age(age: timedelta, most: timedelta) -> str:
    if age < -AHEAD:
        return "lies in the future: a clock is wrong"
    if age > most:
        return f"began {seconds(age.total_seconds())} ago, at most {seconds(most.total_seconds())} are allowed"
    return ""
