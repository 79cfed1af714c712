"""A machine of the site: revert, power, screenshot, and files to and from its guest."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pyVmomi import vim, vmodl

from harness.errors import MachineFailed, SiteError
from harness.machines.border import LOOK, Outlived, crossing, one_line
from harness.machines.files import GuestFiles, datastore_file
from harness.machines.history import disturbances
from harness.machines.inventory import Found, find_snapshot
from harness.machines.session import Session
from harness.machines.survey import (
    Condition,
    SnapshotSeen,
    condition,
    snapshot_in,
    snapshot_seen,
    snapshots_named,
)
from harness.machines.tasks import Tasks
from harness.machines.waits import until_the_machine_is_idle
from harness.site import Account, Site, SiteMachine

KEPT = "wincompat-kept-"
"""How the names of snapshots begin that keep a machine as a cell left it; the next revert removes them."""

PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Power:
    """Whether a machine is powered on, and since when by the vCenter's clock (None when off or not told)."""

    on: bool
    since: datetime | None


class Machine:
    """A VM in the inventory with the snapshot it is reverted to; what it raises is always a SiteError.

    ``fence`` is called before whatever changes the machine, and raises when it is not ours to change any more.
    """

    def __init__(
        self,
        site: Site,
        entry: SiteMachine,
        found: Found,
        session: Session,
        tasks: Tasks,
        *,
        fence: Callable[[], None] = lambda: None,
    ) -> None:
        self.entry = entry
        self.path = found.path
        self.name = found.path.rsplit("/", 1)[-1]
        self._site = site
        self._found = found
        self._vm = found.vm
        self._session = session
        self._tasks = tasks
        self._fence = fence
        self.came_from: SnapshotSeen | None = None  # what the last revert went to
        self.origin: str | None = None  # the same beyond doubt: this machine, this snapshot, taken then

    def __repr__(self) -> str:
        return f"<Machine {self.path}>"

    def revert(self) -> str:
        """Bring the machine to its snapshot and have it powered on, and say how; raises MachineMissing, MachineFailed.

        A snapshot with memory leaves Windows running as it was; any other one leaves it off, and Windows boots.
        """
        wanted = self.entry.snapshot
        with self._border(f"reverting to {wanted!r}"):
            now = self._session.read(self._vm, "snapshot", "recentTask", "config.instanceUuid")
            snapshot = find_snapshot(self.name, now.get("snapshot"), wanted)
            seen = self.came_from = snapshot_in(now["snapshot"], snapshot)
            if seen is not None and (identity := now.get("config.instanceUuid")):
                self.origin = f"{identity} {seen.path} {seen.taken.isoformat()}"
            # power comes next and as one wants it: a snapshot without memory leaves the machine off
            self._do(lambda: snapshot.RevertToSnapshot_Task(), kind="revert", known=now.get("recentTask", ()))
        if snapshots_named(now["snapshot"], KEPT):
            self.drop_kept()
        switched = self._switch(
            vim.VirtualMachine.PowerState.poweredOn, self._vm.PowerOnVM_Task, "poweron", "powering on"
        )
        way = "and powered on; Windows boots" if switched else "with its memory; Windows goes on"
        return f"reverted to {wanted!r} {way}"

    def reached_at(self, address: str) -> Machine:
        """Give the same machine with another address of its guest."""
        entry = self.entry.model_copy(update={"address": address})
        same = Machine(self._site, entry, self._found, self._session, self._tasks, fence=self._fence)
        same.came_from, same.origin = self.came_from, self.origin
        return same

    def snapshot(self, name: str, *, why: str = "", memory: bool = True) -> None:
        """Take a snapshot of the machine as it is, with its memory where it runs; never twice."""
        with self._border(f"taking the snapshot {name!r}"):
            known = self._session.read(self._vm, "recentTask").get("recentTask", ())
            self._do(
                lambda: self._vm.CreateSnapshot_Task(name=name, description=why, memory=memory, quiesce=False),
                kind="createsnapshot",
                known=known,
            )

    def drop_kept(self) -> tuple[str, ...]:
        """Remove the snapshots that kept the machine for somebody to look at it, and name them; others stay."""
        dropped: dict[str, str] = {}
        while True:
            with self._border("removing a kept snapshot"):
                now = self._session.read(self._vm, "snapshot", "recentTask")
                every = snapshots_named(now.get("snapshot"), KEPT)
                kept = [node for node in every if node.snapshot._moId not in dropped]
                if not kept:
                    return tuple(dropped.values())
                self._remove(kept[0].snapshot, now.get("recentTask", ()))
                dropped[kept[0].snapshot._moId] = kept[0].name

    def _remove(self, snapshot: Any, known: Any) -> None:
        with contextlib.suppress(vmodl.fault.ManagedObjectNotFound):  # somebody was faster
            self._do(lambda: snapshot.RemoveSnapshot_Task(removeChildren=False), kind="remove", known=known)

    def power(self) -> Power:
        """Ask whether it is powered on and since when."""
        with self._border("asking for its power state"):
            now = self._session.read(self._vm, "runtime.powerState", "runtime.bootTime")
        on = now.get("runtime.powerState") == vim.VirtualMachine.PowerState.poweredOn
        return Power(on=on, since=now.get("runtime.bootTime") if on else None)

    def condition(self) -> Condition:
        """Look at it without touching it: power, connection, VMware Tools and the addresses that they tell."""
        with self._border("looking at it"):
            return condition(self._session, self._vm)

    def snapshot_seen(self) -> SnapshotSeen:
        """Look at the snapshot that a revert would go to; raises MachineMissing naming those there."""
        with self._border("looking for its snapshot"):
            return snapshot_seen(self._session, self._vm, self.name, self.entry.snapshot)

    def disturbance(self, since: datetime, *, meanwhile: str = "while the product was at work") -> MachineFailed | None:
        """Tell what was done to its power in vSphere since a moment of the vCenter's clock; None when it runs on.

        ``meanwhile`` says what it was needed for.
        A Windows that restarts itself leaves no trace there. Where the events may not be read, that is raised.
        """
        power = self.power()
        with self._border("reading its events"):
            told = disturbances(self._session, self._vm, since)
        if not told and not power.on:
            told = ["was switched off"]
        if not told and power.since is not None and power.since > since:  # a machine that moved host tells no time
            told = ["was restarted"]
        if not told:
            return None
        return MachineFailed(f"{told[0]} {meanwhile}", machine=self.name, advice="look at its events in vSphere")

    def power_on(self) -> None:
        """Power it on unless it is on already; returns when it is powered, not when Windows is up."""
        self._switch(vim.VirtualMachine.PowerState.poweredOn, self._vm.PowerOnVM_Task, "poweron", "powering on")

    def power_off(self) -> None:
        """Cut its power, unless it is off already; Windows is not asked."""
        self._switch(vim.VirtualMachine.PowerState.poweredOff, self._vm.PowerOffVM_Task, "poweroff", "powering off")

    def screenshot(self) -> bytes:
        """Take a picture of the console, as PNG; the file that vSphere makes of it is removed where we may."""
        with self._border("taking a screenshot"):
            known = self._session.read(self._vm, "recentTask").get("recentTask", ())
            # it is asked for when a deadline has passed: better no picture than a long wait for one
            soon = min(self._site.budgets.request, self._site.budgets.task)
            file = str(self._do(self._vm.CreateScreenshot_Task, kind="screenshot", known=known, within=soon))
            picture = datastore_file(self._session, self._found.datacenter, file)
        with contextlib.suppress(SiteError), self._border("removing the screenshot"):
            datacenter = self._session.content.searchIndex.FindByInventoryPath(self._found.datacenter)
            self._session.content.fileManager.DeleteDatastoreFile_Task(file, datacenter)
        if not picture.startswith(PNG):
            raise MachineFailed("its screenshot is not a PNG file", machine=self.name, advice=LOOK)
        return picture

    def put(self, account: Account, source: Path, guest_path: str) -> None:
        """Bring a file into the guest as this account, making folders; raises DeliveryFailed, GuestRefused."""
        self.files(account).put(source, guest_path)

    def get(self, account: Account, guest_path: str, target: Path) -> None:
        """Bring a file out of the guest, whole or not at all; raises DeliveryFailed, GuestRefused."""
        self.files(account).get(guest_path, target)

    def files(self, account: Account) -> GuestFiles:
        """Bind an account: the courier that a guest falls back on."""
        return GuestFiles(self._site, self.name, self._vm, account, self._session, fence=self._fence)

    def _border(self, doing: str) -> AbstractContextManager[None]:
        return crossing(self._site, self.name, doing)

    def _do(self, ask: Callable[[], Any], *, kind: str, known: Any, within: float | None = None) -> Any:
        within = self._site.budgets.task if within is None else within

        def once() -> Any:
            self._fence()
            task = self._tasks.start(self._vm, ask, kind=kind, known=known)
            return self._tasks.wait(task, within=within)

        try:
            # a task that was refused because another one has the machine has done nothing
            return until_the_machine_is_idle(within)(once)
        except Outlived as error:
            asked = self._session.read(self._vm, "runtime.question").get("runtime.question")
            if asked is None:
                raise
            raise Outlived(f"{error}: vSphere asks {one_line(asked.text)!r} and waits for an answer") from None

    def _switch(self, wanted: str, ask: Callable[[], Any], kind: str, doing: str) -> bool:
        """Bring its power to a state; false when it was there already."""
        with self._border(doing):
            now = self._session.read(self._vm, "runtime.powerState", "recentTask")
            if now.get("runtime.powerState") == wanted:
                return False
            try:
                self._do(ask, kind=kind, known=now.get("recentTask", ()))
            except vim.fault.InvalidPowerState as error:
                if error.existingState != wanted:  # somebody was faster, and to the same end
                    raise
            return True
