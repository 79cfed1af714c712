"""``--retries``: a cell that did not pass is tried again on a machine that is reverted anew, and every try is told.

This is not left to pytest-rerunfailures: it repeats by pytest's own outcome and knows no verdict, so that it could
neither leave a known issue alone nor tell a flaky product from a lab that failed once; and JUnit files show nothing of
its repetitions. A second call of pytest's own hook does what is wanted with public means: fixtures are made anew, and
with them the lease, the revert and the guest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.plugin.record import record_key
from harness.plugin.settings import settings_key

if TYPE_CHECKING:
    from harness.plugin.record import Record
    from harness.plugin.verdicts import Judgement
    from harness.results.result import Attempt, Result

RERUN = "rerun"  # the outcome of a report that is not the cell's last word: neither passed nor failed for pytest
ASIDE = "attempt"  # the phase of a try's last report: no reporter closes the test for it

HOPELESS = frozenset({"NoMachine", "SiteRefused"})
"""What blocks a cell and would do so again: it was waited for already, or a person has to act."""

_before_key = pytest.StashKey[tuple["Result", ...]]()


def before(item: pytest.Item) -> tuple[Result, ...]:
    """Give the earlier tries at a cell."""
    return item.stash.get(_before_key, ())


def mark(item: pytest.Item, record: Record, report: pytest.TestReport) -> None:
    """Take a failure for a try that is repeated, when it is one; pytest then does not count it."""
    session = item.session
    tries_left = item.config.stash[settings_key].retries - len(record.before)
    if tries_left <= 0 or report.when == "teardown" or session.shouldstop or session.shouldfail:
        return
    if _is_worth_a_retry(record):
        record.again = True
        vars(report)["outcome"] = RERUN


def _is_worth_a_retry(record: Record) -> bool:
    """Whether the product failed, or the site did; a known issue and a mistake of ours stay what they are."""
    from harness.results.result import Fault

    judged = record.judgement
    if judged is None or record.known_issue is not None:
        return False
    return judged.blames_the_product or (judged.fault is Fault.SITE and judged.error not in HOPELESS)


def put_aside(item: pytest.Item, record: Record, report: pytest.TestReport) -> None:
    """Keep what a try came to; its report closes nothing, for the cell goes on."""
    item.stash[_before_key] = (*record.before, record.result())
    vars(report)["when"] = ASIDE
    vars(report)["outcome"] = RERUN


def once_more(item: pytest.Item, nextitem: pytest.Item | None) -> object:
    """Run the cell again from the start."""
    del item.stash[record_key]
    return item.ihook.pytest_runtest_protocol(item=item, nextitem=nextitem)


def status(report: pytest.TestReport) -> tuple[str, str, str | tuple[str, dict[str, bool]]] | None:
    """Show a try that is repeated as ``R``."""
    if report.when == ASIDE:
        return "", "", ""
    return (RERUN, "R", ("RERUN", {"yellow": True})) if vars(report)["outcome"] == RERUN else None


def overruled(judged: Judgement, record: Record) -> Judgement:
    """Let the product's failure stand when a later try could not be made: a lab that fails proves nothing."""
    from harness.plugin.verdicts import PASSED, Judgement

    blamed = _blamed(record.before)
    if blamed is None or judged == PASSED or judged.blames_the_product:
        return judged
    record.this_try = record.result()
    record.endings[:], record.findings[:] = blamed.endings, blamed.findings
    return Judgement(
        blamed.verdict,
        blamed.fault,
        blamed.reason,
        note=f"attempt {len(record.before) + 1} proved nothing, it was {judged.verdict}: {judged.reason}",
        error=blamed.error,
        code=blamed.code,
        subject=blamed.at_fault,
    )


def _blamed(tries: tuple[Result, ...]) -> Result | None:
    from harness.results.result import Fault

    return next((one for one in reversed(tries) if one.fault is Fault.PRODUCT), None)


def with_attempts(last: Result, earlier: tuple[Result, ...], by_itself: Result | None = None) -> Result:
    """Put a cell's tries together: passed after the product failed is flaky, passed after the site failed is passed.

    ``by_itself`` is what the last one came to where an earlier one's failure stands.
    """
    from harness.results.result import Verdict

    if not earlier:
        return last
    tries = (*earlier, last)
    notes = [f"attempt {number} of {len(tries)} {_was(one)}: {one.reason}" for number, one in enumerate(earlier, 1)]
    told: dict[str, object] = {
        "attempts": tuple(map(_attempt, (*earlier, by_itself or last))),
        "evidence": tuple(_evidence(tries)),
        "notes": (*notes, *last.notes),
    }
    blamed = _blamed(earlier)
    if last.verdict is Verdict.PASSED and blamed is not None:
        failure = ("fault", "reason", "error", "code", "at_fault", "cause", "fingerprint", "findings")
        told |= {"verdict": Verdict.FLAKY} | {name: getattr(blamed, name) for name in failure}
    return last.model_copy(update=told)


def _was(one: Result) -> str:
    return "was blocked by the site" if one.verdict == "blocked" else str(one.verdict)


def _evidence(tries: tuple[Result, ...]) -> list[object]:
    """Name evidence of an earlier try after it: the last one's stands under its own name."""
    return [
        kept if one is tries[-1] else kept.model_copy(update={"name": f"attempt {number}: {kept.name}"})
        for number, one in enumerate(tries, 1)
        for kept in one.evidence
    ]


def _attempt(one: Result) -> Attempt:
    from harness.results.result import Attempt

    return Attempt.model_validate({name: getattr(one, name) for name in Attempt.model_fields})
