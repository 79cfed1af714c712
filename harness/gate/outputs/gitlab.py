"""The gate's answer as a GitLab code quality report; JUnit XML is GitLab's way for the cells."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

from harness.gate.decision import Decision, Reason
from harness.gate.evidence import Seen
from harness.gate.outputs.words import one_line

_GRAVE = frozenset({"lab-evidence", "product-hash", "plan", "journal", "failed", "hung", "required"})


def code_quality(cells: Sequence[Seen], decision: Decision) -> str:
    """Write what holds and what warns as findings beside the matrix that plans the cells."""
    files = {cell.cell: cell.node.partition("::")[0] for cell in cells}
    found = [
        *_findings(decision.reasons, files, holds=True),
        *_findings(decision.warnings, files, holds=False),
        *_waivers(decision),
    ]
    return json.dumps(found, indent=1) + "\n"


def _findings(reasons: Sequence[Reason], files: dict[str, str], *, holds: bool) -> Iterator[dict[str, object]]:
    for reason in reasons:
        severity = ("critical" if reason.rule in _GRAVE else "major") if holds else "minor"
        path = next((files[cell] for cell in reason.cells if files.get(cell)), "") or "gate.toml"
        what = "\0".join([reason.rule, *(reason.cells or (reason.sentence,))])
        yield _finding(reason.rule, f"{reason.rule}: {reason.sentence}", what, severity, path)


def _waivers(decision: Decision) -> Iterator[dict[str, object]]:
    for one in decision.waivers:
        if one.covers:
            words = f"waiver {one.id} by {one.person} until {one.expires}: {one.reason}"
            yield _finding("waiver", words, f"waiver\0{one.id}", "info", "gate.toml")


def _finding(rule: str, words: str, what: str, severity: str, path: str) -> dict[str, object]:
    return {
        "description": one_line(words),
        "check_name": f"wincompat-gate-{rule}",
        "fingerprint": hashlib.sha256(what.encode("utf-8", "replace")).hexdigest(),
        "severity": severity,
        "location": {"path": path, "lines": {"begin": 1}},
    }
