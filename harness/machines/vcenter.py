"""The door to a site's vCenter: connect, say who it is, hand out machines."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from harness.builds import Build
from harness.errors import SiteError
from harness.machines.border import crossing, where
from harness.machines.drawing import offered, one_by_one, slots
from harness.machines.inventory import find_by_moid, find_machine
from harness.machines.keepalive import KeepAlive
from harness.machines.machine import Machine
from harness.machines.places import folder_of, location
from harness.machines.privileges import Lack, lacks
from harness.machines.session import Session
from harness.machines.survey import time_of
from harness.machines.tasks import Tasks
from harness.site import Site, SiteMachine


@dataclass(frozen=True, slots=True)
class About:
    """What a vCenter says of itself; ``is_lab`` is true for the embedded lab, whose results are no Windows evidence.

    ``api`` is the version of its API; ``kind`` is ``VirtualCenter``, or ``HostAgent`` for a lone ESXi host.
    """

    name: str
    version: str
    is_lab: bool
    api: str = ""
    kind: str = ""


class VCenter:
    """A connected vCenter; threads may share it."""

    def __init__(self, site: Site, session: Session) -> None:
        self.site = site
        self._session = session
        self._tasks = Tasks(session)
        self._drawing = threading.Lock()
        self._drawn: dict[Build, Site] = {}
        said = session.content.about
        self.about = About(
            name=said.name,
            version=said.version,
            is_lab=said.productLineId == "wincompat-lab",
            api=str(said.apiVersion),
            kind=str(said.apiType),
        )

    def __repr__(self) -> str:
        return f"<VCenter {self.site.vcenter.host}:{self.site.vcenter.port}>"

    @property
    def calls(self) -> Counter[str]:
        """How often each SOAP method was called since the log-in, as a copy."""
        return Counter(self._session.stub.calls)

    def now(self) -> datetime:
        """Ask what time it is by the vCenter's clock."""
        with crossing(self.site, where(self.site), "asking for its time", otherwise=SiteError):
            return time_of(self._session)

    def lacks(self, machines: Sequence[Machine]) -> list[Lack]:
        """Tell which privileges our user lacks for what the site file wants of these machines."""
        with crossing(self.site, where(self.site), "asking for privileges", otherwise=SiteError):
            return lacks(self._session, {machine.name: (machine.entry, machine._vm) for machine in machines})

    def find_places(self, machine: Machine) -> None:
        """Find the places that clones of a machine are to go to; raises MachineMissing naming the nearest."""
        with crossing(self.site, machine.name, "looking where clones go"):
            folder_of(self._session, machine._vm, machine.entry.clones)
            location(self._session, machine.entry.clones)

    def machine(self, entry: SiteMachine, *, fence: Callable[[], None] = lambda: None) -> Machine:
        """Find a machine of the site in the inventory; raises MachineMissing with the nearest names.

        ``fence`` is asked before the machine is changed, as a lease's ``confirm``.
        """
        with crossing(self.site, entry.told, "looking it up"):
            found = find_by_moid(self._session, entry.moid) if entry.moid else find_machine(self._session, entry.path)
            return Machine(self.site, entry, found, self._session, self._tasks, fence=fence)

    def drawn(self, entry: SiteMachine) -> list[SiteMachine]:
        """Give the machines that an entry stands for, an entry each with its path; raises MachineMissing when none."""
        return one_by_one(self._session, entry)

    def slots(self, entry: SiteMachine) -> list[SiteMachine]:
        """Give what a lease of a drawn machine may be of: the machine, or each of the clones that it may have."""
        return list(slots(entry))

    def offering(self, build: Build) -> Site:
        """Give the site as it is for one build: folders, tags and attributes drawn out into machines, once.

        Each entry of the build is then one machine, or one of the clones that may be made of it. Raises MachineMissing
        when nothing is where the site file says.
        """
        with self._drawing:
            if build not in self._drawn:
                self._drawn[build] = self.site.model_copy(update={"machines": offered(self._session, build)})
            return self._drawn[build]


@contextmanager
def connected(site: Site) -> Iterator[VCenter]:
    """Log in to the site's vCenter, and out again whatever happens.

    Raises SiteUnreachable when it does not answer in the request budget or its certificate does not verify,
    SiteRefused when it refuses the log-in, AuthoringError when the password or the CA file is not there.
    """
    with crossing(site, where(site), "connecting", otherwise=SiteError):
        session = Session(site)
    try:
        with KeepAlive(session):
            yield VCenter(site, session)
    finally:
        # a vCenter that is gone by now has ended the session itself
        with contextlib.suppress(SiteError), crossing(site, where(site), "logging out", otherwise=SiteError):
            session.log_out()
