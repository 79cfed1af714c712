"""A virtual machine: a lab guest under the methods that vSphere has for it, one operation at a time."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from harness.builds import Build
from harness.lab.faults.asked import Asked
from harness.lab.guest import GuestGone, LabGuest
from harness.lab.vcenter import cloning, description
from harness.lab.vcenter.entities import Entity, Task
from harness.lab.vcenter.objects import answers
from harness.lab.vcenter.snapshots import Snapshots
from harness.lab.vcenter.soap import Call, vim, vmodl
from harness.lab.vcenter.taskfaults import hit

if TYPE_CHECKING:
    from harness.lab.vcenter.places import Folder
    from harness.lab.vcenter.tree import Premises

# what ReconfigVM_Task can change; anything else is refused by name rather than silently ignored
_CHANGEABLE = {"name", "annotation", "extraConfig", "changeVersion", "uuid", "instanceUuid"}


class VirtualMachine(Entity):
    """One machine of the inventory and the guest inside it."""

    kind = vim.VirtualMachine

    def __init__(self, name: str, parent: Folder, guest: LabGuest, address: str, premises: Premises) -> None:
        super().__init__(premises.inventory.number("vm"), name, parent)
        self.guest, self.address, self.premises = guest, address, premises
        self.folder_name, self.disk_parent = name, ""
        self.uuid, self.instance_uuid = str(uuid.uuid4()), str(uuid.uuid4())
        self.annotation = ""
        self.is_customised = False
        self.extra: dict[str, str] = {}
        self.created = self.modified = datetime.now(UTC)
        self.revision = 1
        self.snapshots = Snapshots(self)
        self.busy: dict[Task, bool] = {}
        self.restarting = False
        self.clean_shut_down = True
        self.powered_since: datetime | None = None
        self._told = "off"
        self.resuming = False
        self.user = ""
        self.stale: Asked | None = None
        guest.observers.append(self._notice)
        self._notice(guest)

    @property
    def is_on(self) -> bool:
        """Whether it is powered on; a machine that restarts stays on."""
        return self.guest.is_on or self.restarting

    @property
    def told_address(self) -> str:
        """The address that the guest's Tools tell: none before Windows is up, for a while an old one when asked to."""
        if self.stale is not None and self.is_on and not self.stale.cleared.is_set():
            return self.stale.options.get("address") or f"{self.address.rpartition('.')[0]}.254"
        return self.address if self.guest.is_up else ""

    def reverted(self) -> None:
        """Note that it was put back to a snapshot."""
        self.stale = self.premises.faults.strikes("stale-address", self.name)
        if self.stale is not None:
            asyncio.get_running_loop().call_later(self.stale.seconds or 0, self._tell_address, self.stale)
        self.touched()

    def _tell_address(self, stale: Asked) -> None:
        if self.stale is stale:
            self.stale = None
            self.premises.inventory.changed(self)

    @property
    def host_name(self) -> str:
        """The name that Windows gives itself."""
        return self.guest.computer_name

    def _notice(self, _: LabGuest) -> None:
        state = "up" if self.guest.is_up else "on" if self.is_on else "off"
        if state != self._told:
            if state == "off" or self._told == "off":
                self.premises.events.power(self, "off" if state == "off" else "resumed" if self.resuming else "on")
            self._told = state
            self.premises.audit.note("lab", state, machine=self.name, boot=self.guest.boot_id)
        if not self.is_on:
            self.powered_since = None
        elif self.powered_since is None:
            self.powered_since = datetime.now(UTC)
        self.premises.inventory.changed(self)

    def touched(self) -> None:
        """Note that its settings changed."""
        self.modified, self.revision = datetime.now(UTC), self.revision + 1
        self.premises.inventory.changed(self)

    def operate(self, call: Call, work: Callable[[Task], Awaitable[Any]], *, shares: bool = False) -> Any:
        """Start an operation as a task; a second one meanwhile ends with TaskInProgress, unless both share the machine.

        Clones share it: as many as are asked for can be made of it at a time.
        """

        async def alone(task: Task) -> Any:
            for other, shared in self.busy.items():
                if not (shares and shared):
                    raise vim.fault.TaskInProgress(task=other.ref, msg="Another task is already in progress.")
            self.busy[task] = shares
            self.user = call.user
            try:
                await hit(task, call.method.name, self)
                return await work(task)
            finally:
                del self.busy[task]

        return self.premises.tasks.start(call.method, self, call.user, alone).ref

    def require(self, state: str) -> None:
        """Raise InvalidPowerState unless the machine is ``poweredOn`` or ``poweredOff`` as asked."""
        now = description.power_state(self)
        if now != state:
            words = f"The attempted operation cannot be performed in the current state ({now})."
            raise vim.fault.InvalidPowerState(requestedState=state, existingState=now, msg=words)

    @answers("PowerOnVM_Task")
    def _power_on(self, call: Call) -> Any:
        async def work(_: Task) -> None:
            self.require("poweredOff")
            await self.guest.power_on()

        return self.operate(call, work)

    @answers("PowerOffVM_Task")
    def _power_off(self, call: Call) -> Any:
        async def work(_: Task) -> None:
            self.require("poweredOn")
            self.clean_shut_down = False
            await self.guest.power_off()

        return self.operate(call, work)

    @answers("ResetVM_Task")
    def _reset(self, call: Call) -> Any:
        async def work(_: Task) -> None:
            self.require("poweredOn")
            await self._restart(self.guest.power_off, told="reset")

        return self.operate(call, work)

    async def _restart(self, down: Callable[[], Awaitable[None]], *, told: str = "") -> None:
        """Let Windows begin anew, with an event unless it was Windows itself that wanted it; the power stays on."""
        self.restarting = True
        if told:
            self.premises.events.power(self, told)
        try:
            await down()
            await self.guest.power_on()
        finally:
            self.restarting = False
            self._notice(self.guest)

    async def recover(self, deed: str) -> None:
        """Take back a deed that can be: the machine is the build again that it was made as."""
        if deed == "drift":
            await self.guest.present(self.guest.build)
        elif deed == "clock-jump":
            await self.guest.start_ahead(0)

    async def befall(self, deed: str, *, build: str = "", ahead: str = "-7200", **_: str) -> None:
        """Do to the machine what no client asked for: one of the table's deeds; one that is off stays off."""
        if deed == "drift":
            now = self.guest.build
            await self.guest.present(Build.parse(build) if build else Build(now.number, now.revision + 9000))
            return
        if deed == "clock-jump":
            await self.guest.start_ahead(float(ahead))
            return
        if not self.is_on:
            return
        self.clean_shut_down = deed == "restart"
        if deed == "restart":
            await self._restart(self.guest.shut_down)
        elif deed == "reset":
            await self._restart(self.guest.power_off, told="reset")
        else:
            await self.guest.power_off()

    @answers("ShutdownGuest", "RebootGuest")
    def _ask_guest(self, call: Call) -> None:
        self.require("poweredOn")
        if not self.guest.is_up:
            words = "Cannot complete operation because VMware Tools is not running in this virtual machine."
            raise vim.fault.ToolsUnavailable(msg=words)

        self.user = call.user

        async def down() -> None:
            self.clean_shut_down = True
            if call.method.name == "RebootGuest":
                await self._restart(self.guest.shut_down, told="rebooted")
            else:
                self.premises.events.power(self, "shut down")
                await self.guest.shut_down()

        self.premises.tasks.aside(down(), f"{call.method.name} of {self.name}")

    @answers("SuspendVM_Task", "StandbyGuest")
    def _suspend(self, _: Call) -> None:
        raise vmodl.fault.NotSupported(msg="A guest of the lab cannot be suspended: its memory cannot be kept.")

    @answers("CreateSnapshot_Task", "CreateSnapshotEx_Task")
    def _snapshot(self, call: Call) -> Any:
        if not call["name"]:
            raise vim.fault.InvalidName(name="", msg="A snapshot needs a name.")

        async def work(_: Task) -> Any:
            return await self.snapshots.take(call["name"], call["description"] or "", memory=bool(call["memory"]))

        return self.operate(call, work)

    @answers("RevertToCurrentSnapshot_Task")
    def _revert(self, call: Call) -> Any:
        stay_off = bool(call["suppressPowerOn"])
        return self.operate(call, lambda _: self.snapshots.revert(self.snapshots.current, stay_off=stay_off))

    @answers("RemoveAllSnapshots_Task")
    def _remove_snapshots(self, call: Call) -> Any:
        return self.operate(call, lambda task: self.snapshots.remove(self.snapshots.all(), task))

    @answers("CreateScreenshot_Task")
    def _screenshot(self, call: Call) -> Any:
        async def work(_: Task) -> str:
            self.require("poweredOn")
            try:
                picture = await self.guest.screenshot()
            except GuestGone as error:
                raise vim.fault.InvalidState(msg=f"There is no console to be seen: {error}") from error
            name = self.premises.inventory.number(f"{self.folder_name}/{self.folder_name}")
            return self.premises.datastore.keep(f"{name}.png", picture)

        return self.operate(call, work)

    @answers("setCustomValue")
    def _set_custom(self, call: Call) -> None:
        fields = self.premises.fields
        fields.note(self, fields.named(self, call["key"]), call["value"])

    @answers("Rename_Task")
    def _rename(self, call: Call) -> Any:
        async def work(_: Task) -> None:
            self.call_it(call["newName"])

        return self.operate(call, work)

    def call_it(self, name: str) -> None:
        """Give it another name; raises InvalidName or DuplicateName."""
        assert self.parent is not None  # noqa: S101 - a machine is always in a folder
        if name != self.name:
            self.premises.check_name(self.parent, name)
            self.name = name
            self.touched()

    @answers("ReconfigVM_Task")
    def _reconfigure(self, call: Call) -> Any:
        spec = call["spec"]
        values = {info.name: getattr(spec, info.name) for info in spec._GetPropertyList()}
        given = {
            name for name, value in values.items() if value is not None and not (isinstance(value, list) and not value)
        }
        unknown = sorted(given - _CHANGEABLE)

        async def work(_: Task) -> None:
            if unknown:
                raise vmodl.fault.NotSupported(msg=f"The lab cannot change {', '.join(unknown)} of a machine.")
            if spec.name is not None:
                self.call_it(spec.name)
            self.annotation = spec.annotation if spec.annotation is not None else self.annotation
            self.uuid, self.instance_uuid = spec.uuid or self.uuid, spec.instanceUuid or self.instance_uuid
            for option in spec.extraConfig:
                self.extra[option.key] = str(option.value or "")
            self.extra = {key: value for key, value in self.extra.items() if value}
            self.touched()

        return self.operate(call, work)

    @answers("CloneVM_Task")
    def _clone(self, call: Call) -> Any:
        return cloning.clone(self, call)

    @answers("InstantClone_Task")
    def _instant_clone(self, call: Call) -> Any:
        return cloning.instant_clone(self, call)

    @answers("Destroy_Task")
    def _destroy(self, call: Call) -> Any:
        async def work(_: Task) -> None:
            self.require("poweredOff")
            await self.premises.dismiss(self.guest)
            await self.guest.destroy()
            self.premises.evict(self)

        return self.operate(call, work)


VirtualMachine.properties = {**VirtualMachine.properties, **description.PROPERTIES}
