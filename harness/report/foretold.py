"""What the page says beside a cell's result: the failure's name, notes of it, and what was predicted of the package."""

from __future__ import annotations

from harness.predictions import Inspected, compare
from harness.report.text import clipped
from harness.results.plan import Plan
from harness.results.result import Result

_MOST = 12  # predictions of one cell


def told_of(result: Result | None, plan: Plan | None, inspected: Inspected | None) -> tuple[str, ...]:
    """Give sentences, each of which says first what it is about."""
    if result is None:
        return ()
    told = [("fingerprint", result.fingerprint), ("at fault", result.at_fault)]
    note = plan.note_of(result.fingerprint) if plan is not None and result.fingerprint else None
    told.append(("note", str(note or "")))
    if inspected is not None:
        told.append(("prediction", f"none: {inspected.trouble}" if inspected.trouble else ""))
        told += [(f"predicted, {one.standing}", str(one)) for one in compare(result, inspected)[:_MOST]]
    return tuple(clipped(f"{name}: {words}", 600) for name, words in told if words)
