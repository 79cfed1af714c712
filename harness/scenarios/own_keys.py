"""What a product keeps in registry keys of its own: looked at when a later look is to be compared with this one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.guest.state.areas import declared

if TYPE_CHECKING:
    from harness.expectations import Phase
    from harness.guest.guest import Guest
    from harness.guest.state import State

MOST = 20
"""Keys of a product that are looked into."""

_SHORT = {"HKEY_LOCAL_MACHINE": "HKLM", "HKEY_CURRENT_USER": "HKCU"}


def own_keys(phase: Phase) -> tuple[str, ...]:
    """Name the keys right below SOFTWARE that are there since the product is."""
    known = phase.clean.things.get("vendor key", {})
    found = [thing.at for key, thing in phase.after.things.get("vendor key", {}).items() if key not in known]
    return tuple(f"{_SHORT.get(hive, hive)}\\{below}" for hive, _, below in (at.partition("\\") for at in found))[:MOST]


def with_own_keys(guest: Guest, state: State, keys: Sequence[str]) -> State:
    """Add what these keys and those below them hold to a state."""
    areas = declared(keys)
    answers = guest.run_each([question for area in areas for question in area.questions])
    held = [area.read([answer]) for area, answer in zip(areas, answers, strict=True)]
    return replace(state, things={**state.things, "registry key": {key: it for one in held for key, it in one.items()}})
