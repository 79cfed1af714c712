"""The history itself: a folder of Parquet files, on this disk or wherever fsspec reaches.

``TABLE/schema-1/2026-11/RUN.parquet``: a file for each run and table, so that many controllers write at once without a
lock, and no file is written twice. The run's row in ``runs`` is written last and removed first: a run without it was
cut off while it was written, and is not there.
"""

from __future__ import annotations

import io
import re
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import fsspec  # type: ignore[import-untyped]  # it brings no types
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness.errors import AuthoringError
from harness.results.history.address import refuse_password
from harness.results.history.schema import (
    MIGRATIONS,
    SCHEMA,
    TABLES,
    Migration,
    arrow_schema,
    migrated,
    refuse_newer,
    to_arrow,
    typed,
)
from harness.results.names import file_name

_PLACE = re.compile(r"(?P<table>[a-z]+)/schema-(?P<schema>\d+)/(?P<month>\d{4}-\d\d)/(?P<name>[^/]+)\.parquet$")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where one run's rows of one table are."""

    month: str
    name: str
    table: str
    schema: int
    path: str = field(compare=False)


class History:
    """Runs in a folder or at a URL such as ``s3://bucket/wincompat``; raises AuthoringError when it cannot be reached.

    Credentials are where fsspec's own clients look for them (the environment, a profile); a URL holds none.
    """

    def __init__(self, url: str, *, migrations: Mapping[int, Migration] = MIGRATIONS) -> None:
        refuse_password(url)
        self.url = url
        self._migrations = migrations
        with _reached(url):
            self._fs, self._root = fsspec.core.url_to_fs(url)

    def put(self, tables: Mapping[str, pd.DataFrame]) -> bool:
        """Write a run's rows; False when exactly this is there already, and one that has changed is replaced."""
        run, at = str(tables["runs"]["run"].iloc[0]), tables["runs"]["at"].iloc[0]
        there = self._places(run)
        if there and self._digest(there) == tables["runs"]["digest"].iloc[0]:
            return False
        self.remove(run)
        for table in (*(name for name in TABLES if name != "runs"), "runs"):
            if table in tables:
                path = f"{table}/schema-{SCHEMA}/{at:%Y-%m}/{file_name(run)}.parquet"
                self._write(f"{self._root}/{path}", to_arrow(table, tables[table]))
        return True

    def runs(self) -> pd.DataFrame:
        """Give the row of each run, oldest first."""
        return self.table("runs").sort_values(["at", "run"], ignore_index=True)

    def table(self, name: str, *, since: datetime | None = None, runs: Collection[str] | None = None) -> pd.DataFrame:
        """Give all rows of a table, of whatever schema their files are; with ``since``, of runs of its month or later.

        ``runs`` names the only ones that are read. Columns and dtypes are those of TABLES.
        """
        return typed(name, self.rows(name, since=since, runs=runs))

    def rows(self, name: str, *, since: datetime | None = None, runs: Collection[str] | None = None) -> pa.Table:
        """Give the same as Arrow has it, with words for categories."""
        first = f"{since:%Y-%m}" if since else ""
        files = None if runs is None else {file_name(run) for run in runs}
        everything = self._all()
        whole = {(place.month, place.name) for place in everything if place.table == "runs"}
        wanted = [
            place
            for place in everything
            if place.table == name
            and (place.month, place.name) in whole
            and place.month >= first
            and (files is None or place.name in files)
        ]
        read = zip(wanted, self._read(wanted), strict=True)
        return pa.concat_tables(
            [arrow_schema(name).empty_table(), *(self._migrated(place, rows) for place, rows in read)]
        )

    def remove(self, run: str) -> bool:
        """Take a run out; False when it is not there."""
        there = self._places(run)
        for place in sorted(there, key=lambda place: place.table != "runs"):
            with _reached(self.url):
                self._fs.rm_file(place.path)
        return bool(there)

    def migrate(self) -> int:
        """Rewrite what older versions wrote as this one has it; gives how many files that were."""
        old = [place for place in self._all() if place.schema < SCHEMA]
        # a run counts as long as its row in runs does: the new one is there before the old one goes
        for place in sorted(old, key=lambda place: place.table == "runs"):
            (rows,) = self._read([place])
            path = f"{self._root}/{place.table}/schema-{SCHEMA}/{place.month}/{place.name}.parquet"
            self._write(path, self._migrated(place, rows))
            with _reached(self.url):
                self._fs.rm_file(place.path)
        return len(old)

    # ---

    def _all(self) -> list[Place]:
        with _reached(self.url):
            self._fs.invalidate_cache()
            paths = self._fs.find(self._root) if self._fs.exists(self._root) else []
        if paths == [self._root]:
            raise AuthoringError(
                f"{self.url}: is a file, and no history; name the folder that `wincompat history` fills"
            )
        found = []
        for path in paths:
            if (match := _PLACE.search(path)) and match["table"] in TABLES:
                refuse_newer(int(match["schema"]))
                found.append(Place(match["month"], match["name"], match["table"], int(match["schema"]), path))
        newest = {(place.table, place.month, place.name): place for place in sorted(found)}
        return sorted(newest.values())

    def _places(self, run: str) -> list[Place]:
        return [place for place in self._all() if place.name == file_name(run)]

    def _migrated(self, place: Place, rows: pa.Table) -> pa.Table:
        return migrated(place.table, rows, schema=place.schema, migrations=self._migrations)

    def _digest(self, places: Sequence[Place]) -> str:
        runs = [place for place in places if place.table == "runs" and place.schema == SCHEMA]
        return str(self._read(runs)[0].column("digest")[0].as_py()) if runs else ""

    def _read(self, places: Sequence[Place]) -> list[pa.Table]:
        if not places:
            return []
        with _reached(self.url):
            contents = self._fs.cat([place.path for place in places])  # from a bucket many at once
        return [_opened(place, contents[place.path]) for place in places]

    def _write(self, path: str, rows: pa.Table) -> None:
        content = io.BytesIO()
        pq.write_table(rows, content, compression="zstd")
        with _reached(self.url):
            self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
            if "file" in _protocols(self._fs):
                # a bucket shows a file when it is whole; a disk shows it while it is written
                part = f"{path}.{secrets.token_hex(4)}.part"
                self._fs.pipe_file(part, content.getvalue())
                self._fs.mv(part, path)
            else:
                self._fs.pipe_file(path, content.getvalue())


def _opened(place: Place, content: bytes) -> pa.Table:
    try:
        return pq.read_table(io.BytesIO(content))
    except (pa.ArrowInvalid, OSError) as error:
        raise AuthoringError(f"{place.path}: is no Parquet file any more: {_line(error)}") from error


def _protocols(fs: Any) -> tuple[str, ...]:
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)


@contextmanager
def _reached(url: str) -> Iterator[None]:
    """Translate what fsspec and the clients below it raise: their errors are their own, and many."""
    try:
        yield
    except AuthoringError:
        raise
    except ImportError as error:
        raise AuthoringError(f"{url}: {_line(error)}") from error
    except Exception as error:
        raise AuthoringError(f"{url}: the history cannot be reached: {_line(error)}") from error


def _line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
