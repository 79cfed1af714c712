"""The state that a snapshot begins with is taken twice at most, and its noise is learned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from harness.guest.state import Entry, Scope, State, changes
from harness.guest.state.baseline import Baselines

if TYPE_CHECKING:
    from harness.guest.guest import Guest

CLEAN = State(account="vm\\admin", files={r"C:\a.txt": Entry(1, "1")}, uninstall={})


class Told:
    """A guest that tells one state after another."""

    account = "vm\\admin"

    def __init__(self, *states: State) -> None:
        self.states = list(states)
        self.ran: list[str] = []

    def state(self, _: Scope) -> State:
        """Tell the next one."""
        return self.states.pop(0)

    def run(self, command: str) -> None:
        """Note what was run."""
        self.ran.append(command)

    def deliver(self, file: Path, **_: str) -> str:
        """Take a file."""
        return file.name


def _with(path: str) -> State:
    return replace(CLEAN, files={**CLEAN.files, path: Entry(1, "2")})


def _of(baselines: Baselines, snapshot: str | None, *states: State) -> tuple[Baselines, Told]:
    guest = Told(*states)
    baselines.of(cast("Guest", guest), snapshot)
    return baselines, guest


def test_a_snapshot_is_looked_at_in_two_boots_and_then_believed(tmp_path: Path) -> None:
    """The first cell runs without a product, the second looks once more, the third costs nothing."""
    baselines = Baselines(tmp_path)
    _, first = _of(baselines, "one", CLEAN, _with(r"C:\null.log"))
    assert first.ran
    assert first.states == []
    _of(baselines, "one", _with(r"C:\boot-2.log"))
    found = baselines.of(cast("Guest", Told()), "one")
    assert found.state == CLEAN
    for noise in (r"C:\null.log", r"C:\boot-3.log"):
        assert changes(found.state, _with(noise), learned=found.learned) == ()
    assert changes(found.state, _with(r"C:\left.txt"), learned=found.learned) != ()


def test_another_snapshot_or_account_is_learned_anew(tmp_path: Path) -> None:
    """What was learned of one snapshot says nothing about another, nor about another person's part of it."""
    baselines = Baselines(tmp_path)
    _of(baselines, "one", CLEAN, CLEAN)
    _, other = _of(baselines, "two", CLEAN, CLEAN)
    assert other.states == []
    standard = Told(CLEAN, CLEAN)
    standard.account = "vm\\tester"
    baselines.of(cast("Guest", standard), "one")
    assert standard.states == []


def test_a_guest_of_unknown_origin_is_always_looked_at(tmp_path: Path) -> None:
    """Nothing is kept of a guest whose snapshot is not known."""
    _of(Baselines(tmp_path), None, CLEAN, CLEAN)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rubbish", [b"", b"{", b'{"state": 1}', b"\xff\xfe"])
def test_a_baseline_that_cannot_be_read_is_taken_anew(tmp_path: Path, rubbish: bytes) -> None:
    """A file that is half written or of another version costs a look, never a cell."""
    baselines = Baselines(tmp_path)
    _of(baselines, "one", CLEAN, CLEAN)
    (kept,) = tmp_path.glob("*.json")
    kept.write_bytes(rubbish)
    _, again = _of(baselines, "one", CLEAN, CLEAN)
    assert again.states == []


def test_where_nothing_can_be_kept_each_cell_looks_for_itself(tmp_path: Path) -> None:
    """An account without a home loses time, never a cell; the cell's notes say where and how to name another place."""
    file = tmp_path / "file"
    file.touch()
    told: list[str] = []
    baselines = Baselines(file / "baselines", tell=told.append)
    for _ in range(3):
        _, guest = _of(baselines, "one", CLEAN, CLEAN)
        assert guest.states == []
        assert f"{file / 'baselines'} (Not a directory)" in told.pop()
    assert told == []


def test_a_baseline_that_cannot_be_written_is_still_used(tmp_path: Path) -> None:
    """A disk that is full after the guest was looked at costs the next cell a look."""
    told: list[str] = []
    baselines = Baselines(tmp_path, tell=told.append)
    _of(baselines, "one", CLEAN, CLEAN)
    (kept,) = tmp_path.glob("*.json")
    kept.unlink()
    kept.with_suffix(".part").mkdir()
    found = baselines.of(cast("Guest", Told(CLEAN, CLEAN)), "one")
    assert found.state == CLEAN
    assert "XDG_CACHE_HOME" in told[-1]


def test_a_guest_that_cannot_be_reached_is_no_fault_of_the_folder(tmp_path: Path) -> None:
    """A connection that breaks while the guest is looked at is raised, and not looked for once more."""
    with pytest.raises(ConnectionResetError):
        Baselines(tmp_path).of(cast("Guest", Unreachable()), "one")


class Unreachable(Told):
    """A guest behind a connection that breaks at every question."""

    def state(self, _: Scope) -> State:
        """Break the connection."""
        raise ConnectionResetError(104, "Connection reset by peer")
