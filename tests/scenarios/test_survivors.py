"""What runs on after an installer: the product's programs and strangers, unless they are expected or end soon."""

from __future__ import annotations

from typing import Any, cast

import pytest

from harness.errors import Hung
from harness.expectations import Phase
from harness.expectations.finding import Finding
from harness.guest.guest import Guest
from harness.guest.outcome import Outcome
from harness.guest.state import Entry, State
from harness.results.cause import Cause
from harness.scenarios import removing
from harness.scenarios import survivors as looking
from harness.scenarios.examination import _tells
from harness.scenarios.removing import gone_by_itself, wait_until_removed

EXE = r"C:\Program Files\Tool\agent.exe"
WINDOWS = {r"C:\Windows\System32\svchost.exe": Entry(1, "1"), r"C:\Windows\System32\cmd.exe": Entry(1, "1")}


class Running:
    """A guest on which these programs run: all of a list, one list after the other."""

    def __init__(self, *lists: tuple[str, ...]) -> None:
        self._lists = list(lists)
        self.pictures = 0

    def ask(self, command: str) -> Outcome:
        """List what runs, for the last time again and again."""
        names = self._lists.pop(0) if len(self._lists) > 1 else self._lists[0]
        rows = "".join(f'"{name}","12","Services","0","4.100 K"\r\n' for name in names)
        return Outcome(command=command, exit_code=0, stdout=rows, stderr="", seconds=0.0)

    def photograph(self) -> None:
        """Count pictures."""
        self.pictures += 1


def _survivors(*lists: tuple[str, ...], expected: tuple[str, ...] = ()) -> list[str]:
    clean = State(account="a", files=WINDOWS, uninstall={}, programs=frozenset({"svchost.exe"}))
    after = State(account="a", files={**WINDOWS, EXE: Entry(1, "2")}, uninstall={}, programs=frozenset(lists[0]))
    told: dict[str, Any] = {"clean": clean, "before": clean, "after": after}
    phase = Phase(what="install", version="1", **told)
    guest = cast(Guest, Running(*(lists[1:] or lists)))
    suspects = looking.begun(guest, phase, expected=expected, listed=True)
    return looking.survivors(guest, phase, suspects, expected=expected)


@pytest.fixture(autouse=True)
def _brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "ENDS_SOON", 0.6)


def test_the_products_program_and_a_stranger_are_named() -> None:
    """A helper that was started out of a folder for temporary files is no file of the product, and runs on."""
    assert _survivors(("svchost.exe", "agent.exe", "guard.exe", "cmd.exe")) == ["agent.exe", "guard.exe"]


def test_what_ends_soon_is_expected_or_is_windows_own_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """An optimiser that needs a second, a declared agent, servicing and WMI."""
    monkeypatch.setattr(looking, "ENDS_SOON", 60)
    assert _survivors(("svchost.exe", "agent.exe"), ("agent.exe",), ("svchost.exe",)) == []
    assert _survivors(("agent.exe",), expected=("Agent.exe",)) == []
    assert _survivors(("svchost.exe", "TiWorker.exe".lower(), "wmiprvse.exe", "cmd.exe")) == []


def test_an_uninstallers_copy_that_never_ends_is_a_hang_with_a_picture() -> None:
    """The command returned at once, and its copy waits for a person."""
    guest = Running(("svchost.exe", "Un_A.exe"))
    with pytest.raises(Hung, match=r'un_a.exe still runs after 0.3 s; it was begun by "C:\\x\\uninst.exe" /S'):
        wait_until_removed(cast(Guest, guest), lambda: False, command=r'"C:\x\uninst.exe" /S', within=0.3)
    assert guest.pictures == 1


def test_files_that_stay_when_all_uninstallers_have_ended_are_no_hang() -> None:
    """They are a leftover, which is told by another rule."""
    guest = Running(("svchost.exe",))
    wait_until_removed(cast(Guest, guest), lambda: True, command="x", within=0.3)
    assert guest.pictures == 0


class Deleting:
    """A guest on which an uninstaller is there for so many questions more."""

    def __init__(self, times: int) -> None:
        self.times = times

    def ask(self, command: str) -> Outcome:
        """Say whether it is there."""
        self.times -= 1
        there = "there\r\n" if self.times >= 0 else ""
        return Outcome(command=command, exit_code=0, stdout=there, stderr="", seconds=0.0)


def test_an_uninstaller_that_has_itself_deleted_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot delete the file that it runs from; one that stays is left none the less, and no other is asked for."""
    own = r"C:\Program Files\Tool\Uninstall.exe"
    seen = State(account="a", files={own: Entry(1, "1")}, uninstall={})
    soon, never, unasked = Deleting(2), Deleting(10**6), Deleting(10**6)
    assert gone_by_itself(cast(Guest, soon), f'"{own}"', seen)
    assert soon.times == -1
    assert not gone_by_itself(cast(Guest, unasked), r"C:\Program Files\Tool\other.exe", seen)
    assert not gone_by_itself(cast(Guest, unasked), "msiexec /x {code}", seen)
    assert unasked.times == 10**6
    monkeypatch.setattr(removing, "DELETES_ITSELF", 0.3)
    assert not gone_by_itself(cast(Guest, never), own, seen)


@pytest.mark.parametrize(("file", "told"), [(r"C:\Program Files\App\Agent.exe", True), (r"C:\App\other.exe", False)])
def test_what_windows_will_remove_because_it_runs_is_told_as_running(file: str, told: bool) -> None:
    """Work for the next start on a program that still runs is no second finding, and none of another cause."""
    runs = Finding(code="process-left", cause=Cause.PACKAGING, sentence="agent.exe still runs", subject="agent.exe")
    later = Finding(code="restart-untold", cause=Cause.REBOOT, sentence="it is removed", subject=file)
    assert _tells(runs, later) is told
    assert _tells(later, later)
