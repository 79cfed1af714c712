"""How each cell came out: the product's fault, the site's, nobody's knowledge, and known issues laid over them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.gate.case import Case
from harness.gate.complaint import Complaint

_RULES = {"failed": "failed", "hung": "hung", "flaky": "flaky", "blocked": "blocked", "not run": "not-run"}


def verdicts(case: Case) -> Iterator[Complaint]:
    """Complain of each cell that did not pass, unless a known issue that holds today explains it."""
    for cell in case.cells:
        rule = _RULES.get(cell.verdict)
        if rule is None or case.is_known(cell):
            continue
        reason = cell.reason.strip().split("\n", 1)[0] or "without a reason"
        alike = cell.fingerprint or _alike(reason)
        act = case.act(cell)
        yield Complaint(rule=rule, words=reason, cell=cell, act=act, about=f"{cell.product}\0{alike}")
        if cell.known_issue and cell.verdict in ("failed", "hung", "flaky"):
            why = case.why_not_known(cell)
            yield Complaint(rule="known-issue", words=why, cell=cell, act=act, about=why)


def missed_issues(case: Case) -> Iterator[Complaint]:
    """Complain of strict known issues that did not occur where they had to: what is said of the product is not true."""
    for cell in case.cells:
        if cell.missed_issue:
            words = f"known issue {cell.missed_issue} had to show and did not: close it"
            yield Complaint(rule="missed-issue", words=words, cell=cell, act=case.act(cell), about=cell.missed_issue)


def _alike(reason: str) -> str:
    """Reduce a reason to what stays the same from cell to cell, for results that carry no fingerprint."""
    return re.sub(r"[0-9a-f]{8,}|\d+", "#", re.sub(r"[a-z]:\\\S+|\S*/\S+", "path", reason[:500].lower()))
