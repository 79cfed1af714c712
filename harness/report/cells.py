"""From results to what the page says of each cell."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from harness.report.evidence import Shelf
from harness.report.foretold import Foretold, ForetoldView, foretold_views, told_of
from harness.report.marks import LETTERS, arrow
from harness.report.view import CellView, StepView
from harness.results import words
from harness.results.plan import Plan
from harness.results.result import Fault, Result, Verdict
from harness.results.tally import Finding
from harness.results.text import clipped

_FAULTS = {
    Fault.NOBODY: "",
    Fault.PRODUCT: "The product did this.",
    Fault.SITE: "The site let the cell down; the product is not to blame.",
    Fault.HARNESS: "The harness or the matrix let the cell down; the product is not to blame.",
}
SMALL = 400  # cells of a run whose page tells everything in plain HTML, too
MOST_TOLD = 4_000  # cells of a large run that are told in full
_SHOWN_ONCE = 4_000  # characters of a reason on the page; the whole stands in the journal


def cell_views(
    cells: pd.DataFrame,
    results: Iterable[Result],
    plan: Plan | None,
    findings: Sequence[Finding],
    shelf: Shelf,
    foretold: Foretold,
) -> dict[str, CellView]:
    """Lay out the cells that are told in full, by cell, in the frame's order.

    These are all of a small run; of a large one those that did not pass or that contradict what was predicted of them,
    up to a number that a page can hold.
    """
    found = {result.cell: result for result in results}
    nodes = {planned.cell: planned.node for planned in plan.cells} if plan else {}
    known = {cell: finding for finding in findings if finding.known for cell in finding.cells}
    views = {}
    for place, row in _told(cells, foretold.contradicted).iterrows():
        cell = str(row["cell"])
        views[cell] = _cell_view(
            key=f"c{int(str(place)) + 1}",
            row={str(column): value for column, value in row.items()},
            result=found.get(cell),
            finding=known.get(cell),
            repeat=_repeat(nodes.get(cell, ""), plan),
            shelf=shelf,
            told=told_of(found.get(cell), plan, foretold.trouble(cell)),
            foretold=foretold_views(foretold.compared.get(cell, ())),
        )
    return views


def _told(cells: pd.DataFrame, otherwise: Collection[str]) -> pd.DataFrame:
    if len(cells) <= SMALL:
        return cells
    missed = cells[
        ~cells["verdict"].isin([Verdict.PASSED.value, Verdict.SKIPPED.value]) | cells["cell"].isin(otherwise)
    ]
    return missed.head(MOST_TOLD)


def _cell_view(
    *,
    key: str,
    row: dict[str, Any],
    result: Result | None,
    finding: Finding | None,
    repeat: str,
    shelf: Shelf,
    told: tuple[str, ...] = (),
    foretold: tuple[ForetoldView, ...] = (),
) -> CellView:
    verdict = Verdict(row["verdict"])
    letter = LETTERS[verdict]
    accepted = finding is not None and not finding.holds
    reason = str(row["reason"])
    missed = verdict in (Verdict.FAILED, Verdict.HUNG, Verdict.BLOCKED)
    return CellView(
        key=key,
        verdict=verdict.value,
        style=f"{letter} k" if accepted else letter,
        opened=missed,
        product=str(row["product"]),
        story=" ".join(filter(None, (str(row["scenario"]), arrow(str(row["leg"]))))),
        build=str(row["build"]),
        build_name=str(row["build_name"]),
        seconds=words.seconds(result.seconds) if result and result.steps else "",
        reason=clipped(reason, _SHOWN_ONCE),
        headline=clipped(reason.strip().split("\n", 1)[0], 160),
        fault=_FAULTS[result.fault] if result and missed else "",
        issue=_issue(finding),
        steps=_steps(result),
        evidence=shelf.views(result) if result else (),
        facts=_facts(result),
        notes=(*told, *(clipped(note, 1_000) for note in result.notes)) if result else (),
        repeat=repeat,
        kept=_kept(result),
        cause=str(result.cause or "") if result else "",
        findings=tuple((clipped(each.code, 80), clipped(each.sentence, 1_000)) for each in result.findings)
        if result
        else (),
        attempts=_attempts(result),
        foretold=foretold,
    )


def _steps(result: Result | None) -> tuple[StepView, ...]:
    if result is None:
        return ()
    whole = max([result.seconds, *(step.started + step.seconds for step in result.steps)]) or 1.0
    return tuple(
        StepView(
            name=clipped(step.name, 200),
            seconds=f"{step.seconds:.2f}",
            left=_percent(step.started / whole),
            width=_percent(step.seconds / whole),
            error=clipped(step.error or "", 600),
        )
        for step in result.steps
    )


def _facts(result: Result | None) -> tuple[tuple[str, str], ...]:
    if result is None:
        return ()
    known: Mapping[str, str] = {
        "machine": result.machine,
        **{name.replace("_", " "): value for name, value in result.guest.items()},
        "began": f"{result.started:%Y-%m-%d %H:%M:%S}" if result.started else "",
        "worker": result.worker,
    }
    return tuple((clipped(name, 60), clipped(value, 300)) for name, value in known.items() if value)


def _kept(result: Result | None) -> tuple[tuple[str, str], ...]:
    if result is None or result.kept is None:
        return ()
    kept = result.kept
    until = f"{kept.until:%Y-%m-%d %H:%M} UTC"
    return ((f"look at {kept.machine}, kept until {until}", kept.attach), ("give it back", kept.release))


def _issue(finding: Finding | None) -> str:
    if finding is None or finding.known is None:
        return ""
    issue = finding.known
    name = f"{issue.id} ({issue.ticket})" if issue.ticket and issue.ticket != issue.id else issue.id
    until = f", accepted until {issue.expires}" if issue.expires and not finding.expired else ""
    ended = f"; its acceptance ended on {issue.expires}" if finding.expired else ""
    return clipped(f"{name}{until}{ended}{': ' + issue.reason if issue.reason else ''}", 1_000)


def _repeat(node: str, plan: Plan | None) -> str:
    if not node or plan is None:
        return ""
    # double quotes where they do: they mean the same in cmd.exe and in a shell
    quoted = f'"{node}"' if not set(node) & set('"$`\\%!') else shlex.quote(node)
    return f"pytest {quoted}{f' --site {shlex.quote(plan.site_file)}' if plan.site_file else ''}"


def _attempts(result: Result | None) -> tuple[tuple[str, str], ...]:
    return tuple(
        (each.verdict.value, clipped(f"{each.machine}: {each.reason}".strip(": ") or "no reason was given", 1_000))
        for each in (result.attempts if result else ())
    )


def _percent(part: float) -> float:
    return round(min(max(part * 100, 0.0), 100.0), 1) if part == part else 0.0
