"""The gate's answer as Markdown, for a GitHub job summary, a merge request or a wiki."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from harness.gate.decision import Decision, Reason
from harness.gate.evidence import Seen
from harness.gate.outputs.standing import standings
from harness.gate.outputs.words import one_line

MOST_BYTES = 1_000_000  # GitHub refuses a summary above 1,048,576 as a whole
MOST_CELLS = 20  # named with one reason
_WORLD = re.compile(r"(www)\.", re.IGNORECASE)
_ACTS = re.compile(r"([\\`*_\[\]#!|~$])")


def markdown(cells: Sequence[Seen], decision: Decision, *, most: int = MOST_BYTES) -> str:
    """Write Markdown of at most so many bytes; the verdict, the reasons and the waivers come first and stay."""
    written: list[str] = []
    room = most - 200
    left_out = 0
    for line in _lines(cells, decision):
        size = len(line.encode()) + 1
        if size > room:
            left_out += 1
            continue
        written.append(line)
        room -= size
    if left_out:
        written += ["", f"_{left_out:,} lines more would not fit here; gate.json and the report have them all._"]
    return "\n".join(written) + "\n"


def _lines(cells: Sequence[Seen], decision: Decision) -> Iterator[str]:
    yield f"## {'✅ Ship' if decision.ships else '⛔ Hold'}: {escaped(decision.matrix or decision.run)}"
    yield ""
    if decision.is_lab:
        yield f"> **Lab run: {escaped(decision.provenance)}; not Windows evidence**"
        yield ""
    yield escaped(decision.sentence)
    yield from _section("Reasons to hold", decision.reasons)
    if decision.waivers:
        yield from ("", "### Waivers", "", "| waiver | person | signed off | expires | reason | covers |")
        yield "|---|---|---|---|---|---|"
        for waiver in decision.waivers:
            covers = escaped("; ".join(f"{one.rule}: {one.sentence}" for one in waiver.covers)) or "nothing"
            state = f"**does not count: {escaped(waiver.flaw)}**" if waiver.flaw else covers
            words = (escaped(word) for word in (waiver.id, waiver.person, str(waiver.signed_off or "no")))
            yield f"| {' | '.join(words)} | {waiver.expires} | {escaped(waiver.reason)} | {state} |"
    yield from _section("Warnings", decision.warnings)
    yield from _section("Accepted for now", decision.accepted)
    if decision.builds:
        yield from ("", "### Builds", "", "| build | passed of planned | it | because |", "|---|---|---|---|")
        for line in decision.builds:
            act = {"block": "blocks", "warn": "only warns"}.get(line.act, line.act)
            name = escaped(f"{line.name} ({line.build})")
            yield f"| {name} | {line.passed:,} of {line.planned:,} | {act} | {escaped(line.because)} |"
    missed = [one for one in standings(cells, decision) if one.cell.verdict not in ("passed", "skipped") or one.holds]
    if missed:
        yield from ("", "### Cells", "", "| | cell | verdict | why |", "|---|---|---|---|")
        for one in sorted(missed, key=lambda one: not one.holds):
            mark = "⛔" if one.holds else "⚠️"
            yield f"| {mark} | {escaped(one.cell.cell)} | {one.cell.verdict} | {escaped(one.words)} |"
    facts = [f"run {decision.run}", f"policy {decision.policy}", f"decided {decision.decided:%Y-%m-%d %H:%M %Z}"]
    yield from ("", f"<sub>{escaped(', '.join([*facts, *decision.artifacts]))}</sub>")


def _section(title: str, reasons: Iterable[Reason]) -> Iterator[str]:
    for number, reason in enumerate(reasons):
        if not number:
            yield from ("", f"### {title}", "")
        cells = [f"`{_code(cell)}`" for cell in reason.cells[:MOST_CELLS]]
        more = f" and {len(reason.cells) - MOST_CELLS:,} more" if len(reason.cells) > MOST_CELLS else ""
        named = f"<br>{', '.join(cells)}{more}" if cells else ""
        yield f"- **{reason.rule}** {escaped(reason.sentence)}{named}"


def escaped(text: str) -> str:
    """Show a text as it is: no markup, no link, nobody called by an @ and no ticket by a #."""
    told = _ACTS.sub(r"\\\1", html.escape(one_line(text), quote=False)).replace("@", "&#64;").replace("://", "&#58;//")
    return _WORLD.sub(r"\1&#46;", told)  # GitHub makes a link of what begins so, also without a scheme


def _code(text: str) -> str:
    return one_line(text).replace("`", "'")
