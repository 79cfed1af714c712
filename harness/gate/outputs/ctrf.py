"""The run with the gate's answer as CTRF, the common test report format (https://ctrf.io)."""

from __future__ import annotations

import json
import math
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from harness.gate.decision import Decision
from harness.gate.evidence import Seen
from harness.gate.outputs.standing import Standing, standings
from harness.results.text import clipped, visible

SPECIFICATION = "1.0.0"
_SPACE = uuid.UUID("6f0f3e5c-6b0c-5d53-9d06-6a1f1a3f7f50")  # of the ids of our cells, so that they stay the same
_STATUS = {
    "passed": "passed",
    "flaky": "passed",
    "failed": "failed",
    "hung": "failed",
    "skipped": "skipped",
    "not run": "pending",
    "blocked": "other",
}
_LONGEST = 20_000


def ctrf(cells: Sequence[Seen], decision: Decision) -> str:
    """Write one CTRF document; a test's build is in its labels, for the format has one environment a document."""
    tests = [_test(standing) for standing in standings(cells, decision)]
    counted = Counter(test["status"] for test in tests)
    start = min((test["start"] for test in tests if "start" in test), default=_milliseconds(decision.started))
    stop = max((test["stop"] for test in tests if "stop" in test), default=start)
    document = {
        "reportFormat": "CTRF",
        "specVersion": SPECIFICATION,
        "reportId": str(uuid.uuid5(_SPACE, f"{decision.run} {decision.decided.isoformat()}")),
        "timestamp": decision.decided.isoformat(),
        "generatedBy": "pytest-wincompat",
        "results": {
            "tool": {"name": "pytest-wincompat", "version": metadata.version("pytest-wincompat")},
            "summary": {
                "tests": len(tests),
                **{status: counted[status] for status in ("passed", "failed", "skipped", "pending", "other")},
                "flaky": sum(cell.verdict == "flaky" for cell in cells),
                "suites": len({cell.build_name for cell in cells}),
                "start": start,
                "stop": stop,
            },
            "tests": tests,
            "environment": {
                "reportName": _text(decision.matrix or decision.run) or "wincompat",
                "testEnvironment": "lab" if decision.is_lab else "site",
            },
        },
        "extra": {"gate": decision.model_dump(mode="json")},
    }
    return json.dumps(document, ensure_ascii=True, indent=1) + "\n"


def _test(standing: Standing) -> dict[str, Any]:
    cell = standing.cell
    took = cell.seconds if math.isfinite(cell.seconds) and 0 <= cell.seconds < 1e9 else 0.0
    test: dict[str, Any] = {
        "id": str(uuid.uuid5(_SPACE, cell.cell.encode("utf-8", "replace").decode())),
        "name": _text(cell.cell) or "?",
        "status": _STATUS[cell.verdict],
        "rawStatus": cell.verdict,
        "duration": round(took * 1000),
        "suite": [_text(part) for part in (cell.build_name, cell.product, cell.scenario)],
        "flaky": cell.verdict == "flaky",
        "filePath": _text(standing.place),
        "labels": {
            "build": str(cell.build),
            "product": _text(cell.product),
            "scenario": _text(cell.scenario),
            "leg": _text(cell.leg),
            "holds": standing.holds,
            "provenance": _text(cell.provenance),
            "machine": _text(cell.machine),
        },
        "steps": [{"name": _text(step.name), "status": "failed" if step.error else "passed"} for step in cell.steps],
    }
    if words := standing.words or cell.reason:
        test["message"] = _text(words)
    if cell.started is not None:
        test["start"] = _milliseconds(cell.started)
        test["stop"] = test["start"] + test["duration"]
    return test


def _milliseconds(moment: datetime | None) -> int:
    if moment is None:
        return 0
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _text(text: str) -> str:
    return visible(clipped(text, _LONGEST))
