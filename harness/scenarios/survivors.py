"""Programs that go on after an installer has ended: the product's own, and strangers that came from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from harness.guest.processes import answering, running
from harness.scenarios.waits import until_programs_have_ended

if TYPE_CHECKING:
    from harness.expectations import Phase
    from harness.guest.guest import Guest

MOST = 10
"""Programs of a product that a guest is asked about one by one."""

ENDS_SOON = 10.0
"""Seconds that a program may still go on that an installer has begun: it optimises, indexes or tidies up."""

# programs of Windows that a state does not list the files of: servicing, WMI, .NET, what a person's desktop consists of
_WINDOWS = re.compile(
    r"(?:"
    r"wmic|tiworker|trustedinstaller|wmiprvse|mofcomp|scrcons|unsecapp|mscorsvw|ngen|ngentask|explorer|"
    r"searchhost|searchapp|searchui|startmenuexperiencehost|shellexperiencehost|textinputhost|lockapp|"
    r"systemsettings|onedrive|onedrivesetup|filecoauth|widgets|widgetservice|powershell|setup|mpsigstub|"
    r"mpdefendercoreservice|winrshost|wsmprovhost"
    r")\.exe"
)


def begun(guest: Guest, phase: Phase, *, expected: Collection[str], listed: bool) -> frozenset[str] | None:
    """Name programs that run since the product came, but for those that are ``expected`` to; None where none is told.

    A guest that does not tell in its state what runs is asked by another way where ``listed`` says that it has one.
    """
    may = {image.lower() for image in expected}
    names = phase.after.programs or (running(guest) if listed else frozenset())
    return ((_brought(phase) & names) | _strangers(phase, names)) - may if names else None


def survivors(guest: Guest, phase: Phase, suspects: frozenset[str] | None, *, expected: Collection[str]) -> list[str]:
    """Name those of the suspects that do not end soon; of a guest that lists none, those that answer in the end."""
    if suspects:
        return sorted(until_programs_have_ended(ENDS_SOON)(lambda: suspects & running(guest)))
    if suspects is None and phase.what == "uninstall":
        may = {image.lower() for image in expected}
        return list(answering(guest, sorted(_brought(phase) - may)[:MOST]))
    return []


def _brought(phase: Phase) -> frozenset[str]:
    """Name the programs among the files of the product."""
    return frozenset(
        path.rpartition("\\")[2].lower()
        for state in (phase.before, phase.after)
        for path in state.files
        if path.lower().endswith(".exe") and path not in phase.clean.files
    )


def _strangers(phase: Phase, names: Collection[str]) -> set[str]:
    """Name the programs that did not run before and are no files of Windows', nor of others that were there before."""
    seen = phase.clean.programs | {
        path.rpartition("\\")[2].casefold() for path in phase.clean.files if path.casefold().endswith(".exe")
    }
    return {name for name in names if name.endswith(".exe") and name not in seen and not _WINDOWS.fullmatch(name)}
