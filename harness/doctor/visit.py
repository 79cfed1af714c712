"""What the checks of one subject learn from each other."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.site import FROM_TOOLS, Site, SiteMachine

if TYPE_CHECKING:
    from harness.guest.guest import Guest
    from harness.machines.leases.lease import Lease
    from harness.machines.leases.store import Store
    from harness.machines.machine import Machine
    from harness.machines.survey import Condition
    from harness.machines.vcenter import VCenter


@dataclass
class SiteVisit:
    """One look at a site: what was asked for, and the vCenter once we are logged in."""

    site: Site
    runs: Path
    start: bool = False
    picks: Callable[[SiteMachine], bool] = lambda _: True
    held: ExitStack = field(default_factory=ExitStack)
    store: Store | None = None
    vcenter: VCenter | None = None

    @property
    def opened(self) -> Store:
        """The lease store, for checks that need it."""
        assert self.store is not None  # noqa: S101 - the table says that these checks need the store
        return self.store

    @property
    def connected(self) -> VCenter:
        """The vCenter, for checks that need the log-in."""
        assert self.vcenter is not None  # noqa: S101 - the table says that these checks need the log-in
        return self.vcenter


@dataclass
class MachineVisit:
    """One look at a machine of the site and the guest in it."""

    whole: SiteVisit
    entry: SiteMachine
    held: ExitStack = field(default_factory=ExitStack)
    machine: Machine | None = None
    condition: Condition | None = None
    address: str = ""
    in_use: str = ""
    lease: Lease | None = None
    guest: Guest | None = None

    def __post_init__(self) -> None:
        self.address = "" if self.entry.address == FROM_TOOLS else self.entry.address

    @property
    def site(self) -> Site:
        """The site that the machine belongs to."""
        return self.whole.site

    @property
    def found(self) -> Machine:
        """The machine, for checks that need it found."""
        assert self.machine is not None  # noqa: S101 - the table says that these checks need it
        return self.machine

    @property
    def seen(self) -> Condition:
        """Its condition, for checks that need it."""
        assert self.condition is not None  # noqa: S101 - as above
        return self.condition

    @property
    def inside(self) -> Guest:
        """The Windows in it, for checks that need a log-in."""
        assert self.guest is not None  # noqa: S101 - as above
        return self.guest
