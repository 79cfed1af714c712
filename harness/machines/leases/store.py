"""Where it is kept who has which machine: SQLite or PostgreSQL, one writer at a time, by the database's own clock."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError

from harness.errors import LeasesUnreachable
from harness.machines.border import one_line
from harness.machines.leases import clock
from harness.machines.leases.tables import files_own, metadata
from harness.site import Site

PATIENCE = 10
"""Seconds for a connection, for a lock and for each statement."""

_LOCK = 0x77696E636F6D70  # PostgreSQL's advisory lock of everyone who changes these tables


@dataclass(frozen=True, slots=True)
class Turn:
    """A transaction on the store, and the time by the store's clock when it began (seconds since 1970)."""

    connection: sqlalchemy.Connection
    now: float


Now = Callable[[sqlalchemy.Connection], float]

File = tuple[int, int]
"""Which file it is: of what device, and its number there."""


class Store:
    """An open store; threads may share it. What it raises is always LeasesUnreachable.

    ``now`` asks another clock than the database's; ``option`` is what ``wincompat leases`` needs to find the store.
    """

    def __init__(self, url: sqlalchemy.URL, *, now: Now | None = None, option: str = "") -> None:
        self.option = option
        self.shown = url.render_as_string(hide_password=True)
        self._sqlite = url.get_backend_name() == "sqlite"
        self._path = Path(str(url.database)) if self._sqlite else None
        self._now = now or (clock.now if self._sqlite else _now_of_postgresql)
        with self._border():
            self._engine = _sqlite(url, self.file) if self._sqlite else _postgresql(url)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"<Store {self.shown}>"

    def file(self) -> File | None:
        """Tell which file it is that lies there now; None where none does, and for a database server."""
        if self._path is None:
            return None
        try:
            there = self._path.stat()
        except OSError:
            return None
        return there.st_dev, there.st_ino

    @contextmanager
    def reading(self) -> Iterator[Turn]:
        """See the store as it is at one moment."""
        self._prepare_anew()
        with self._border(), self._engine.connect() as connection, connection.begin():
            yield Turn(connection, self._now(connection))

    @contextmanager
    def changing(self) -> Iterator[Turn]:
        """Change the store while nobody else does; undone when the block raises."""
        self._prepare_anew()
        with self._changing() as connection:
            yield Turn(connection, self._now(connection))

    def close(self) -> None:
        """Drop the connections."""
        self._engine.dispose()

    @contextmanager
    def _changing(self) -> Iterator[sqlalchemy.Connection]:
        with (
            self._border(),
            self._engine.connect().execution_options(changing=True) as connection,
            connection.begin(),
        ):
            if not self._sqlite:
                connection.execute(sqlalchemy.select(sqlalchemy.func.pg_advisory_xact_lock(_LOCK)))
            yield connection

    def _prepare_anew(self) -> None:
        """Make the tables when the file was deleted since, or another one was put in its place."""
        if self._sqlite and self.file() != self._prepared:
            self._prepare()

    def _prepare(self) -> None:
        every = (metadata, files_own) if self._sqlite else (metadata,)
        with self._border(), self._engine.connect() as connection:
            look = sqlalchemy.inspect(connection)
            there = all(look.has_table(name) for part in every for name in part.tables)
        if not there:
            with self._changing() as connection:
                for part in every:
                    part.create_all(connection)
        self._prepared = self.file()

    @contextmanager
    def _border(self) -> Iterator[None]:
        # without the cause: its frames hold the password
        try:
            yield
        except ModuleNotFoundError as error:
            raise self._unreachable(
                f"{error.name} is not installed", "pip install 'pytest-wincompat[postgres]'"
            ) from None
        except (SQLAlchemyError, sqlite3.Error) as error:
            said = one_line(str(getattr(error, "orig", None) or error))
            if "locked" in said and self._sqlite:
                advice = f"look who holds {self.shown} open for longer than {PATIENCE} s, or move it to a local disk"
            elif self._sqlite:
                advice = "check leases.url, and that its folder exists, is yours to write to and has space left"
            else:
                advice = "check leases.url and leases.password, and that the database is up and reachable from here"
            raise self._unreachable(said, advice) from None

    def _unreachable(self, problem: str, advice: str) -> LeasesUnreachable:
        return LeasesUnreachable(problem, machine=f"lease store {self.shown}", advice=advice)


def leases_folder() -> Path:
    """Where this user's leases are unless the site says otherwise, one place for every checkout."""
    state = os.environ.get("XDG_STATE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(state) if state else Path.home() / ".local" / "state") / "pytest-wincompat" / "leases"


def open_store(site: Site | None = None, *, now: Now | None = None) -> Store:
    """Open the store of a site, or this user's own; raises LeasesUnreachable."""
    if site is not None and site.leases.url is not None:
        url = sqlalchemy.make_url(site.leases.url)
        if site.leases.password is not None and url.get_backend_name() != "sqlite":
            url = url.set(password=site.leases.password.read().get_secret_value())
        return Store(url, now=now, option=" --site FILE")
    folder = leases_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LeasesUnreachable(
            f"cannot be made: {error.strerror}",
            machine=f"lease store {folder}",
            advice="set XDG_STATE_HOME to a folder that you may write to, or leases.url in the site file",
        ) from error
    return Store(sqlalchemy.URL.create("sqlite", database=str(folder / "leases.sqlite3")), now=now)


def _sqlite(url: sqlalchemy.URL, file: Callable[[], File | None]) -> sqlalchemy.Engine:
    engine = sqlalchemy.create_engine(url, connect_args={"timeout": PATIENCE})

    @sqlalchemy.event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, record: sqlalchemy.pool.ConnectionPoolEntry) -> None:
        record.info["file"] = file()
        connection.isolation_level = None  # Python's module would begin transactions later than we mean to
        with contextlib.suppress(sqlite3.Error):  # readers need not wait for writers; where it cannot be, they wait
            connection.execute("PRAGMA journal_mode = WAL")

    @sqlalchemy.event.listens_for(engine, "checkout")
    def look(_: object, record: sqlalchemy.pool.ConnectionPoolEntry, __: object) -> None:
        # a file that was deleted is still there for whoever has it open, and for nobody else
        if record.info["file"] != file():
            raise DisconnectionError

    @sqlalchemy.event.listens_for(engine, "begin")
    def begin(connection: sqlalchemy.Connection) -> None:
        changing = connection.get_execution_options().get("changing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if changing else "BEGIN")

    return engine


def _postgresql(url: sqlalchemy.URL) -> sqlalchemy.Engine:
    milliseconds = PATIENCE * 1000
    limits = f"-c statement_timeout={milliseconds} -c idle_in_transaction_session_timeout={milliseconds}"
    return sqlalchemy.create_engine(
        url,
        pool_pre_ping=True,  # the database may have been restarted since
        connect_args={
            "connect_timeout": PATIENCE,
            "tcp_user_timeout": milliseconds,  # a network that swallows everything
            "keepalives_idle": PATIENCE,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "application_name": "wincompat",
            "options": limits,
        },
    )


def _now_of_postgresql(connection: sqlalchemy.Connection) -> float:
    # clock_timestamp, not now: that one stands still from before the wait for the lock
    return float(connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())").scalar_one())
