"""The gate's answer for GitHub Actions: annotations in the log, the job's summary, and outputs for later steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness.gate.decision import Decision, Reason
from harness.gate.evidence import Seen
from harness.gate.outputs.markdown import markdown
from harness.gate.outputs.words import one_line

MOST = 10  # GitHub shows no more annotations of a kind for each step


def workflow_commands(cells: Sequence[Seen], decision: Decision) -> Iterator[str]:
    """Give workflow commands, the gravest reason first; what would not be shown is counted in the last one."""
    files = {cell.cell: cell.node.partition("::")[0] for cell in cells}
    yield from _commands("error", decision.reasons, files)
    yield from _commands("warning", decision.warnings, files)
    waived = [f"{one.id} by {one.person} until {one.expires}: {one.reason}" for one in decision.waivers if one.covers]
    for words in waived[:MOST]:
        yield f"::notice title=waiver::{_message(words)}"


def announce(cells: Sequence[Seen], decision: Decision, environment: Mapping[str, str]) -> None:
    """Append to the job's summary and outputs, where the environment names their files.

    Raises OSError where a file cannot be written.
    """
    if summary := environment.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(markdown(cells, decision))
    if outputs := environment.get("GITHUB_OUTPUT"):
        with Path(outputs).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"decision={decision.word}\nsentence={one_line(decision.sentence)}\n")


def _commands(kind: str, reasons: Sequence[Reason], files: Mapping[str, str]) -> Iterator[str]:
    shown = reasons if len(reasons) <= MOST else reasons[: MOST - 1]
    for reason in shown:
        file = next((files[cell] for cell in reason.cells if files.get(cell)), "")
        place = f"file={_property(file)},line=1," if file else ""
        yield f"::{kind} {place}title={_property(f'gate: {reason.rule}')}::{_message(reason.sentence)}"
    if len(shown) < len(reasons):
        yield f"::{kind} title=gate::{len(reasons) - len(shown):,} reasons more; the summary has them all"


def _message(text: str) -> str:
    return one_line(text).replace("%", "%25")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
