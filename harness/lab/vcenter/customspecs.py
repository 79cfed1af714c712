"""Customisation specifications: named instructions that make a Windows of a clone its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from harness.lab.vcenter.objects import Served, answers, shows
from harness.lab.vcenter.soap import Call, vim


class CustomizationSpecs(Served):
    """Every specification that was made; a lab begins with none."""

    kind = vim.CustomizationSpecManager

    def __init__(self) -> None:
        super().__init__("CustomizationSpecManager")
        self.items: dict[str, Any] = {}

    @shows("info")
    def _infos(self) -> list[Any]:
        return [item.info for item in self.items.values()]

    @answers("DoesCustomizationSpecExist")
    def _exists(self, call: Call) -> bool:
        return call["name"] in self.items

    @answers("GetCustomizationSpec")
    def _get(self, call: Call) -> Any:
        if call["name"] not in self.items:
            raise vim.fault.NotFound(msg=f"There is no specification {call['name']!r}.")
        return self.items[call["name"]]

    @answers("CreateCustomizationSpec")
    def _create(self, call: Call) -> None:
        item = call["item"]
        if item.info.name in self.items:
            raise vim.fault.AlreadyExists(name=item.info.name, msg=f"There is a specification {item.info.name!r}.")
        item.info.lastUpdateTime, item.info.changeVersion = datetime.now(UTC), "1"
        self.items[item.info.name] = item

    @answers("DeleteCustomizationSpec")
    def _delete(self, call: Call) -> None:
        self._get(call)
        del self.items[call["name"]]


def told_of(up: bool) -> Any:
    """Describe how far the customisation of a clone is: VMware Tools do it while Windows comes up."""
    status = "TOOLSDEPLOYPKG_SUCCEEDED" if up else "TOOLSDEPLOYPKG_PENDING"
    return vim.vm.GuestInfo.CustomizationInfo(customizationStatus=status)
