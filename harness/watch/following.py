"""Following a run's journal as it grows: what was read once is not read again, what is half written is waited for."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import BinaryIO

from pydantic import ValidationError

from harness.errors import AuthoringError
from harness.results import journal
from harness.results.plan import Plan
from harness.results.result import Result
from harness.results.run import RunFolder
from harness.results.running import running, whereabouts
from harness.results.timings import began
from harness.results.words import count
from harness.watch.view import View, latest, machines, running_now, to_go

AT_ONCE = 16_000_000  # bytes of a journal that are read in one go
EARLIER = 5  # runs that tell what cells usually take


class Following:
    """One run, seen again and again; it never writes, and outlives whatever becomes of the run."""

    def __init__(
        self, run: RunFolder, *, usual: Mapping[str, float] | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._run = run
        self._usual = usual or {}
        self._clock = clock
        self._results: dict[str, Result] = {}
        self._offset = 0
        self._rest = b""
        self._foreign = 0
        self._plan: Plan | None = None
        self._plan_seen = 0.0
        self._begun: dict[tuple[str, str], float] = {}

    def look(self) -> View:
        """Read what has come since the last look, and say how the run stands."""
        self._read_the_plan()
        self._read_the_journal()
        note = running(self._run.path)
        where = [] if note is None else list(whereabouts(note.exchange))
        alive = None if note is None else note.is_alive
        for at in where:
            self._begun.setdefault((at.worker, at.cell), at.since)
        results, plan, now = self._results, self._plan, self._clock()
        at_work = running_now(where, self._begun, now) if alive is not False else []
        started = began(self._run, plan, results.values()).timestamp()
        ended = max((it.started.timestamp() + it.seconds for it in results.values() if it.started), default=started)
        missing = plan is not None and any(cell.cell not in results for cell in plan.cells)
        state = ("ended early" if missing else "ended") if note is None else "killed" if alive is False else "running"
        eta, eta_from = to_go(plan, results, at_work, self._usual) if state == "running" else (None, "")
        return View(
            run=self._run.run,
            matrix=plan.matrix if plan else "",
            site=plan.site if plan else "",
            is_lab=plan.is_lab if plan else False,
            state=state,
            elapsed=max(0.0, (now if state == "running" else ended) - started),
            planned=len(plan.cells) if plan else len(results),
            done=len(results),
            ends=dict(Counter("known issue" if it.known_issue else it.verdict.value for it in results.values())),
            machines=machines(results.values(), at_work),
            running=at_work,
            latest=latest(list(results.values())),
            eta=eta,
            eta_from=eta_from,
            notes=[f"{count(self._foreign, 'line')} of the journal could not be read"] if self._foreign else [],
        )

    def _read_the_plan(self) -> None:
        with suppress(OSError):
            if (written := self._run.plan_file.stat().st_mtime) != self._plan_seen:
                plan, _ = self._run.read_plan()
                self._plan, self._plan_seen = plan or self._plan, written

    def _read_the_journal(self) -> None:
        with suppress(OSError), self._run.journal_file.open("rb") as file:  # it may not be there yet, or no more
            if file.seek(0, 2) < self._offset:  # another journal took its place: begin again
                self._offset, self._rest, self._foreign, self._results = 0, b"", 0, {}
            file.seek(self._offset)
            while self._read_on(file):
                pass

    def _read_on(self, file: BinaryIO) -> bool:
        piece = file.read(AT_ONCE)
        self._offset += len(piece)
        *lines, self._rest = (self._rest + piece).split(b"\n")  # the last one is still being written, or is empty
        for line in lines:
            try:
                result = Result.model_validate_json(line)
            except ValidationError:
                self._foreign += bool(line.strip()) and b'"schema"' not in line[:200]
                continue
            self._results.pop(result.cell, None)  # the last of two results counts, and is the latest
            self._results[result.cell] = result
        return bool(piece)


def usual_seconds(run: RunFolder) -> dict[str, float]:
    """Tell what each cell took in the runs beside this one, the median of the last few."""
    earlier = sorted(file.parent for file in run.path.parent.glob("*/journal.jsonl") if file.parent.name < run.run)
    taken: dict[str, list[float]] = {}
    for path in earlier[-EARLIER:]:
        with suppress(AuthoringError):
            for result in journal.read(path / "journal.jsonl").results:
                if result.started is not None:
                    taken.setdefault(result.cell, []).append(result.seconds)
    return {cell: statistics.median(seconds) for cell, seconds in taken.items()}
