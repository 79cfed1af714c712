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
    ]
    return json.dumps(found, indent=1) + "\n"


def _findings(reasons: Sequence[Reason], files: dict[str, str], *, holds: bool) -> Iterator[dict[str, object]]:
    for reason in reasons:
        severity = ("critical" if reason.rule in _GRAVE else "major") if holds else "minor"
        path = next((files[cell] for cell in reason.cells if files.get(cell)), "") or "gate.toml"
        what = "\0".join([reason.rule, *(reason.cells or (reason.sentence,))])
        yield {
            "description": one_line(f"{reason.rule}: {reason.sentence}"),
            "check_name": f"wincompat-gate-{reason.rule}",
            "fingerprint": hashlib.sha256(what.encode("utf-8", "replace")).hexdigest(),
            "severity": severity,
            "location": {"path": path, "lines": {"begin": 1}},
        }
