"""A run, as the controller keeps it: plan, journal, report and the exit status that they add up to."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import AuthoringError
from harness.plugin.junit import place_of, tell_attempts
from harness.plugin.recording import PROPERTY
from harness.plugin.retrying import ASIDE
from harness.plugin.settings import settings_key
from harness.predictions.inspected import FILE_NAME, Preflight
from harness.results.journal import Journal
from harness.results.result import Fault, Result, Verdict
from harness.results.run import write_whole
from harness.results.running import announce, withdraw
from harness.results.words import count

if TYPE_CHECKING:
    from harness.plugin.exchange import Exchange
    from harness.plugin.preflight import Reading
    from harness.plugin.progress import Progress
    from harness.report.changes import Earlier
    from harness.results.plan import Plan, PlannedCell
    from harness.results.run import RunFolder

PHASES = ("setup", "call", "teardown", ASIDE)
GOOD = {Verdict.PASSED, Verdict.FLAKY, Verdict.SKIPPED}


class Run:
    """Registered as a plugin once cells are known; writes each result down before the next one begins."""

    def __init__(self, folder: RunFolder, plan: Plan, exchange: Exchange, config: pytest.Config) -> None:
        self.folder = folder
        self.plan = plan
        self.results: dict[str, Result] = {}
        self.report: Path | None = None
        self.trouble: list[str] = []
        self.said: list[str] = []
        self._exchange = exchange
        self._overrides = config.rootpath / "reports"
        self._settings = config.stash[settings_key]
        self._reading: Reading | None = None
        self.predicted = Preflight()
        self._journal = Journal(folder.journal_file)
        self._unwritten: dict[str, Result] = {}
        self._why_unwritten = ""
        self._crashed: dict[str, str] = {}
        self._progress = _watching(self, config)

    def read_packages(self, reading: Reading) -> None:
        """Have the packages read while the cells run."""
        self._reading = reading
        reading.start()

    @property
    def done(self) -> tuple[int, int]:
        """How many of the planned cells are done."""
        return len(self.results), len(self.plan.cells)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Journal the result that a cell's last report carries."""
        if self._progress is not None:
            self._progress.clear()
        if report.when not in PHASES:  # xdist's report of a worker that died is of none of them
            self._crashed[report.nodeid] = "the worker process died while it ran this cell"
        if report.when == "teardown":
            for name, value in report.user_properties:
                if name == PROPERTY:
                    self._keep(Result.model_validate_json(str(value)))

    def _keep(self, result: Result) -> None:
        self.results[result.cell] = result
        self._unwritten[result.cell] = result
        self._write_down()

    def _write_down(self) -> None:
        """Journal what is known and not written yet: a disk that is full now may have space again with the next one."""
        if not self._unwritten:
            return
        try:
            self._journal.extend(self._unwritten.values())
            self._unwritten.clear()
        except OSError as error:
            self._why_unwritten = error.strerror or str(error)

    def _tell_what_is_unwritten(self) -> None:
        # a full disk must not be mistaken for a run without findings: it is said, and the exit status holds
        self._write_down()
        if self._unwritten:
            cells = f"{len(self._unwritten)} of {len(self.results)} results"
            self.trouble.append(
                f"{self.folder.journal_file} cannot be written: {self._why_unwritten}; {cells} are nowhere but in this "
                "output: make room there, or name another place with --runs, and run these cells again"
            )

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None, object, object]:
        """Reconcile what was planned with what was seen, write the report, and hold the run unless all is well."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
        for cell in self.plan.cells:
            if cell.cell not in self.results:
                self._keep(_not_run(cell, self._crashed.get(cell.node) or _why(session)))
        self._tell_what_is_unwritten()
        self._write_predictions()
        self._write_report()
        self._add_to_history()
        held = any(not accounted_for(result) for result in self.results.values()) or self.trouble
        if held and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        done = yield  # pytest writes its JUnit file here
        self._tell_junit(session.config)
        return done

    def _tell_junit(self, config: pytest.Config) -> None:
        if (file := place_of(config.getoption("xmlpath", None))) is None:
            return
        try:
            tell_attempts(file, self.results, carried_by=PROPERTY)
        except AuthoringError as error:
            self.trouble.append(str(error))

    def _write_predictions(self) -> None:
        if self._reading is None:
            return
        self.predicted = self._reading.finish()
        try:
            write_whole(self.folder.path / FILE_NAME, self.predicted.model_dump_json() + "\n")
        except OSError as error:
            self.trouble.append(f"what was predicted of the packages is not written down: {error.strerror}")

    def _write_report(self) -> None:
        try:
            from harness.report.page import write_report
            from harness.results.costs import numbers_of

            with warnings.catch_warnings(action="ignore"):  # a project that makes errors of warnings means its own
                earlier = self._runs_before()
                self.report = write_report(
                    self.folder.path,
                    overrides=self._overrides,
                    earlier=earlier,
                    costs=numbers_of(self._overrides.parent),
                )
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the page, the journal holds every result
            words = str(error).strip().splitlines()
            lost = "" if self._unwritten else "nothing is lost, "
            self.trouble.append(
                f"no report: {type(error).__name__}: {words[0] if words else ''}; {lost}"
                f"make it again with: wincompat report {self.folder.path}"
            )

    def _runs_before(self) -> tuple[Earlier, ...] | None:
        """Find what the report is compared with: those beside it and in the history, where that can be asked."""
        if not (url := self._settings.history):
            return None
        from harness.report.choosing import runs_to_compare
        from harness.results.history.adding import NotReachedError, asked

        try:
            found = asked(lambda: runs_to_compare(self.folder, runs=self.folder.path.parent, history=url))
        except NotReachedError as error:
            self.said.append(f"compared with the runs beside it alone, for the history was not read: {error}")
            return None
        if found:
            self.said.append(f"compared with {count(len(found), 'earlier run')}, as {url} and the folder keep them")
        else:
            self.said.append(f"compared with no earlier run: {url} and the folder have none of this matrix")
        return found

    def _add_to_history(self) -> None:
        if self._settings.add_to_history:
            from harness.results.history.adding import added

            with warnings.catch_warnings(action="ignore"):
                self.said.append(added(self.folder, self._settings.history))

    def pytest_unconfigure(self) -> None:
        """Tell those who watch that the run has ended by itself."""
        withdraw(self.folder.path)


def accounted_for(result: Result) -> bool:
    """Whether a result holds nothing: passed, skipped on purpose, or a known issue, and no strict one is missed."""
    return (result.verdict in GOOD or result.known_issue is not None) and result.missed_issue is None


def _not_run(cell: PlannedCell, reason: str) -> Result:
    from harness.causes import decided

    ended = Result(
        cell=cell.cell,
        build=cell.build,
        product=cell.product,
        kind=cell.kind,
        scenario=cell.scenario,
        leg=cell.leg,
        verdict=Verdict.NOT_RUN,
        fault=Fault.HARNESS,
        reason=reason,
    )
    return decided(ended)


def _why(session: pytest.Session) -> str:
    return f"the run ended before it: {session.shouldfail or session.shouldstop or 'it was interrupted'}"


def _watching(run: Run, config: pytest.Config) -> Progress | None:
    if config.get_verbosity() <= -2 or not config.pluginmanager.hasplugin("terminalreporter"):
        return None
    from harness.plugin.progress import Progress

    try:
        draw = _live(run) if config.getoption("--live") else None
        progress = Progress(sys.__stdout__ or sys.stdout, run._exchange.where, lambda: run.done, draw=draw)
    except (OSError, ValueError):
        return None  # no descriptor behind it: nobody watches
    progress.start()
    return progress


def _live(run: Run) -> Callable[[int], list[str]]:
    from harness.watch.following import Following, usual_seconds
    from harness.watch.screen import lines

    followed: list[Following] = []

    def draw(width: int) -> list[str]:
        if not followed:  # in the thread that watches: the run does not wait until earlier ones are read
            followed.append(Following(run.folder, usual=usual_seconds(run.folder)))
        return lines(followed[0].look(), width=width, colour=True)

    return draw


def open_run(
    config: pytest.Config,
    cells: Sequence[PlannedCell],
    exchange: Exchange,
    **facts: object,
) -> Run:
    """Make the run's folder and write its plan; raises AuthoringError when the folder cannot be made."""
    from harness.results.plan import Plan
    from harness.results.run import RunFolder

    folder = RunFolder.create(config.stash[settings_key].runs)
    plan = Plan.model_validate({"run": folder.run, "started": datetime.now(UTC), "cells": cells, **facts})
    folder.write_plan(plan)
    announce(folder.path, exchange.folder)
    return Run(folder, plan, exchange, config)
