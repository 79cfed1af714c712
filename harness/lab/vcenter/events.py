"""Events of machines: when each was powered on and off, reset, resumed and reverted, and by whom."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from harness.lab.vcenter.history import MOST, History, entities_of, kept
from harness.lab.vcenter.objects import Inventory, Served, answers, shows
from harness.lab.vcenter.soap import Call, vim, vmodl

if TYPE_CHECKING:
    from harness.lab.vcenter.virtualmachine import VirtualMachine

_KEPT = 2000

_POWER = {
    "on": (vim.event.VmPoweredOnEvent, "{} is powered on"),
    "off": (vim.event.VmPoweredOffEvent, "{} is powered off"),
    "reset": (vim.event.VmResettingEvent, "{} is reset"),
    "rebooted": (vim.event.VmGuestRebootEvent, "Guest OS reboot for {}"),
    "shut down": (vim.event.VmGuestShutdownEvent, "Guest OS shut down for {}"),
    "resumed": (vim.event.VmResumingEvent, "{} is resumed"),
}
_REVERTED = "com.vmware.vc.vm.VmStateRevertedToSnapshot"


class Events(Served):
    """The last events, the newest last."""

    kind = vim.event.EventManager

    def __init__(self, inventory: Inventory) -> None:
        super().__init__("EventManager")
        self.inventory = inventory
        self.kept: deque[Any] = deque(maxlen=_KEPT)
        self._count = 0
        self._collectors: list[History] = []

    def power(self, vm: VirtualMachine, what: str) -> None:
        """Note what happened to a machine's power, by a name in the table above."""
        kind, words = _POWER[what]
        self._keep(kind(**self._facts(vm, words.format(vm.name)), template=False))

    def reverted(self, vm: VirtualMachine, snapshot: str) -> None:
        """Note that a machine was put back."""
        words = f"{vm.name} was reverted to the state of snapshot {snapshot}"
        self._keep(
            vim.event.EventEx(
                **self._facts(vm, words),
                eventTypeId=_REVERTED,
                severity="info",
                message=words,
                objectId=vm.moid,
                objectType=vim.VirtualMachine,
                objectName=vm.name,
                arguments=[vmodl.KeyAnyValue(key="snapshotName", value=snapshot)],
            )
        )

    def _facts(self, vm: VirtualMachine, words: str) -> dict[str, Any]:
        self._count += 1
        premises = vm.premises
        return {
            "key": self._count,
            "chainId": self._count,
            "createdTime": datetime.now(UTC),
            "userName": vm.user,
            "vm": vim.event.VmEventArgument(name=vm.name, vm=vm.ref),
            "host": vim.event.HostEventArgument(name=premises.host.name, host=premises.host.ref),
            "datacenter": vim.event.DatacenterEventArgument(
                name=premises.datacenter.name, datacenter=premises.datacenter.ref
            ),
            "fullFormattedMessage": words,
        }

    def _keep(self, event: Any) -> None:
        self.kept.append(event)
        self.inventory.changed(self)

    @shows("latestEvent")
    def _latest(self) -> Any:
        return self.kept[-1] if self.kept else None

    @shows("maxCollector")
    def _most(self) -> int:
        return MOST

    @answers("QueryEvents")
    def _query(self, call: Call) -> Any:
        asked = call["filter"]
        found = self._found(asked)()
        return found[-asked.maxCount :] if asked.maxCount else found

    @answers("CreateCollectorForEvents")
    def _collect(self, call: Call) -> Any:
        return kept(self._collectors, EventHistory(self.inventory, call["filter"], self._found(call["filter"])))

    def _found(self, asked: Any) -> Callable[[], list[Any]]:
        about = None if asked.entity is None else entities_of(self.inventory, asked.entity)
        return lambda: [event for event in self.kept if _fits(event, asked, about)]


class EventHistory(History):
    """Events, to be read page by page."""

    kind = vim.event.EventHistoryCollector
    of = Events


def _fits(event: Any, asked: Any, about: set[str] | None) -> bool:
    time, name = asked.time, type(event).__name__.rpartition(".")[2]
    named = {name, f"vim.event.{name}", getattr(event, "eventTypeId", None)}
    return (
        (about is None or event.vm.vm._moId in about)
        and (time is None or time.beginTime is None or event.createdTime >= time.beginTime)
        and (time is None or time.endTime is None or event.createdTime <= time.endTime)
        and (not asked.type or any(isinstance(event, kind) for kind in asked.type))
        and (not asked.eventTypeId or bool(named & set(asked.eventTypeId)))
        and (asked.userName is None or not asked.userName.userList or event.userName in asked.userName.userList)
    )
