"""From evidence, policy, waivers and the moment to ship or hold: a pure function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from harness.gate.case import Case
from harness.gate.complaint import RULES, Complaint
from harness.gate.decision import BuildLine, Decision, Reason, Waived
from harness.gate.evidence import PROVED, Evidence, Seen
from harness.gate.policy import Policy
from harness.gate.rules import complaints
from harness.gate.tiers import tier
from harness.gate.waivers import Waiver
from harness.results.provenance import provenance
from harness.results.words import builds_in_words, count, listed

_MISSING = frozenset({"plan", "journal"})
_ORDER = {rule: place for place, rule in enumerate(RULES)}


def decide(evidence: Evidence, policy: Policy, waivers: Sequence[Waiver] = (), *, now: datetime) -> Decision:
    """Hold unless nothing speaks against a release that is neither accepted for now nor waived by a person.

    ``now`` has a zone; its date is the day known issues, waivers and builds are judged on.
    """
    case = Case.of(evidence, policy, now)
    flaws = {waiver.id: waiver.flaw(case.today, policy.approvers) for waiver in waivers}
    counted = [waiver for waiver in waivers if not flaws[waiver.id]]
    standing: list[Complaint] = []
    covered: dict[str, list[Complaint]] = {waiver.id: [] for waiver in waivers}
    for complaint in complaints(case):
        rule, cell, fingerprint = complaint.rule, complaint.cell_id, complaint.fingerprint
        by = [waiver.id for waiver in counted if complaint.act == "block" and waiver.covers(rule, cell, fingerprint)]
        (covered[min(by)] if by else standing).append(complaint)
    holding, within = _budgeted([one for one in standing if one.act == "block"], policy)
    holding += [_of_waiver(waiver, flaws[waiver.id]) for waiver in waivers if flaws[waiver.id]]
    reasons = _reasons(holding)
    warned = [one for one in standing if one.act == "warn"]
    warned += [_idle(waiver) for waiver in counted if not covered[waiver.id]]
    plan = evidence.plan
    origin = provenance(plan, sorted(evidence.results, key=lambda result: result.cell))
    return Decision(
        word="hold" if reasons else "ship",
        sentence=_sentence(case, reasons, [one for one in waivers if covered[one.id]]),
        run=evidence.run or (plan.run if plan else ""),
        matrix=plan.matrix if plan else "",
        policy=policy.name,
        decided=now,
        started=plan.started if plan else None,
        is_lab=origin.is_lab,
        provenance=origin.words,
        artifacts=tuple(f"{artifact.name} {artifact.sha256}" for artifact in evidence.artifacts),
        counts=dict(sorted(Counter(cell.verdict for cell in case.cells).items())),
        builds=_builds(case),
        reasons=reasons,
        warnings=_reasons(warned),
        accepted=(*_known(case), *within),
        waivers=tuple(_met(waiver, flaws[waiver.id], covered[waiver.id]) for waiver in waivers),
        missing=any(reason.rule in _MISSING for reason in reasons),
    )


def _budgeted(holding: list[Complaint], policy: Policy) -> tuple[list[Complaint], list[Reason]]:
    """Let go of flaky and blocked cells as long as they are no more than the policy allows."""
    within: list[Reason] = []
    for rule, most in (("flaky", policy.flaky), ("blocked", policy.blocked)):
        met = [one for one in holding if one.rule == rule]
        if met and len(met) <= most:
            holding = [one for one in holding if one.rule != rule]
            words = f"{count(len(met), 'cell')} {rule}, {most:,} allowed"
            cells = tuple(sorted(one.cell_id for one in met))
            within.append(Reason(rule=rule, sentence=words, cells=cells, limit=f"{most}", seen=f"{len(met)}"))
    return holding, within


def _reasons(found: Iterable[Complaint]) -> tuple[Reason, ...]:
    """Say each thing once, with all of its cells; the gravest first, whatever the order they were found in."""
    groups: dict[tuple[str, str], list[Complaint]] = {}
    for complaint in found:
        groups.setdefault((complaint.rule, complaint.about or complaint.rule), []).append(complaint)
    reasons = [_reason([*group]) for group in groups.values()]
    return tuple(sorted(reasons, key=lambda one: (_ORDER[one.rule], -len(one.cells), one.sentence, one.cells)))


def _reason(group: list[Complaint]) -> Reason:
    group.sort(key=lambda one: (one.cell_id, one.words))
    first = group[0]
    cells = [one.cell for one in group if one.cell is not None]
    where = f"{_where(cells)}: " if cells else ""
    return Reason(
        rule=first.rule,
        sentence=f"{where}{first.words}",
        cells=tuple(cell.cell for cell in cells),
        limit=first.limit,
        seen=first.seen if len(group) == 1 else "",
    )


def _where(cells: Sequence[Seen]) -> str:
    products = listed(list(dict.fromkeys(cell.product for cell in cells)), 3)
    scenarios = listed(list(dict.fromkeys(cell.scenario for cell in cells)), 4)
    return f"{products} {scenarios} on {builds_in_words(_by_build(cells))}"


def _by_build(cells: Iterable[Seen]) -> list[str]:
    return list(dict.fromkeys(cell.build_name for cell in sorted(cells, key=lambda cell: (cell.build, cell.cell))))


def _known(case: Case) -> list[Reason]:
    known: dict[str, list[Seen]] = {}
    for cell in case.cells:
        if case.is_known(cell):
            known.setdefault(cell.known_issue, []).append(cell)
    reasons = []
    for issue, cells in sorted(known.items()):
        planned = case.issue(cells[0])
        assert planned is not None  # noqa: S101 - a known cell has its issue in the plan
        ticket = f" ({planned.ticket})" if planned.ticket else ""
        words = f"known issue {issue}{ticket} until {planned.expires}: {planned.reason}"
        sentence = f"{_where(cells)}: {words}"
        reasons.append(Reason(rule="known-issue", sentence=sentence, cells=tuple(cell.cell for cell in cells)))
    return reasons


def _of_waiver(waiver: Waiver, flaw: str) -> Complaint:
    words = f"waiver {waiver.id} does not count: {flaw}; renew it or take it out"
    return Complaint(rule="waiver", words=words, about=waiver.id)


def _idle(waiver: Waiver) -> Complaint:
    return Complaint(
        rule="waiver", words=f"waiver {waiver.id} covers nothing: take it out", about=waiver.id, act="warn"
    )


def _met(waiver: Waiver, flaw: str, covered: list[Complaint]) -> Waived:
    return Waived(
        id=waiver.id,
        reason=waiver.reason,
        person=waiver.person,
        signed_off=waiver.signed_off,
        expires=waiver.expires,
        flaw=flaw,
        covers=_reasons(covered),
    )


def _builds(case: Case) -> tuple[BuildLine, ...]:
    lines = []
    for build in sorted({cell.build for cell in case.cells}):
        cells = [cell for cell in case.cells if cell.build == build]
        editions = sorted({cell.edition for cell in cells if cell.edition})
        act, because = tier(build, editions[0] if len(editions) == 1 else "", case.policy.tiers, case.today)
        lines.append(
            BuildLine(
                build=str(build),
                name=cells[0].build_name,
                act=act,
                because=because,
                planned=sum(not cell.is_skipped for cell in cells),
                passed=sum(cell.verdict in PROVED for cell in cells),
            )
        )
    return tuple(lines)


def _sentence(case: Case, reasons: Sequence[Reason], waivers: Sequence[Waiver]) -> str:
    planned = sum(not cell.is_skipped for cell in case.cells)
    passed = f"{sum(cell.verdict in PROVED for cell in case.cells):,} of {count(planned, 'planned cell')} passed"
    by = f", {count(len(waivers), 'waiver')} by {listed(sorted({one.person for one in waivers}))}" if waivers else ""
    if not reasons:
        return f"Ship: {passed}{by}; nothing speaks against it."
    rules = Counter(reason.rule for reason in reasons)
    first = min(reasons, key=lambda one: _ORDER[one.rule])
    alike = rules[first.rule]
    told = f"{RULES[first.rule]} ({first.sentence})" if alike == 1 else f"{RULES[first.rule]}, {alike:,} reasons"
    more = f", and {count(len(reasons) - alike, 'reason')} more" if len(reasons) > alike else ""
    return f"Hold: {told}{more}; {passed}{by}."
