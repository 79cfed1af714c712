"""The examination of a site: controller and vCenter first, then its machines in parallel, all within a budget."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from harness.doctor.check import Check, Chosen, Looking, examine
from harness.doctor.finding import Answer, Finding, Mark, fail
from harness.doctor.tables import OF_A_MACHINE, OF_THE_CONTROLLER, OF_THE_VCENTER
from harness.doctor.visit import MachineVisit, SiteVisit
from harness.errors import SiteError
from harness.site import Site, SiteMachine

V = TypeVar("V")

CONTROLLER, VCENTER = "controller", "vCenter"

AT_ONCE = 8
"""Machines that are looked at side by side."""

UNWINDING, UNWINDING_STARTED = 3.0, 15.0
"""Seconds that machines under way get to give back leases and shells, and to switch off what was started."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A subject that nothing more will be found about."""

    subject: str


@dataclass
class Examination:
    """What is to be looked at, and for how long; ``findings`` yields each finding as it comes.

    ``picks`` tells which machines, by their path; ``within`` is in seconds; with ``start`` machines are reverted.
    """

    site: Site
    chosen: Chosen
    runs: Path
    within: float
    picks: Callable[[str], bool] = lambda _: True
    start: bool = False
    clock: Callable[[], float] = time.monotonic
    _cut: threading.Event = field(default_factory=threading.Event)
    _until: float = 0.0
    _said: queue.SimpleQueue[Finding | Looking | Ended | None] = field(default_factory=queue.SimpleQueue)

    def findings(self) -> Generator[Finding | Looking | Ended, None, None]:
        """Look at everything, machines side by side.

        When the budget is used up, the checks that are left are told as skipped; one that does not come back ends it.
        """
        self._until = self.clock() + self.within
        # a thread that hangs in a resolver cannot be ended, and must not keep this process from ending
        whole = threading.Thread(target=self._all, name="doctor", daemon=True)
        whole.start()
        grace = UNWINDING_STARTED if self.start else UNWINDING
        try:
            while (found := self._said.get(timeout=max(0.05, self._until + grace - self.clock()))) is not None:
                yield found
        except queue.Empty:
            return  # whoever shows the findings sees which checks have not come back
        finally:
            self._cut.set()
            whole.join(0 if self.clock() >= self._until + grace else grace)

    def _stopped(self) -> str:
        if self._cut.is_set():
            return "stopped"
        return f"no time left after {self.within:g} s" if self.clock() > self._until else ""

    def _all(self) -> None:
        try:
            visit = SiteVisit(self.site, self.runs, self.start, self._picked)
            with visit.held:
                answers = self._look(OF_THE_CONTROLLER, visit, CONTROLLER, {})
                answers |= self._look(OF_THE_VCENTER, visit, VCENTER, answers)
                self._machines(visit, answers)
        finally:
            self._said.put(None)

    def _machines(self, visit: SiteVisit, answers: Mapping[str, Answer]) -> None:
        waiting: queue.SimpleQueue[SiteMachine] = queue.SimpleQueue()
        if not any(check.name in self.chosen.made for check in OF_A_MACHINE):
            return
        for entry in self._drawn(visit):
            waiting.put(entry)

        def work() -> None:
            with suppress(queue.Empty):
                while True:
                    entry = waiting.get_nowait()
                    one = MachineVisit(visit, entry)
                    with one.held:
                        self._look(OF_A_MACHINE, one, entry.path.rpartition("/")[2] or entry.told, answers)

        workers = [
            threading.Thread(target=work, name=f"doctor-{number}", daemon=True)
            for number in range(min(AT_ONCE, waiting.qsize()))
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def _drawn(self, visit: SiteVisit) -> Iterator[SiteMachine]:
        """Give an entry for each machine; where the vCenter cannot be asked, those of the site file as they are."""
        seen: set[str] = set()
        for entry in sorted(self.site.machines, key=lambda entry: entry.draws):
            try:
                drawn = [entry] if visit.vcenter is None else visit.vcenter.drawn(entry)
            except SiteError as error:
                found = Finding(subject=entry.told, check="machine", answer=fail(error.problem, error.advice))
                for told in (found, Ended(entry.told)):
                    self._said.put(told)
                continue
            for one in drawn:
                if self._picked(one) and one.path not in seen:
                    seen |= {one.path} if one.path else set()
                    yield one

    def _picked(self, entry: SiteMachine) -> bool:
        return self.picks(entry.path or entry.told)

    def _look(
        self, checks: Sequence[Check[V]], visit: V, subject: str, before: Mapping[str, Answer]
    ) -> dict[str, Answer]:
        answers: dict[str, Answer] = {}
        for found in examine(
            checks, visit, subject=subject, chosen=self.chosen, before=before, stopped=self._stopped, clock=self.clock
        ):
            if isinstance(found, Looking):
                self._said.put(found)
                continue
            answers[found.check] = found.answer
            # what nobody asked for was made because something else needs it, and only its failure tells why that is not
            if found.check in self.chosen.told or found.answer.mark is Mark.FAIL:
                self._said.put(found)
        self._said.put(Ended(subject))
        return answers
