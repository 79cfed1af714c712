"""A store in a file that is full, read-only, deleted or replaced while leases are held by it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy

from harness.errors import LeaseLost, LeasesUnreachable
from harness.machines.leases.register import key_of, standing
from harness.machines.leases.store import Store
from harness.machines.leases.waits import AllHeld
from harness.site import Site

from .lives import EXPIRES, Clock, held, line_up


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name a file for leases."""
    return tmp_path / "kept" / "leases.sqlite3"


@pytest.fixture
def stores(file: Path, clock: Clock) -> Iterator[tuple[Store, Store]]:
    """Open it as two controllers do."""
    file.parent.mkdir()
    url = sqlalchemy.URL.create("sqlite", database=str(file))
    with ExitStack() as both:
        ours, others = (Store(url, now=clock.of_the_store) for _ in range(2))
        both.callback(ours.close)
        both.callback(others.close)
        yield ours, others


def delete(file: Path) -> None:
    """Delete a store as a person would."""
    for part in file.parent.glob(f"{file.name}*"):
        part.unlink()


def test_a_deleted_store_is_made_anew_with_what_is_held(
    stores: tuple[Store, Store], file: Path, lease_site: Site, clock: Clock
) -> None:
    """Before its next command a cell enters its lease in the new file, and nobody else gets the machine."""
    ours, others = stores
    lease = held(ours, lease_site, clock, holder="ours")
    waits = line_up(others, lease_site, clock, holder="waits")
    with pytest.raises(AllHeld):
        waits.attempt()
    delete(file)
    lease.check()
    with pytest.raises(AllHeld):
        waits.attempt()
    clock.passes(EXPIRES / 2)
    with pytest.raises(AllHeld):
        waits.attempt()
    lease.check()
    lease.give_back()
    assert waits.attempt().token > lease.token


def test_who_was_faster_in_the_new_store_has_the_machine(
    stores: tuple[Store, Store], file: Path, lease_site: Site, clock: Clock
) -> None:
    """Tokens of a store that is gone are none in the next one, so a cell never takes another's lease for its own."""
    ours, others = stores
    lease = held(ours, lease_site, clock, holder="ours")
    clock.passes(1)
    delete(file)
    faster = held(others, lease_site, clock, holder="faster")
    with pytest.raises(LeaseLost, match="faster has it now"):
        lease.check()
    faster.check()


def test_who_waits_goes_on_waiting(stores: tuple[Store, Store], file: Path, lease_site: Site, clock: Clock) -> None:
    """In a new store no machine is known yet, which is not to be taken for all of them being in quarantine."""
    ours, others = stores
    lease = held(ours, lease_site, clock, holder="ours")
    waits = line_up(others, lease_site, clock, holder="waits")
    with pytest.raises(AllHeld):
        waits.attempt()
    delete(file)
    with pytest.raises(AllHeld):
        waits.attempt()
    lease.check()


def test_a_folder_that_is_gone_costs_the_lease_by_and_by(
    stores: tuple[Store, Store], file: Path, lease_site: Site, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The lease holds until it expires; the cell is told then what the store had said. One line, not one a command."""
    ours, _ = stores
    lease = held(ours, lease_site, clock, holder="ours")
    delete(file)
    file.parent.rmdir()
    for _ in range(5):
        lease.check()
    assert len(caplog.records) == 1
    clock.passes(EXPIRES)
    with pytest.raises(LeaseLost, match="could not be renewed for 60 s: unable to open database file; run the cell"):
        lease.check()


@pytest.mark.parametrize(
    ("pragma", "said"),
    [("max_page_count = 1", "database or disk is full"), ("query_only = 1", "attempt to write a readonly database")],
)
def test_a_store_that_takes_nothing_any_more(
    stores: tuple[Store, Store], lease_site: Site, clock: Clock, pragma: str, said: str
) -> None:
    """A full or read-only disk is named, in the line of who comes and in that of the cell whose lease runs out."""
    ours, _ = stores
    lease = held(ours, lease_site, clock, holder="x" * 3000)  # long enough for a page of its own

    @sqlalchemy.event.listens_for(ours._engine, "checkout")
    def take_nothing(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA {pragma}")

    with pytest.raises(LeasesUnreachable, match=f"{said}; check .* has space left"):
        line_up(ours, lease_site, clock, holder="y" * 9000).attempt()
    lease.check()
    sqlalchemy.event.remove(ours._engine, "checkout", take_nothing)
    with ours.reading() as turn:
        assert standing(turn, key_of(lease_site, lease.entry)) is not None
