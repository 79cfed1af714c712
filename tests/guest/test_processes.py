"""Uninstallers that go on behind one's back are known by the names of their files, whoever lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from harness.guest.outcome import Outcome
from harness.guest.processes import uninstallers

if TYPE_CHECKING:
    from harness.guest.guest import Guest


class Listing:
    """A guest that only lists what runs, by tasklist or, where that tells nothing, by wmic."""

    def __init__(self, *names: str, tasklist: bool) -> None:
        rows = "".join(f'"{name}","12","Services","0","4.100 K"\r\n' for name in names)
        columns = "\ufeffName  \r\n" + "".join(f"{name}  \r\n" for name in names)
        wide = "".join(f"{letter}\0" for letter in columns)
        self._printed = {"tasklist": rows if tasklist else "", "wmic": "" if tasklist else wide}

    def ask(self, command: str) -> Outcome:
        """Answer."""
        return Outcome(command=command, exit_code=0, stdout=self._printed[command.split()[0]], stderr="", seconds=0.0)


@pytest.mark.parametrize("tasklist", [True, False])
@pytest.mark.parametrize("name", ["Au_.exe", "Un_A.exe", "Un.exe", "_iu14D2N.tmp", "unins000.exe", "_unins.tmp"])
def test_an_uninstaller_that_runs_is_named(name: str, tasklist: bool) -> None:
    """NSIS and Inno Setup run copies of their uninstallers, under names of their own."""
    guest = cast("Guest", Listing("svchost.exe", name, tasklist=tasklist))
    assert uninstallers(guest) == [name.lower()]


@pytest.mark.parametrize("tasklist", [True, False])
def test_what_only_begins_alike_is_none(tasklist: bool) -> None:
    """Windows' own programs and the product's are not waited for."""
    guest = cast("Guest", Listing("audiodg.exe", "unsecapp.exe", "AutoRun.exe", "ninja.exe", tasklist=tasklist))
    assert uninstallers(guest) == []
