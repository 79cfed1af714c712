"""Every check of the doctor, in the order of making; what one needs stands before it."""

from __future__ import annotations

from harness.doctor import controller, guest, inside, leasing, machine, starting, vcenter
from harness.doctor.check import Check
from harness.doctor.visit import MachineVisit, SiteVisit

OF_THE_CONTROLLER: tuple[Check[SiteVisit], ...] = (*controller.CHECKS, leasing.STORE)
OF_THE_VCENTER: tuple[Check[SiteVisit], ...] = vcenter.CHECKS
OF_A_MACHINE: tuple[Check[MachineVisit], ...] = (
    *machine.CHECKS,
    leasing.LEASE,
    starting.UP,
    *machine.CHECKS_WHEN_UP,
    *guest.CHECKS,
    *inside.CHECKS,
)
EVERY: tuple[Check[SiteVisit] | Check[MachineVisit], ...] = (*OF_THE_CONTROLLER, *OF_THE_VCENTER, *OF_A_MACHINE)
