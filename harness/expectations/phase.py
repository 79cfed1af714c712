"""A phase of a scenario: what was done to the guest, and its state before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from harness.expectations.wording import LISTED_WHOLE, SET_BY_WINDOWS
from harness.guest.state import Change, State, UninstallEntry, changes
from harness.guest.state.differences import NOTHING_LEARNED
from harness.guest.state.noise import Learned

FILES = ("file", "folder", "shortcut", "scheduled task")
"""The areas that are files."""

_SHORT = {"HKEY_LOCAL_MACHINE": "HKLM", "HKEY_CURRENT_USER": "HKCU"}

What = Literal[
    "install", "upgrade", "downgrade", "uninstall", "failed upgrade", "refused installation", "refused downgrade"
]


def nothing_allowed(_: str) -> bool:
    """Allow no leftover."""
    return False


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One phase. ``clean`` is the guest without the product, ``before`` and ``after`` are around this phase.

    ``version`` is what was installed, or what was taken away; ``registers`` is the version that the product's file says
    Windows' list shall have, if it says so; ``allows`` says of a subject that the product's file permits it to stay. A
    registry without access control can be left out, since nobody is refused anything there; so can the quotes around
    the paths of services where the guest's Windows Installer does not write them. ``replaced`` is the state with the
    version ``old``, which this one had taken the place of. ``restart_asked``: an exit code has asked for a restart.
    """

    what: What
    version: str
    clean: State
    before: State
    after: State
    learned: Learned = NOTHING_LEARNED
    old: str = ""
    registers: str | None = None
    allows: Callable[[str], bool] = nothing_allowed
    judges_registry: bool = True
    judges_service_paths: bool = True
    restart_asked: bool = False
    replaced: State | None = None

    def __str__(self) -> str:
        match self.what:
            case "install":
                return f"installing {self.version}"
            case "uninstall":
                return f"uninstalling {self.version}"
            case "refused installation":
                return f"the refused installation of {self.version}"
            case "failed upgrade":
                return f"the failed upgrade to {self.version}"
            case "refused downgrade":
                return f"the refused downgrade to {self.version}"
            case "downgrade":
                return f"the downgrade to {self.version}"
            case "upgrade":
                return f"the upgrade to {self.version}"

    @cached_property
    def since_clean(self) -> tuple[Change, ...]:
        """What differs from the guest without the product."""
        return self._judged(changes(self.clean, self.after, learned=self.learned))

    @cached_property
    def done(self) -> tuple[Change, ...]:
        """What this phase alone has changed."""
        return self._judged(changes(self.before, self.after, learned=self.learned))

    @cached_property
    def old_ones(self) -> frozenset[tuple[str, str]]:
        """Areas and subjects of what the version that was replaced had added."""
        if self.replaced is None:
            return frozenset()
        found = changes(self.clean, self.replaced, learned=self.learned)
        return frozenset((change.area, change.subject) for change in found if change.did == "added")

    def permits(self, change: Change) -> bool:
        r"""Whether the product's file allows what has changed, by name or by its whole key: ``HKCU\Software\Demo``."""
        hive, _, below = change.detail.partition("\\")
        key = f"{_SHORT[hive]}\\{below}" if hive in _SHORT else ""
        return self.allows(change.subject) or (bool(key) and self.allows(key))

    def has_file(self, path: str) -> bool:
        """Whether a file or folder, its path in small letters, is there after the phase; True where nobody can tell."""
        return not path.startswith(LISTED_WHOLE) or path in self._folded

    def has_variable(self, name: str) -> bool:
        """Whether an environment variable is set after the phase, by Windows or in the registry; True if untold."""
        held = self.after.things.get("environment variable")
        known = (
            {one.name.casefold() for one in held.values()} | SET_BY_WINDOWS if held is not None else {name.casefold()}
        )
        return name.casefold() in known

    @cached_property
    def _folded(self) -> frozenset[str]:
        return frozenset(path.casefold() for path in self.after.files)

    def _judged(self, found: tuple[Change, ...]) -> tuple[Change, ...]:
        return found if self.judges_registry else tuple(change for change in found if change.area in FILES)

    @cached_property
    def registered(self) -> Mapping[str, UninstallEntry]:
        """The entries of Windows' list of programs that are there since the product is, by key."""
        return {key: entry for key, entry in self.after.uninstall.items() if key not in self.clean.uninstall}
