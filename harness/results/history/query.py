"""A history asked in SQL, by DuckDB: the tables ``runs``, ``cells``, ``steps`` and ``timings``."""

from __future__ import annotations

import re

import pandas as pd

from harness.errors import AuthoringError
from harness.results.history.schema import TABLES
from harness.results.history.store import History

BEGAN = {"at": "began"}
"""``at`` is a word of DuckDB's own: when a run began is called so in SQL."""


def query(history: History, sql: str) -> pd.DataFrame:
    """Ask a question; raises AuthoringError for what DuckDB does not understand, and where it is not installed.

    Only tables that the words name are read; the column ``at`` is ``began`` there. The question sees these tables and
    nothing else: no file, no network.
    """
    try:
        import duckdb
    except ImportError as error:
        raise AuthoringError(
            "asking in SQL needs duckdb, which is not installed: pip install 'pytest-wincompat[history]'"
        ) from error
    with duckdb.connect(config={"enable_external_access": "false"}) as connection:
        for name in TABLES:
            if re.search(rf"\b{name}\b", sql, re.IGNORECASE):
                connection.register(name, history.rows(name).rename_columns(BEGAN))
        try:
            answer = connection.sql(sql)
            frame: pd.DataFrame = pd.DataFrame() if answer is None else answer.to_arrow_table().to_pandas()
        except duckdb.Error as error:
            raise AuthoringError(f"query: {' '.join(str(error).split())}") from error
    return frame
