"""A PostgreSQL that lives as long as the tests, for an ordinary user and on a Unix socket only."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy

NOBODY = 65534


@contextmanager
def serving() -> Iterator[sqlalchemy.URL]:
    """Serve a new, empty database cluster; skipped by name where Debian's ``postgresql`` or psycopg is missing."""
    pytest.importorskip("psycopg", reason="psycopg is missing: pip install 'pytest-wincompat[postgres]'")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found or shutil.which("setpriv") is None:
        pytest.skip("PostgreSQL (Debian: postgresql) is missing")
    # not below pytest's folder: a socket's path is short, and root's servers run as nobody
    with tempfile.TemporaryDirectory(prefix="wincompat-pg-") as folder:
        as_nobody = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"] if os.geteuid() == 0 else []
        if as_nobody:
            os.chown(folder, NOBODY, NOBODY)
        words = ["setpriv", *as_nobody, "--pdeathsig", "INT"]  # INT lets it end, also when the tests are killed
        prepare = [
            str(found[-1]),
            "-D",
            f"{folder}/db",
            "-U",
            "tester",
            "-A",
            "trust",
            "--no-locale",
            "-E",
            "UTF8",
            "-N",
        ]
        subprocess.run([*words, *prepare], check=True, capture_output=True, cwd=folder)
        serve = [str(found[-1].with_name("postgres")), "-D", f"{folder}/db", "-k", folder, "-c", "listen_addresses="]
        with (Path(folder) / "log").open("wb") as log:
            server = subprocess.Popen(
                [*words, *serve, "-F"], cwd=folder, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True
            )
        try:
            url = sqlalchemy.make_url(f"postgresql+psycopg://tester@/postgres?host={folder}")
            _wait(url, server, Path(folder) / "log")
            yield url
        finally:
            server.send_signal(2)
            server.wait(30)


def _wait(url: sqlalchemy.URL, server: subprocess.Popen[bytes], log: Path) -> None:
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    while True:
        try:
            with engine.connect():
                return
        except sqlalchemy.exc.OperationalError:
            assert server.poll() is None, log.read_text("utf-8", "replace")
