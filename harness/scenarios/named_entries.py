r"""What a product keeps in keys that others made: no look at a guest goes so deep, but its package names the places.

A state lists vendors' keys, services and kinds of files, and not what is below those that were there before. A package
says which keys it writes; those that no other area covers are asked for before the installer runs and when it has gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.guest.registry import query, read_keys
from harness.guest.state.things import Thing

if TYPE_CHECKING:
    from harness.guest.guest import Guest
    from harness.guest.state import State
    from harness.packages.named_keys import NamedKey

AREA = "registry entry"
MOST = 24
"""Keys that are asked for: each is a program's start in the guest."""

_LONG = {"HKLM": "HKEY_LOCAL_MACHINE", "HKCU": "HKEY_CURRENT_USER"}
_SOFTWARE = ("software\\wow6432node\\", "software\\")
# what a state looks at as a whole, and what everybody changes, of the machine and of an account
_COVERED = {
    "hklm": (
        "software\\microsoft\\windows\\currentversion\\uninstall",
        "software\\microsoft\\windows\\currentversion\\run",
        "software\\microsoft\\windows\\currentversion\\app paths",
        "software\\microsoft\\windows\\currentversion\\policies",
        "software\\microsoft\\windows\\currentversion\\installer",
        "software\\microsoft\\systemcertificates\\ca\\",
        "software\\microsoft\\systemcertificates\\root\\",
        "software\\microsoft\\systemcertificates\\trustedpublisher\\",
        "software\\microsoft\\windows nt\\currentversion\\windows",
        "software\\microsoft\\windows nt\\currentversion\\winlogon",
        "software\\microsoft\\windows nt\\currentversion\\image file execution options",
        "software\\policies",
        "software\\classes\\installer",
        "software\\classes\\*\\",
        "software\\classes\\directory\\",
        "system\\currentcontrolset\\control\\session manager\\environment",
        "system\\currentcontrolset\\services\\sharedaccess\\parameters\\firewallpolicy\\firewallrules",
    ),
    "hkcu": (
        "software\\microsoft\\windows\\currentversion\\uninstall",
        "software\\microsoft\\windows\\currentversion\\run",
        "software\\microsoft\\windows\\currentversion\\app paths",
        "software\\microsoft\\windows\\currentversion\\policies",
        "software\\microsoft\\systemcertificates\\root\\",
        "software\\policies",
        "software\\classes\\installer",
        "software\\classes\\*\\",
    ),
}
_SERVICES = "system\\currentcontrolset\\services\\"
_CLASSES = "software\\classes\\"


@dataclass(slots=True)
class NamedEntries:
    """The keys that are watched on one guest, and what they held before the product came."""

    guest: Guest
    clean: State
    _keys: dict[str, NamedKey] = field(default_factory=dict)
    _before: dict[str, Thing] = field(default_factory=dict)
    _looked: frozenset[str] = frozenset()

    def watch(self, keys: Iterable[NamedKey]) -> None:
        """Ask for keys that a package names and nobody has asked for yet, before it is run."""
        new = [key for key in keys if key.path.casefold() not in self._keys and not covered(key.path, self.clean)]
        new = new[: MOST - len(self._keys)]
        self._before |= self._held(new)
        self._keys |= {key.path.casefold(): key for key in new}

    def seen(self, state: State) -> State:
        """Give a state with what the watched keys hold now."""
        self._looked = frozenset(self._keys)
        return self._with(state, self._held(list(self._keys.values())))

    def unseen(self, state: State) -> State:
        """Give a state of before the product with what the watched keys held then."""
        return self._with(state, self._before)

    def completed(self, state: State) -> State:
        """Give the state of the last look with the keys that are watched only since then, as they were before."""
        known = state.things.get(AREA, {})
        late = {at: it for at, it in self._before.items() if at.partition("\0")[0] not in self._looked}
        return self._with(state, late | dict(known)) if AREA in state.things else state

    def _with(self, state: State, things: Mapping[str, Thing]) -> State:
        return replace(state, things={**state.things, AREA: things}) if self._keys else state

    def _held(self, keys: Sequence[NamedKey]) -> dict[str, Thing]:
        """Tell which keys are there, and of those that were there before the values that the package names."""
        answers = self.guest.run_each([query(key.path) for key in keys]) if keys else []
        found: dict[str, Thing] = {}
        for key, answer in zip(keys, answers, strict=True):
            folded = key.path.casefold()
            if not answer.ok:
                continue
            # of a key without values Windows prints nothing but the keys below it
            held = next((values for at, values in read_keys(answer.stdout).items() if _same(at, key.path)), {})
            found[folded] = Thing(key.path)
            if folded not in self._keys or folded in self._before:
                found |= {
                    f"{folded}\0{name}": Thing(f"{key.path}\\{value.name}", {"value": value.text})
                    for name, value in held.items()
                    if name in key.values
                }
        return found


def covered(path: str, clean: State) -> bool:
    """Whether a state tells of a key anyhow: by an area of its own, or because nothing above it was there before."""
    hive, _, below = path.casefold().partition("\\")
    narrow = below.replace("software\\wow6432node\\", "software\\", 1)
    if hive not in _COVERED or narrow.startswith(_COVERED[hive]) or below.count("\\") == 0:
        return True
    long = _LONG[hive.upper()].casefold()
    if narrow.startswith(_CLASSES):
        kind, _, deeper = narrow.removeprefix(_CLASSES).partition("\\")
        if kind == "clsid":
            return f"{long}\\software\\classes\\clsid\\{deeper.partition(chr(92))[0]}" not in _of(clean, "COM class")
        return f"{long}\\software\\classes\\{kind}" not in _of(clean, "file association")
    if narrow.startswith(_SERVICES):
        # of keys without a program, as EventLog's, no service is listed; they were there before
        service, _, deeper = narrow.removeprefix(_SERVICES).partition("\\")
        return not deeper or (service not in _of(clean, "service") and service != "eventlog")
    for start in _SOFTWARE:
        if below.startswith(start):
            vendor = below.removeprefix(start).partition("\\")[0]
            return f"{long}\\{start}{vendor}" not in _of(clean, "vendor key")
    return False


def _of(clean: State, area: str) -> Mapping[str, Thing]:
    return clean.things.get(area, {})


def _same(printed: str, asked: str) -> bool:
    hive, _, below = asked.partition("\\")
    return printed.casefold() == f"{_LONG.get(hive.upper(), hive)}\\{below}".casefold()
