"""Stores of both kinds, with a clock that the test sets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy

from harness.machines.leases.store import Store
from harness.machines.leases.tables import metadata
from harness.site import Site

from ..sites import site
from .lives import Clock
from .postgresql import serving

MACHINES = (("DC/vm/a", 19044), ("DC/vm/b", "win10-21h2"), ("DC/vm/c", "22631.4037"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[sqlalchemy.URL]:
    """Run a PostgreSQL of our own."""
    with serving() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sqlalchemy.URL]:
    """Name a store with nothing in it, of each kind."""
    if request.param == "sqlite":
        yield sqlalchemy.URL.create("sqlite", database=str(tmp_path / "leases.sqlite3"))
        return
    url: sqlalchemy.URL = request.getfixturevalue("postgresql")
    yield url
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    metadata.drop_all(engine)


@pytest.fixture
def clock() -> Clock:
    """Give the time of the store and of everyone who uses it."""
    return Clock()


@pytest.fixture
def store(url: sqlalchemy.URL, clock: Clock) -> Iterator[Store]:
    """Open the store on the test's clock."""
    store = Store(url, now=clock.of_the_store)
    yield store
    store.close()


@pytest.fixture
def lease_site(tmp_path: Path) -> Site:
    """Give two machines of one build, one of another; leases last a minute."""
    return site(tmp_path, machines=MACHINES)
