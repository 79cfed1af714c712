"""Each cell's reports become one result, which crosses to the controller as a JSON string in ``user_properties``."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from harness.errors import AuthoringError, HarnessError, ProductFailed, SiteError
from harness.plugin import retrying
from harness.plugin.exchange import exchange_of, worker_of
from harness.plugin.hearing import heard
from harness.plugin.nodes import cell_key, matrix_key
from harness.plugin.planning import is_cell, name_key
from harness.plugin.record import Record, record_key
from harness.results.text import shown
from harness.scenarios.steps import Steps

_UNKNOWN = "whose fault it is could not be found out: {} {}; run the cell again"
PROPERTY = "wincompat"
VERDICT = "wincompat_verdict"  # an attribute of reports: it survives xdist, and chooses the word on the terminal


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Open a cell's record before anything of it runs."""
    if is_cell(item):
        exchange, worker, name = exchange_of(item.config), worker_of(item.config), item.stash[name_key]

        def tell(step: str) -> None:
            record = item.stash.get(record_key, None)
            exchange.tell(worker, name, step, record.machine if record else "")

        item.stash[record_key] = Record(
            cell=item.stash[cell_key],
            matrix=item.stash[matrix_key],
            name=name,
            steps=Steps(tell=tell),
            worker=worker,
            before=retrying.before(item),
        )
        exchange.tell(worker, name, "starting")
        try:
            with heard(item.stash[record_key]):
                done = yield
        finally:
            exchange.tell(worker, "", "")
        return retrying.once_more(item, nextitem) if item.stash[record_key].again else done
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge each phase; at the end of the last one, attach the result."""
    report = yield
    record = item.stash.get(record_key, None)
    if record is None:
        return report
    _judge(record, report, call, item)
    if report.when == "teardown" and record.again:
        retrying.put_aside(item, record, report)
    elif report.when == "teardown":
        result = retrying.with_attempts(record.result(), record.before, record.this_try)
        report.user_properties.append((PROPERTY, result.model_dump_json()))
    return report


def _judge(record: Record, report: pytest.TestReport, call: pytest.CallInfo[None], item: pytest.Item) -> None:
    from harness.plugin.verdicts import PASSED, judge, sentence

    error = call.excinfo.value if call.excinfo is not None else None
    try:
        judged = judge(error, phase=call.when, doubt=record.doubt, explain=record.explain)
    except Exception as broken:  # noqa: BLE001 - looking for the reason must not cost the run its other cells
        judged = judge(HarnessError(_UNKNOWN.format(type(broken).__name__, broken)), phase=call.when, doubt=str)
        judged = replace(judged, note=f"before that: {sentence(error)}" if error is not None else "")
    if record.judgement is not None and record.judgement != PASSED:
        # what went wrong first is the cell's reason; what went wrong after it is a note
        if judged != PASSED:
            record.notes.append(judged.reason)
        return
    if judged == PASSED and report.when != "call":
        return
    record.judgement, failed = judged, report.failed
    if failed:
        _lay_a_known_issue_over(report, record)
        retrying.mark(item, record, report)
    if not record.again:
        record.judgement = judged = retrying.overruled(judged, record)
    if judged.note:
        record.notes.append(judged.note)
    vars(report)[VERDICT] = str(judged.verdict)
    if failed:
        _tell_in_one_sentence(report, call, item, record)
    elif judged == PASSED:
        _miss_a_strict_known_issue(report, record)


def _tell_in_one_sentence(
    report: pytest.TestReport, call: pytest.CallInfo[None], item: pytest.Item, record: Record
) -> None:
    """Replace a traceback that leads through the harness by what happened; own tests keep theirs for plain asserts."""
    assert call.excinfo is not None  # noqa: S101 - pytest made this report out of an exception
    assert record.judgement is not None  # noqa: S101 - judged just now
    plain = isinstance(call.excinfo.value, ProductFailed | SiteError | AuthoringError)
    wants_it_all = item.config.getoption("fulltrace") or item.config.getoption("tbstyle") == "long"
    if (plain or _raised_by_a_built_in_scenario(call)) and not wants_it_all:
        told = call.excinfo.getrepr(style="value", chain=False)
        broken = f" (step: {record.steps.broken})" if record.steps.broken else ""
        words = shown(f"{record.judgement.verdict}: {record.judgement.reason}{broken}")
        if told.reprcrash is not None:
            told.reprcrash.message = words
        report.longrepr = told
        # the words themselves, and all of them: an error may have more lines than its first
        rest = str(call.excinfo.value).strip().splitlines()[1:]
        more = [shown(line) for told_more in (*rest, *record.notes) for line in told_more.splitlines()]
        told.reprtraceback.reprentries[0].lines = [words, *more]
    kept = [f"{evidence.name}: {evidence.path}" for evidence in record.evidence]
    if kept and (posted := exchange_of(item.config).posted()):
        report.sections.append((f"evidence in {posted.run}", "\n".join(kept)))


def _raised_by_a_built_in_scenario(call: pytest.CallInfo[None]) -> bool:
    assert call.excinfo is not None  # noqa: S101 - asked of failures only
    where = call.excinfo.traceback[-1].frame.f_globals.get("__name__", "")
    return isinstance(call.excinfo.value, AssertionError) and str(where).startswith("harness.scenarios")


def _lay_a_known_issue_over(report: pytest.TestReport, record: Record) -> None:
    issue = record.covering(today=_today())
    if issue is None:
        return
    record.known_issue = issue.id
    report.outcome = "skipped"
    report.wasxfail = f"known issue {issue.id}: {issue.reason}"


def _miss_a_strict_known_issue(report: pytest.TestReport, record: Record) -> None:
    issue = record.missing(today=_today())
    if issue is None:
        return
    words = f"known issue {issue.id} ({issue.ticket}) did not occur: close it, or take this cell out of its scope"
    record.missed_issue = issue.id
    record.notes.append(words)
    report.outcome = "failed"
    report.longrepr = words


def _today() -> date:
    return datetime.now(UTC).astimezone().date()  # a known issue expires where its owners live


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(
    report: pytest.TestReport,
) -> tuple[str, str, str | tuple[str, dict[str, bool]]] | None:
    """Show blocked cells among the errors and hung ones by their name; everything else is as pytest says it."""
    verdict = vars(report).get(VERDICT)
    if (shown := retrying.status(report)) is not None:
        return shown
    if verdict == "blocked" and report.failed:
        return "error", "B", ("BLOCKED", {"red": True})
    if verdict == "hung" and report.failed:
        return "failed", "H", ("HUNG", {"red": True})
    return None
