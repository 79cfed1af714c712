"""The faults that were asked for: whether one strikes here and now, and how often it did."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.lab.audit import Audit
from harness.lab.faults.table import Fault, complaint, fault

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Asked:
    """One fault as it was asked for; of every machine when it names none."""

    number: int
    fault: Fault
    machine: str
    times: int | None
    seconds: float | None
    options: Mapping[str, str]
    until: float | None = None
    struck: int = 0
    doing: asyncio.Task[None] | None = None
    cleared: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_used_up(self) -> bool:
        """Whether it has struck as often as it should; what it holds it still holds."""
        return self.times is not None and self.struck >= self.times

    def described(self) -> dict[str, Any]:
        """Say it in plain values."""
        return {
            "number": self.number,
            "name": self.fault.name,
            "machine": self.machine,
            "times": self.times,
            "struck": self.struck,
            "seconds": self.seconds,
            "options": dict(self.options),
        }


class Faults:
    """Every fault that was asked for of one lab; ``clock`` counts seconds."""

    def __init__(self, audit: Audit | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._audit = audit or Audit()
        self._clock = clock
        self._asked: list[Asked] = []
        self._count = 0
        self._deeds: set[asyncio.Task[None]] = set()
        #: do to a machine what a deed says, and take it back where that can be
        self.deed: Callable[[Asked, str], Awaitable[None]] | None = None
        self.undo: Callable[[Asked, str], Awaitable[None]] | None = None
        #: called when something begins or ends to be out of order, for what clients are shown changes with it
        self.changed: Callable[[], None] = lambda: None

    def ask(
        self,
        name: str,
        *,
        machine: str = "",
        times: int | None = None,
        seconds: float | None = None,
        **options: str,
    ) -> Asked:
        """Ask for a fault; raises ValueError for one that does not exist or an option that it does not take."""
        kind = fault(name)
        for option, value in options.items():
            if option not in kind.takes:
                known = ", ".join(kind.takes) or "none"
                raise ValueError(f"{name} takes no option {option!r}; its options: {known}")
            if wrong := complaint(option, value):
                raise ValueError(wrong)
        if kind.deed and not machine:
            raise ValueError(f"{name} is done to a machine: name one")
        self._count += 1
        seconds = kind.usual if seconds is None else seconds
        lasts = seconds if seconds is not None and kind.usual is None else None
        asked = Asked(
            number=self._count, fault=kind, machine=machine, times=kind.times if times is None else times,
            seconds=seconds, options=options, until=None if lasts is None else self._clock() + lasts,
        )  # fmt: skip
        self._asked.append(asked)
        if kind.deed and "method" not in options:
            self._strike(asked, machine)
        self.changed()
        if lasts is not None:
            asyncio.get_running_loop().call_later(lasts, self._over, asked)
        return asked

    def clear(self, name: str = "", machine: str = "") -> list[Asked]:
        """Take faults back, all of them unless told which; tell which they were. What they held goes on.

        Raises ValueError for a fault that does not exist.
        """
        if name:
            fault(name)
        gone = [asked for asked in self._asked if name in ("", asked.fault.name) and machine in ("", asked.machine)]
        for asked in gone:
            self._over(asked)
        return gone

    async def settled(self, *several: Asked) -> None:
        """Wait until what is done at once is done, or undone; raises ValueError with what kept it from being."""
        for asked in several:
            if asked.doing is not None and (asked.cleared.is_set() or not asked.seconds):
                try:
                    await asked.doing
                except Exception as error:
                    raise ValueError(f"{asked.fault.name} of {asked.machine}: {error}") from error

    def all(self) -> list[Asked]:
        """List the faults that were asked for and not cleared, also those that are used up."""
        return list(self._asked)

    def holds(self, name: str, machine: str, **facts: str) -> Asked | None:
        """Find a fault in force that fits, without counting it: for what a client is shown as long as it lasts."""
        for asked in self._asked:
            if (
                asked.fault.name == name
                and asked.machine in ("", machine)
                and not asked.is_used_up
                and (asked.until is None or self._clock() < asked.until)
                and all(asked.options.get(fact, told) == told for fact, told in facts.items())
            ):
                return asked
        return None

    def shows(self, name: str, machine: str, **facts: str) -> bool:
        """Tell whether a fault in force fits; the first time that a client is shown it counts as its strike."""
        asked = self.holds(name, machine, **facts)
        if asked is not None and not asked.struck:
            self._strike(asked, machine, **facts)
        return asked is not None

    def strikes(self, name: str, machine: str, **facts: str) -> Asked | None:
        """Find a fault in force that fits, and count it; every strike is in the audit."""
        asked = self.holds(name, machine, **facts)
        if asked is None or not _chance(asked):
            return None
        self._strike(asked, machine, **facts)
        return asked

    def _strike(self, asked: Asked, machine: str, **facts: str) -> None:
        asked.struck += 1
        self._audit.note("fault", asked.fault.name, machine=machine, **facts)
        if asked.fault.deed and self.deed is not None:
            self._begin(asked, self._do(asked, machine))

    def _begin(self, asked: Asked, work: Coroutine[Any, Any, None]) -> None:
        asked.doing = asyncio.get_running_loop().create_task(work)
        self._deeds.add(asked.doing)
        asked.doing.add_done_callback(self._ended)

    def _ended(self, doing: asyncio.Task[None]) -> None:
        self._deeds.discard(doing)
        if not doing.cancelled() and doing.exception() is not None:
            _log.error("a fault could not be done", exc_info=doing.exception())

    async def _do(self, asked: Asked, machine: str) -> None:
        if not await until_cleared(asked, asked.seconds or 0.0) and self.deed is not None:
            await self.deed(asked, machine)

    def _over(self, asked: Asked) -> None:
        if asked not in self._asked:
            return
        self._asked.remove(asked)
        asked.cleared.set()
        if asked.fault.undone and asked.struck and self.undo is not None:
            self._begin(asked, self._undo(asked, asked.doing))
        self.changed()

    async def _undo(self, asked: Asked, doing: asyncio.Task[None] | None) -> None:
        if doing is not None:  # it is done first, if it is still being done
            await asyncio.wait({doing})
        if self.undo is not None:
            await self.undo(asked, asked.machine)

    async def stop(self) -> None:
        """Take back every fault and end every deed, so that nothing waits any longer."""
        self.clear()
        for doing in list(self._deeds):
            doing.cancel()
        await asyncio.gather(*self._deeds, return_exceptions=True)


async def until_cleared(asked: Asked, seconds: float | None = None) -> bool:
    """Wait until the fault is cleared or its time is up, at most so many seconds; tell whether it is over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asked.cleared.wait()
    return asked.cleared.is_set()


def _chance(asked: Asked) -> bool:
    return random.random() < float(asked.options.get("chance", "1"))  # noqa: S311 - nothing secret hangs on it
