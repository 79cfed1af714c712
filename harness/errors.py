"""What can go wrong, and whose fault it is.

* HarnessError
  - AuthoringError      a matrix, product or site file is wrong: fix the file
  - SiteError           the site could not give the cell what it needs: the cell is blocked, never failed
    + SiteUnreachable     the vCenter does not answer
    + SiteRefused         the vCenter refuses the log-in or a right
    + MachineMissing      the machine or its snapshot is not in the inventory
    + NoMachine           nothing free serves this build
    + LeaseLost           the machine is this cell's no more: its lease expired or somebody broke it
    + LeasesUnreachable   the store of the leases does not answer
    + MachineFailed       revert, power or another task on the machine failed
    + GuestUnreachable    the guest did not come up in time
    + GuestRefused        the guest refuses the account
    + GuestLost           the guest stopped answering in the middle of a step
    + Drifted             the machine is not the Windows that the matrix or the site file declares
    + DeliveryFailed      a file could not be brought into or out of the guest

* ProductFailed (an AssertionError)   the product did not do what the scenario proves
  - Hung                                a command outlived its deadline and was ended

A product that misbehaves is never a HarnessError, and a site that misbehaves is never a ProductFailed.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    """Whose fault it is that a cell did not pass."""

    NOBODY = "nobody"
    PRODUCT = "product"
    SITE = "site"
    HARNESS = "harness"


class HarnessError(Exception):
    """The root of everything that is not the product's doing."""


class AuthoringError(HarnessError):
    """A file that a person wrote says something that cannot be: one line with file, key and the nearest right word.

    The first argument is that line; further arguments are all mistakes of the file, a line each.
    """

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""

    @property
    def mistakes(self) -> tuple[str, ...]:
        """Every mistake found in the file, a line each."""
        return self.args[1:] or self.args


class SiteError(HarnessError):
    """The site could not give the cell what it needs; names the machine, the problem and the next move."""

    def __init__(self, problem: str, *, machine: str, advice: str) -> None:
        super().__init__(problem, machine, advice)
        self.problem = problem
        self.machine = machine
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.machine}: {self.problem}; {self.advice}"

    def __reduce__(self) -> tuple[Any, ...]:
        # keyword-only arguments do not survive the default pickling, and errors cross process borders under xdist
        return (_rebuild, (type(self), self.problem, self.machine, self.advice))


def _rebuild(kind: type[SiteError], problem: str, machine: str, advice: str) -> SiteError:
    return kind(problem, machine=machine, advice=advice)


class SiteUnreachable(SiteError):
    """The vCenter does not answer."""


class SiteRefused(SiteError):
    """The vCenter refuses the log-in or a right that the harness needs."""


class MachineMissing(SiteError):
    """The machine, or the snapshot it should be reverted to, is not in the inventory."""


class NoMachine(SiteError):
    """No machine of the site serves the build, or none came free in time."""


class LeaseLost(SiteError):
    """The machine is this cell's no more: its lease expired, or somebody broke it."""


class LeasesUnreachable(SiteError):
    """The store of the leases is locked, broken or not to be reached."""


class MachineFailed(SiteError):
    """A vSphere task on the machine (revert, power, clone) failed or outlived its budget."""


class GuestUnreachable(SiteError):
    """The guest did not answer over WinRM within its budget after the revert."""


class GuestRefused(SiteError):
    """The guest answers but refuses the account."""


class GuestLost(SiteError):
    """The guest stopped answering in the middle of a step."""


class Drifted(SiteError):
    """The machine, clean from its snapshot, is not what the matrix or the site file declares."""


class NotTold(Drifted):
    """The guest cannot tell what was demanded of it, so that nobody knows whether it drifted."""


class DeliveryFailed(SiteError):
    """A file could not be brought into or out of the guest, or arrived changed."""


class ProductFailed(AssertionError):
    """The product did not do what the scenario proves.

    ``code`` says what it did not do, in a word that never changes its meaning (``not-installed``), ``subject`` names
    the thing at fault; both may be "" where a sentence is all that there is.
    """

    def __init__(self, *words: object, code: str = "", subject: str = "") -> None:
        super().__init__(*words)
        self.code = code
        self.subject = subject


class Hung(ProductFailed):
    """A command outlived its deadline; its process tree was ended.

    With ``left`` the command itself had returned long before, and these programs, which it had begun, did not end.
    """

    def __init__(self, command: str, deadline: float, left: Sequence[str] = ()) -> None:
        super().__init__(command, deadline, tuple(left), code="hung")
        self.command = command
        self.deadline = deadline
        self.left = tuple(left)

    def __str__(self) -> str:
        if self.left:
            return f"{', '.join(self.left)} still runs after {self.deadline:g} s; it was begun by {self.command}"
        return f"still running after {self.deadline:g} s and ended: {self.command}"
