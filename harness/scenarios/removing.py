"""A removal that goes on after its command has returned: waited for, and told when it waits for a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.errors import Hung
from harness.expectations.wording import plain
from harness.guest.processes import uninstallers
from harness.scenarios.waits import until_the_removal_settles

if TYPE_CHECKING:
    from harness.guest.guest import Guest
    from harness.guest.state import State

DELETES_ITSELF = 5.0
"""Seconds that an uninstaller may be there yet: it cannot delete the file it runs from, and leaves that to another."""


def wait_until_removed(guest: Guest, still_there: Callable[[], object], *, command: str, within: float) -> None:
    """Wait for what NSIS and Inno Setup leave to copies of their uninstallers, and for ``still_there`` to be nothing.

    Raises Hung, with a picture of the console taken, when such a copy has not ended ``within`` seconds: nobody answers
    it. Files that stay when all have ended are no matter of waiting.
    """
    if not until_the_removal_settles(within)(lambda: still_there() or uninstallers(guest)):
        return
    if left := uninstallers(guest):
        guest.photograph()
        raise Hung(command, within, left)


def gone_by_itself(guest: Guest, uninstaller: str, seen: State) -> bool:
    """Tell whether an uninstaller that a state still saw has gone since; one that stays is waited for, and no other."""
    own = plain(uninstaller)
    if not own.endswith(".exe") or all(path.casefold() != own for path in seen.files):
        return False
    question = f'if exist "{own}" echo there'
    return not until_the_removal_settles(DELETES_ITSELF)(lambda: guest.ask(question).stdout.strip())
