"""The gate's answer as Azure DevOps logging commands: issues, the summary, an output variable and the task's result."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.gate.decision import Decision
from harness.gate.outputs.words import one_line


def commands(decision: Decision, summary: Path | None) -> Iterator[str]:
    """Give logging commands; ``summary`` is a Markdown file to put on the run's page."""
    for kind, reasons in (("error", decision.reasons), ("warning", decision.warnings)):
        for reason in reasons:
            yield f"##vso[task.logissue type={kind};code={reason.rule}]{_message(reason.sentence)}"
    for waiver in decision.waivers:
        if waiver.covers:
            words = f"waiver {waiver.id} by {waiver.person} until {waiver.expires}: {waiver.reason}"
            yield f"##vso[task.logissue type=warning;code=waiver]{_message(words)}"
    if summary is not None:
        yield f"##vso[task.uploadsummary]{summary.resolve()}"
    yield f"##vso[task.setvariable variable=decision;isOutput=true]{decision.word}"
    result = "Succeeded" if decision.ships else "Failed"
    yield f"##vso[task.complete result={result};]{_message(decision.sentence)}"


def _message(text: str) -> str:
    return one_line(text).replace("%", "%AZP25")
