"""What every strategy takes and gives, and which is which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib import import_module

from harness.machines.machine import Machine
from harness.machines.vcenter import VCenter
from harness.site import SiteMachine


def _nothing(_: str) -> None:
    """Tell nobody."""


def _ours() -> None:
    """Let everything pass: nobody else can have the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a clean machine is asked for with.

    ``entry`` is leased; ``fence`` raises when it is ours no more. ``run`` and ``holder`` are what clones are marked
    with. ``tell`` hears in one sentence what went wrong after the machine was used.
    """

    vcenter: VCenter
    entry: SiteMachine
    run: str
    holder: str
    fence: Callable[[], None] = _ours
    tell: Callable[[str], None] = _nothing


@dataclass(frozen=True, slots=True)
class Supplied:
    """A clean machine that is on, and in one sentence how it came about.

    ``keep`` leaves a clone where it is for some seconds, with the reason; a machine of the site stays anyway.
    """

    machine: Machine
    how: str
    keep: Callable[[float, str], None] = field(default=lambda _seconds, _reason: None)


_PLACES = {
    "revert": "harness.machines.strategies.revert",
    "linked-clone": "harness.machines.strategies.linked_clone",
    "instant-clone": "harness.machines.strategies.instant_clone",
}
STEPS = {
    "revert": "revert to the snapshot",
    "linked-clone": "clone from the snapshot",
    "instant-clone": "clone the running source",
}
"""What each strategy is called where steps are told."""


@contextmanager
def supplying(asked: Asked) -> Iterator[Supplied]:
    """Have a clean machine by the strategy of the entry until the block ends; raises SiteError."""
    supply: Callable[[Asked], AbstractContextManager[Supplied]] = import_module(_PLACES[asked.entry.strategy]).supply
    with supply(asked) as supplied:
        yield supplied
