"""What a run's cells add up to: counts, findings, and the verdict in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from harness.results.alike import plain
from harness.results.journal import Reading
from harness.results.narrowed import Narrowed
from harness.results.plan import Plan, PlannedIssue
from harness.results.result import Verdict
from harness.results.words import builds_in_words, count, listed, skipped_in_words

_SAID = {
    Verdict.FAILED: ("failed", "failed"),
    Verdict.HUNG: ("hung", "hung"),
    Verdict.BLOCKED: ("was blocked", "were blocked"),
    Verdict.NOT_RUN: ("was not run", "were not run"),
}
_ORDER = (*_SAID, Verdict.FLAKY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many cells met which end; ``known`` of them are failed or hung under a known issue that still holds.

    A flaky cell passed only after it had failed: it is none of those that passed.
    """

    passed: int = 0
    flaky: int = 0
    failed: int = 0
    hung: int = 0
    blocked: int = 0
    skipped: int = 0
    not_run: int = 0
    known: int = 0

    @property
    def total(self) -> int:
        """Every cell, run or not."""
        return self.passed + self.flaky + self.failed + self.hung + self.blocked + self.skipped + self.not_run

    def of(self, verdict: Verdict) -> int:
        """How many cells have this verdict."""
        return int(getattr(self, verdict.value.replace(" ", "_")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One failure and every cell it was seen on; a ``known`` one is accepted for now and holds nothing.

    ``cause`` is the class of its cause, ``fingerprint`` its name, "" where an older version wrote the journal.
    """

    verdict: Verdict
    product: str
    scenarios: str
    builds: str
    reason: str
    cells: tuple[str, ...]
    known: PlannedIssue | None
    expired: bool
    cause: str = ""
    fingerprint: str = ""

    @property
    def holds(self) -> bool:
        """Whether this finding stands in the way of a release."""
        return self.verdict is not Verdict.FLAKY and (self.known is None or self.expired)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The verdict on a run: ``word`` is SHIP, HOLD, or AS EXPECTED for a lab or narrowed run without surprises."""

    word: str
    sentence: str
    reasons: tuple[str, ...]
    tally: Tally
    findings: tuple[Finding, ...]


def doubts_of(reading: Reading, cells: pd.DataFrame) -> tuple[str, ...]:
    """Say what of a run's records speaks against a release whatever its cells say, as every gate has it.

    A line that cannot be read, or a result that another one replaced, may be the one that failed.
    """
    good = {Verdict.PASSED, Verdict.FLAKY}
    passed = {result.cell for result in reading.results if result.verdict in good}
    blamed = {result.cell for result in reading.earlier if result.verdict in (Verdict.FAILED, Verdict.HUNG)} & passed
    unplanned = int((~cells["planned"].fillna(value=True)).sum())
    silent = int((cells["verdict"].isin([one.value for one in good]) & (cells["provenance"].fillna("") == "")).sum())
    return tuple(
        sentence
        for number, sentence in (
            (reading.damaged, f"{count(reading.damaged, 'line')} of the journal cannot be read"),
            (len(blamed), f"{count(len(blamed), 'cell')} failed in a result that a later one replaced"),
            (unplanned, f"{count(unplanned, 'cell has', 'cells have')} a result that nobody planned"),
            (silent, f"{count(silent, 'cell')} passed in a guest that never said that it was Windows"),
        )
        if number
    )


def decide(
    cells: pd.DataFrame, plan: Plan | None, *, is_lab: bool, today: date, doubts: Sequence[str] = ()
) -> Decision:
    """Hold unless every planned cell passed, was skipped on purpose or shows a known issue that has not expired.

    A strict known issue that did not occur holds, too: what the matrix says of the product is no longer true.
    ``today`` is the day known issues are measured against. A lab run never says SHIP: it is not Windows evidence. Nor
    does one that was narrowed: nobody knows of the cells that it was not asked for. ``doubts`` are reasons
    to hold that its records give.
    """
    findings = tuple(find(cells, plan, today))
    counted = cells["verdict"].value_counts()
    tally = Tally(
        **{verdict.value.replace(" ", "_"): int(counted.get(verdict.value, 0)) for verdict in Verdict},
        known=sum(len(finding.cells) for finding in findings if finding.known and not finding.holds),
    )
    reasons = []
    if plan is None:
        reasons.append("the plan is missing, so cells that were not run cannot be known")
    for issue, number in cells["missed_issue"].value_counts().items():
        reasons.append(f"known issue {issue} did not occur on {count(int(number), 'cell')} that had to show it")
    if not tally.total:
        reasons.append("nothing was planned")
    elif tally.total == tally.skipped:
        reasons.append(f"{skipped_in_words(tally.total)}, so nothing was proved")
    reasons += doubts
    decides = not is_lab and Narrowed.of(plan) is None
    held = [finding for finding in findings if finding.holds]
    if decides and not held and tally.total > tally.skipped and not tally.passed:
        # known issues excuse cells, and prove nothing; a cell that failed first is no proof by itself
        reasons.append(f"no cell passed{' without failing first' if tally.flaky else ''}, so nothing was proved")
    missed = _ends(held, tally.total)
    if missed and not (tally.passed or tally.flaky or tally.failed or tally.hung):
        missed = f"nothing is known of the product: {missed}"
    known = f"{count(tally.known, 'cell shows', 'cells show')} a known issue" if tally.known else ""
    passed = f"{tally.passed:,} of {count(tally.total, 'cell')} passed"
    if missed or reasons:
        told = [*reasons, *([missed] if missed else [])]
        sentence = f"{listed(told)}; {passed if not missed else f'{tally.passed:,} passed'}" if tally.total else told[0]
        return Decision(
            word="HOLD",
            sentence=f"{sentence}{f', {tally.flaky:,} flaky' if tally.flaky else ''}{f', {known}' if known else ''}.",
            reasons=tuple(reasons),
            tally=tally,
            findings=findings,
        )
    flaky = f"{tally.flaky:,} {'is' if tally.flaky == 1 else 'are'} flaky" if tally.flaky else ""
    rest = [
        words for words in (flaky, known, f"{tally.skipped:,} skipped on purpose" if tally.skipped else "") if words
    ]
    end = "a flaky cell failed before it passed" if flaky else "nothing unexpected"
    sentence = f"{passed}{', ' + listed(rest) if rest else ''}; {end}."
    word = "SHIP" if decides else "AS EXPECTED"
    return Decision(word=word, sentence=sentence, reasons=(), tally=tally, findings=findings)


def find(cells: pd.DataFrame, plan: Plan | None, today: date) -> list[Finding]:
    """Group the cells that did not pass by their fingerprint, worst and widest first."""
    missed = cells[cells["verdict"].isin([verdict.value for verdict in _ORDER])]
    groups: dict[tuple[str, ...], list[dict[str, str]]] = {}
    columns = ["cell", "build_name", "product", "scenario", "verdict", "reason", "known_issue", "cause", "fingerprint"]
    for row in missed[columns].astype("object").fillna("").to_dict("records"):
        # a journal of an older version knows no fingerprints
        by = (row["fingerprint"],) if row["fingerprint"] else (row["product"], plain(row["reason"]))
        alike = (row["verdict"], row["known_issue"], *by)
        groups.setdefault(alike, []).append({str(column): str(value) for column, value in row.items()})
    issues = {issue.id: issue for issue in plan.known_issues} if plan else {}
    findings = []
    for (verdict, issue, *_), rows in groups.items():
        known = (issues.get(issue) or PlannedIssue(id=issue)) if issue else None
        findings.append(
            Finding(
                verdict=Verdict(verdict),
                product=listed(list(dict.fromkeys(row["product"] for row in rows)), 4),
                scenarios=listed(list(dict.fromkeys(row["scenario"] for row in rows)), 4),
                builds=builds_in_words(row["build_name"] for row in rows),
                reason=rows[0]["reason"],
                cells=tuple(row["cell"] for row in rows),
                cause=rows[0]["cause"],
                fingerprint=rows[0]["fingerprint"],
                known=known,
                expired=known is not None and known.expires is not None and known.expires < today,
            )
        )
    return sorted(findings, key=lambda each: (not each.holds, _ORDER.index(each.verdict), -len(each.cells)))


def _all(verdict: Verdict, total: int) -> str:
    if verdict is Verdict.NOT_RUN:
        return f"none of the {total:,} cells was run"
    return f"all {total:,} cells {_SAID[verdict][1]}"


def _expired(finding: Finding) -> str:
    issue = finding.known
    return f"; its known issue {issue.id} expired on {issue.expires}" if issue is not None and finding.expired else ""


def _ends(held: list[Finding], total: int) -> str:
    ends: list[str] = []
    for verdict, (one, many) in _SAID.items():
        met = [finding for finding in held if finding.verdict is verdict]
        number = sum(len(finding.cells) for finding in met)
        if number:
            of = f" of {count(total, 'cell')}" if not ends else ""
            where = (
                f" ({met[0].product} {met[0].scenarios} on {met[0].builds}{_expired(met[0])})" if len(met) == 1 else ""
            )
            told = _all(verdict, total) if number == total > 1 else f"{number:,}{of} {one if number == 1 else many}"
            ends.append(f"{told}{where}")
    return listed(ends)
