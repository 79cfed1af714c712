"""A store that cannot be used is one clear line that names it and the way out, and never holds a password."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy

from harness.errors import AuthoringError, LeasesUnreachable
from harness.machines.leases import store as place
from harness.machines.leases.register import standings
from harness.machines.leases.store import Store, leases_folder, open_store
from harness.site import Leases, Secret, Site, read_site

from ..sites import PASSWORD, site


def on(folder: Path, url: str) -> Site:
    """Make a site that keeps its leases there."""
    secret = Secret(file=folder / "vcenter.secret")
    return site(folder).model_copy(update={"leases": Leases(url=url, password=secret)})


def test_without_a_url_leases_are_this_users(tmp_path: Path) -> None:
    """Every checkout of a user shares one file, and it reads while somebody writes."""
    with closing(open_store(site(tmp_path))) as store, store.reading() as turn:
        assert (leases_folder() / "leases.sqlite3").is_file()
        assert turn.connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where leases cannot be kept, the line says which folder and what to set."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(LeasesUnreachable, match=r"set XDG_STATE_HOME .*, or leases\.url"):
        open_store(site(tmp_path))


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    """Somebody's text file is not overwritten."""
    (tmp_path / "notes.txt").write_text("my notes, and more than a few of them\n" * 100)
    with pytest.raises(LeasesUnreachable, match=r"notes\.txt: file is not a database; check leases\.url"):
        open_store(on(tmp_path, f"sqlite:///{tmp_path}/notes.txt"))
    assert (tmp_path / "notes.txt").read_text().startswith("my notes")


def test_a_store_that_somebody_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After some patience the line says that it is locked."""
    monkeypatch.setattr(place, "PATIENCE", 0.1)
    store = open_store(on(tmp_path, f"sqlite:///{tmp_path}/leases"))
    other = sqlite3.connect(tmp_path / "leases")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LeasesUnreachable, match="database is locked; look who holds"), store.changing():
        pytest.fail("two write at once")
    other.close()
    with store.changing():
        pass
    store.close()


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    """The line names the store without its password, and so does everything that hangs on the error."""
    pytest.importorskip("psycopg")
    with pytest.raises(LeasesUnreachable) as raised:
        open_store(on(tmp_path, "postgresql://compat@127.0.0.1:1/leases"))
    line = str(raised.value)
    assert line.startswith("lease store postgresql+psycopg://compat:***@127.0.0.1:1/leases: ")
    assert line.endswith("check leases.url and leases.password, and that the database is up and reachable from here")
    assert raised.value.__cause__ is None
    assert PASSWORD not in repr(raised.getrepr(showlocals=True, chain=False))


def test_a_driver_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL needs an extra, which the line names."""

    def lacking(*_: object, **__: object) -> sqlalchemy.Engine:
        raise ModuleNotFoundError("No module named 'psycopg'", name="psycopg")

    monkeypatch.setattr(sqlalchemy, "create_engine", lacking)
    with pytest.raises(LeasesUnreachable, match=r"pip install 'pytest-wincompat\[postgres\]'"):
        open_store(on(tmp_path, "postgresql://compat@127.0.0.1/leases"))


def test_stores_are_made_by_many_at_once(url: sqlalchemy.URL) -> None:
    """The tables are there after the first, and nobody trips over another who makes them."""
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(lambda _: Store(url), range(8)))
    for store in stores:
        with store.reading() as turn:
            assert standings(turn) == []
        store.close()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("mysql://db/leases", 'should start with "sqlite:///" or "postgresql://"'),
        ("leases.sqlite3", 'should start with "sqlite:///" or "postgresql://"'),
        ("sqlite://leases.sqlite3", "an absolute path has four slashes"),
        ("postgresql://me:hush@db/leases", "should hold no password; leases.password says where it is"),
    ],
)
def test_a_url_that_cannot_be(tmp_path: Path, written: str, said: str) -> None:
    """A mistake in the site file is one line, and a password in it is not repeated."""
    with pytest.raises(AuthoringError) as raised:
        read_site(write(tmp_path, f'[leases]\nurl = "{written}"'))
    assert said in str(raised.value)
    assert "hush" not in str(raised.value)


def test_a_relative_file_lies_beside_the_site_file(tmp_path: Path) -> None:
    """As with every path of a site file, the current folder does not matter."""
    found = read_site(write(tmp_path, '[leases]\nurl = "sqlite:///ours.sqlite3"\nexpires = 30'))
    assert found.leases.url == f"sqlite:///{tmp_path}/ours.sqlite3"
    assert found.leases.expires == 30.0


def write(folder: Path, leases: str) -> Path:
    """Write a site file."""
    file = folder / "site.toml"
    file.write_text(
        'name = "s"\n[vcenter]\nhost = "h"\nuser = "u"\npassword = { env = "P" }\n'
        '[accounts.administrator]\nuser = "a"\npassword = { env = "P" }\n'
        f'{leases}\n[[machines]]\npath = "m"\nbuild = 19044\nsnapshot = "clean"\naddress = "x"\n'
    )
    return file
