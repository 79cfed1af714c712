"""The faults a lab knows: a table that the command line, the control socket and the tests read."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

FOR_SO_LONG = "for so long, instead of until it is cleared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A kind of fault.

    ``times`` is how often it strikes unless asked otherwise, None for as long as it is asked for; ``seconds`` says what
    the number of seconds means for it, and ``usual`` what that number is unless asked otherwise; ``takes`` names its
    further options; ``deed`` is true of what is done to a machine, at once or when the named method comes, and
    ``undone`` of a deed that is taken back when the fault is cleared.
    """

    name: str
    does: str
    times: int | None = None
    seconds: str = FOR_SO_LONG
    usual: float | None = None
    takes: tuple[str, ...] = ()
    deed: bool = False
    undone: bool = False


#: What the options of a fault mean.
OPTIONS = {
    "method": "the vCenter's method or the WS-Man action that it waits for, as RevertToSnapshot_Task or Command",
    "privilege": "the privilege that is refused, as VirtualMachine.Interact.PowerOn",
    "state": "the fault that is answered: InvalidState or InvalidPowerState",
    "chance": "how often it strikes where it could, from 0 to 1",
    "when": "before or after the work is done that the client hears nothing of",
    "build": "the build that the guest's registry tells, as 22631.9999; the next revision unless named",
    "ahead": "by how many seconds the clock is ahead, behind when negative; two hours behind unless named",
    "snapshot": "the name of the snapshot",
    "address": "the address that is shown",
}

_CHOICES = {"state": ("InvalidState", "InvalidPowerState"), "when": ("before", "after")}
_RANGES = {"chance": (0.0, 1.0), "ahead": (-1e9, 1e9)}

TABLE: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault(
            name="privilege-refused",
            does="calls that need a privilege end with NoPermission, and the user is said not to have it",
            takes=("privilege", "method"),
        ),
        Fault(
            name="session-killed",
            does="the session is ended as a call comes, which is then NotAuthenticated",
            times=1,
            takes=("method",),
        ),
        Fault(
            name="task-fails",
            does="a task ends with an error before it has done anything",
            times=1,
            takes=("method",),
        ),
        Fault(
            name="task-never-ends",
            does="tasks stay running, having done nothing, and go on when the fault is cleared",
            takes=("method",),
        ),
        Fault(
            name="invalid-state",
            does="tasks end with InvalidState, or InvalidPowerState, before they have done anything",
            times=1,
            takes=("method", "state", "chance"),
        ),
        Fault(
            name="slow-datastore",
            does="tasks take so many seconds longer",
            seconds="how much longer each task takes",
            usual=5.0,
            takes=("method",),
        ),
        Fault(
            name="host-lost",
            does="the host is disconnected: machines say so, and what is asked of them ends with HostNotConnected",
        ),
        Fault(
            name="snapshot-missing",
            does="a snapshot is not there any more: every one of the machine, or the one that is named",
            takes=("snapshot",),
        ),
        Fault(
            name="stale-address",
            does="after a revert the guest's address is told as an old one, on which nobody answers",
            seconds="for so long after each revert",
            usual=30.0,
            takes=("address",),
        ),
        Fault(
            name="answer-lost",
            does="the vCenter does what it was asked and then breaks the connection instead of answering",
            times=1,
            takes=("method",),
        ),
        Fault(
            name="vcenter-hangs",
            does="the vCenter takes calls and never answers them; none of them is carried out",
            takes=("method",),
        ),
        Fault(
            name="winrm-reset",
            does="the connection of a WinRM request is reset, before the request is looked at or after it was done",
            times=1,
            takes=("method", "when"),
        ),
        Fault(
            name="guest-silent",
            does="the WinRM ports take connections and requests and never answer",
        ),
        Fault(
            name="winrm-401",
            does="WinRM refuses an account whose name and password are right",
        ),
        Fault(
            name="power-off",
            does="the machine loses its power: at once, or when a method comes",
            times=1,
            seconds="so long after that",
            usual=0.0,
            takes=("method",),
            deed=True,
        ),
        Fault(
            name="reset",
            does="Windows is restarted as with the reset button: at once, or when a method comes",
            times=1,
            seconds="so long after that",
            usual=0.0,
            takes=("method",),
            deed=True,
        ),
        Fault(
            name="restart",
            does="Windows restarts itself, as a program in it may want: at once, or when a method comes",
            times=1,
            seconds="so long after that",
            usual=0.0,
            takes=("method",),
            deed=True,
        ),
        Fault(
            name="drift",
            does="the machine is another build: its registry says so, in every snapshot, until the fault is cleared",
            times=1,
            takes=("build",),
            deed=True,
            undone=True,
        ),
        Fault(
            name="clock-jump",
            does="the guest's clock is wrong from its next start or revert on; it can be set (needs libfaketime)",
            times=1,
            takes=("ahead",),
            deed=True,
            undone=True,
        ),
    )
}


#: Those that are done to a machine.
DEEDS = tuple(fault.name for fault in TABLE.values() if fault.deed)


def fault(name: str) -> Fault:
    """Look a fault up; raises ValueError with the nearest name."""
    if name not in TABLE:
        near = difflib.get_close_matches(name, TABLE, n=1, cutoff=0.5)
        known = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(TABLE)}"
        raise ValueError(f"no fault is named {name!r}; {known}")
    return TABLE[name]


def complaint(option: str, value: str) -> str:
    """Say what is wrong with the value of an option, nothing when it can be meant."""
    if option in _CHOICES and value not in _CHOICES[option]:
        return f"{option} is {' or '.join(_CHOICES[option])}, not {value!r}"
    if option in _RANGES:
        least, most = _RANGES[option]
        try:
            fits = least <= float(value) <= most
        except ValueError:
            fits = False
        if not fits:
            return f"{option} is a number from {least:g} to {most:g}, not {value!r}"
    return ""
