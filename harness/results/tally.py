"""What a run's cells add up to: counts, findings, and the verdict in one sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import pandas as pd

from harness.results.plan import Plan, PlannedIssue
from harness.results.result import Verdict
from harness.results.words import builds_in_words, count, listed

_SAID = {
    Verdict.FAILED: ("failed", "failed"),
    Verdict.HUNG: ("hung", "hung"),
    Verdict.BLOCKED: ("was blocked", "were blocked"),
    Verdict.NOT_RUN: ("was not run", "were not run"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many cells met which end; ``known`` of them are failed or hung under a known issue that still holds."""

    passed: int = 0
    failed: int = 0
    hung: int = 0
    blocked: int = 0
    skipped: int = 0
    not_run: int = 0
    known: int = 0

    @property
    def total(self) -> int:
        """Every cell, run or not."""
        return self.passed + self.failed + self.hung + self.blocked + self.skipped + self.not_run

    def of(self, verdict: Verdict) -> int:
        """How many cells have this verdict."""
        return int(getattr(self, verdict.value.replace(" ", "_")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One cause and every cell it explains; a ``known`` one is accepted for now and holds nothing."""

    verdict: Verdict
    product: str
    scenarios: str
    builds: str
    reason: str
    cells: tuple[str, ...]
    known: PlannedIssue | None
    expired: bool

    @property
    def holds(self) -> bool:
        """Whether this finding stands in the way of a release."""
        return self.known is None or self.expired


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The verdict on a run: ``word`` is SHIP, HOLD, or AS EXPECTED for a lab run without surprises."""

    word: str
    sentence: str
    reasons: tuple[str, ...]
    tally: Tally
    findings: tuple[Finding, ...]


def decide(cells: pd.DataFrame, plan: Plan | None, *, is_lab: bool, today: date) -> Decision:
    """Hold unless every planned cell passed, was skipped on purpose or shows a known issue that has not expired.

    A strict known issue that did not occur holds, too: what the matrix says of the product is no longer true.
    ``today`` is the day known issues are measured against. A lab run never says SHIP: it is not Windows evidence.
    """
    findings = tuple(find(cells, plan, today))
    counted = cells["verdict"].value_counts()
    tally = Tally(
        **{verdict.value.replace(" ", "_"): int(counted.get(verdict.value, 0)) for verdict in Verdict},
        known=sum(len(finding.cells) for finding in findings if not finding.holds),
    )
    reasons = []
    if plan is None:
        reasons.append("the plan is missing, so cells that were not run cannot be known")
    for issue, number in cells["missed_issue"].value_counts().items():
        reasons.append(f"known issue {issue} did not occur on {count(int(number), 'cell')} that had to show it")
    if not tally.total:
        reasons.append("nothing was planned")
    elif tally.total == tally.skipped:
        reasons.append(f"all {count(tally.total, 'cell')} were skipped, so nothing was proved")
    held = [finding for finding in findings if finding.holds]
    missed = _ends(held, tally.total)
    known = f"{count(tally.known, 'cell shows', 'cells show')} a known issue" if tally.known else ""
    passed = f"{tally.passed:,} of {count(tally.total, 'cell')} passed"
    if missed or reasons:
        told = [*reasons, *([missed] if missed else [])]
        sentence = f"{listed(told)}; {passed if not missed else f'{tally.passed:,} passed'}" if tally.total else told[0]
        return Decision(
            word="HOLD",
            sentence=f"{sentence}{f', {known}' if known else ''}.",
            reasons=tuple(reasons),
            tally=tally,
            findings=findings,
        )
    rest = [words for words in (known, f"{tally.skipped:,} skipped on purpose" if tally.skipped else "") if words]
    sentence = f"{passed}{', ' + listed(rest) if rest else ''}; nothing unexpected."
    word = "AS EXPECTED" if is_lab else "SHIP"
    return Decision(word=word, sentence=sentence, reasons=(), tally=tally, findings=findings)


def find(cells: pd.DataFrame, plan: Plan | None, today: date) -> list[Finding]:
    """Group the cells that did not pass by what explains them, worst and widest first."""
    missed = cells[cells["verdict"].isin([verdict.value for verdict in _SAID])]
    groups: dict[tuple[str, ...], list[dict[str, str]]] = {}
    columns = ["cell", "build_name", "product", "scenario", "verdict", "reason", "known_issue"]
    for row in missed[columns].astype("object").fillna("").to_dict("records"):
        alike = (row["verdict"], row["product"], row["known_issue"], fingerprint(row["reason"]))
        groups.setdefault(alike, []).append({str(column): str(value) for column, value in row.items()})
    issues = {issue.id: issue for issue in plan.known_issues} if plan else {}
    findings = []
    for (verdict, product, issue, _), rows in groups.items():
        known = (issues.get(issue) or PlannedIssue(id=issue)) if issue else None
        findings.append(
            Finding(
                verdict=Verdict(verdict),
                product=product,
                scenarios=listed(list(dict.fromkeys(row["scenario"] for row in rows)), 4),
                builds=builds_in_words(row["build_name"] for row in rows),
                reason=rows[0]["reason"],
                cells=tuple(row["cell"] for row in rows),
                known=known,
                expired=known is not None and known.expires is not None and known.expires < today,
            )
        )
    order = list(_SAID)
    return sorted(findings, key=lambda each: (not each.holds, order.index(each.verdict), -len(each.cells)))


def fingerprint(reason: str) -> str:
    """Reduce a reason to what stays the same from cell to cell: numbers, ids and paths are taken out."""
    first = reason.split("\n", 1)[0][:500]
    return re.sub(r"[0-9a-f]{8,}|\d+", "#", re.sub(r"[a-z]:\\\S+|\S*/\S+", "path", first.lower()))


def _ends(held: list[Finding], total: int) -> str:
    ends: list[str] = []
    for verdict, (one, many) in _SAID.items():
        met = [finding for finding in held if finding.verdict is verdict]
        number = sum(len(finding.cells) for finding in met)
        if number:
            of = f" of {count(total, 'cell')}" if not ends else ""
            where = f" ({met[0].product} {met[0].scenarios} on {met[0].builds})" if len(met) == 1 else ""
            ends.append(f"{number:,}{of} {one if number == 1 else many}{where}")
    return listed(ends)
