"""Executables are known by their content where size and time say too little, and only there."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from harness.expectations import Phase, findings
from harness.guest.guest import Guest
from harness.guest.state import Change, Entry, Scope, State, changes
from harness.guest.state.executables import MOST, worth_hashing

OTHERS, OWN, TEXT = (rf"C:\Program Files\{name}" for name in (r"Acme\shared.DLL", r"Ninja\ninja.exe", r"Ninja\a.txt"))
CLEAN = State(account="vm", files={OTHERS: Entry(3, "1")}, uninstall={})
WITH = replace(CLEAN, files={**CLEAN.files, OWN: Entry(9, "1"), TEXT: Entry(1, "1")})


def _wanted(now: State, *, new: bool = False) -> dict[str, int]:
    return worth_hashing(changes(CLEAN, now), now, new=new)


def test_only_what_others_had_and_what_is_asked_for_is_looked_at() -> None:
    """An installation that keeps its hands off others' programs costs nothing."""
    assert _wanted(WITH) == {}
    assert _wanted(WITH, new=True) == {OWN: 9}
    touched = replace(WITH, files={**WITH.files, OTHERS: Entry(4, "1")})
    assert _wanted(touched) == {OTHERS: 4}
    assert _wanted(touched, new=True) == {OTHERS: 4, OWN: 9}
    assert worth_hashing((), WITH, again=[OWN, r"C:\gone.exe"]) == {OWN: 9}
    assert _wanted(replace(CLEAN, files={})) == {}


def test_a_product_of_many_programs_is_looked_at_in_part() -> None:
    """The cost of one look has a limit, and others' files come before the product's."""
    many = {rf"C:\a\{number}.dll": Entry(1, "1") for number in range(MOST + 9)}
    found = _wanted(replace(CLEAN, files={**many, OTHERS: Entry(4, "1")}), new=True)
    assert len(found) == MOST
    assert OTHERS in found


@pytest.mark.parametrize(
    ("entry", "was", "is_", "how"),
    [
        (Entry(9, "1"), "a" * 64, "b" * 64, f"of the same size and time, SHA-256 {'a' * 16}... -> {'b' * 16}..."),
        (Entry(9, "2"), "a" * 64, "b" * 64, f"1 -> 2, SHA-256 {'a' * 16}... -> {'b' * 16}..."),
        (Entry(9, "2"), "a" * 64, "a" * 64, None),
        (Entry(9, "1"), "a" * 64, "a" * 64, None),
        (Entry(9, "1"), None, "b" * 64, None),
        (Entry(9, "2"), None, "b" * 64, f"1 -> 2, SHA-256 now {'b' * 16}..."),
        (Entry(8, "1"), None, "b" * 64, f"9 -> 8 bytes, SHA-256 now {'b' * 16}..."),
        (Entry(9, "2"), "a" * 64, None, "1 -> 2"),
    ],
)
def test_content_decides_where_it_is_known(entry: Entry, was: str | None, is_: str | None, how: str | None) -> None:
    """Other content shows behind the same size and time, and a new time over the same content is no change."""
    before = replace(WITH, hashes={OWN: was} if was else {})
    now = replace(WITH, files={**WITH.files, OWN: entry}, hashes={OWN: is_} if is_ else {})
    assert changes(before, now) == (() if how is None else (Change("file", "changed", OWN, how),))


def test_a_library_of_others_that_was_replaced_in_place_is_found(guest: Guest, tmp_path: Path) -> None:
    """The same name and the same size, another content: found by its time, and named by what it is now."""
    folder = r"C:\Program Files\Common Files\Acme"
    shared, old = rf"{folder}\shared.dll", tmp_path / "notepad.exe"
    assert guest.run(rf'mkdir "{folder}" & copy C:\Windows\notepad.exe "{shared}"').ok
    guest.fetch(shared, old)
    clean = guest.state(scope := Scope(areas=(), roots=(folder,)))
    content = bytearray(old.read_bytes())
    content[-1] ^= 1
    (other := tmp_path / "shared.dll").write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    assert guest.run(rf'copy /y "{guest.deliver(other, sha256=sha256)}" "{shared}"').ok
    now = guest.state(scope, known=clean)
    assert now.files[shared].size == clean.files[shared].size
    asked = worth_hashing(changes(clean, now), now)
    now = replace(now, hashes=guest.hashes(asked))
    assert now.hashes == {shared: sha256}
    (found,) = findings(Phase(what="install", version="1.0", clean=clean, before=clean, after=now))
    assert found.code == "others-file"
    assert f"changed {shared}, which was there before" in found.sentence
    assert f"SHA-256 now {sha256[:16]}..." in found.sentence
