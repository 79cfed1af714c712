"""What makes a clone itself: settings that its guest reads, and vSphere's own customisation of Windows."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pyVmomi import vim

from harness.errors import MachineFailed, MachineMissing
from harness.machines.border import crossing, one_line
from harness.machines.drawing import Slot
from harness.machines.machine import Machine
from harness.machines.marks import options
from harness.machines.session import Session
from harness.machines.watching import changing

_STATUS = "guest.customizationInfo"
_DONE, _FAILED = "TOOLSDEPLOYPKG_SUCCEEDED", "TOOLSDEPLOYPKG_FAILED"


def guestinfo(entry: Slot, name: str) -> list[Any]:
    """Make the settings that the site file gives to a clone: ``{address}``, ``{name}``, ``{number}`` are filled in."""
    address = entry.clones.addresses[entry.number - 1] if entry.clones.addresses else ""
    words = {"{address}": address, "{name}": name, "{number}": str(entry.number)}
    filled: dict[str, str] = {}
    for key, text in entry.clones.guestinfo.items():
        for place, value in words.items():
            text = text.replace(place, value)
        filled[key] = text
    return options(filled)


def customisation(session: Session, entry: Slot) -> Any:
    """Fetch the customisation specification that the site file names, with the clone's own address in it."""
    name = entry.clones.customization
    if name is None:
        return None
    specs = session.content.customizationSpecManager
    try:
        spec = specs.GetCustomizationSpec(name).spec
    except vim.fault.NotFound as error:
        raise MachineMissing(
            "no such customisation specification",
            machine=f"clones.customization {name}",
            advice="it has another name under Policies and Profiles in vSphere",
        ) from error
    if entry.clones.addresses and spec.nicSettingMap:
        # mask and gateway stay as the specification has them
        spec.nicSettingMap[0].adapter.ip = vim.vm.customization.FixedIp(
            ipAddress=entry.clones.addresses[entry.number - 1]
        )
    return spec


def until_customised(clone: Machine, *, clock: Callable[[], float] = time.monotonic) -> None:
    """Wait until Windows has been customised, for before that it answers and then restarts; raises MachineFailed."""
    site = clone._site
    deadline = clock() + site.budgets.ready
    with crossing(site, clone.name, "customising it"):
        for seen in changing(clone._session, clone._vm, _STATUS, patience=lambda: deadline - clock()):
            status = seen.get(_STATUS)
            if status is not None and status.customizationStatus == _DONE:
                return
            if status is not None and status.customizationStatus == _FAILED:
                raise MachineFailed(
                    f"customising Windows failed: {one_line(status.errorMsg or 'it does not say why')}",
                    machine=clone.name,
                    advice="look at C:\\Windows\\TEMP\\vmware-imc\\guestcust.log in a clone made by hand",
                )
    raise MachineFailed(
        f"Windows was not customised within {site.budgets.ready:g} s",
        machine=clone.name,
        advice="look at its console in vSphere; vCenter tells of it from 7.0 U2 on, with VMware Tools 11.2",
    )
