"""The tables of a history and their versions: what is read is always as this version has it, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd
import pyarrow as pa

from harness.errors import AuthoringError
from harness.results.frames import CELLS, MOMENT, STEPS
from harness.results.timings import TIMINGS

SCHEMA = 1
VERSION_KEY = b"wincompat.schema"

RUNS: dict[str, Any] = {
    "run": "string",  # unique in the history
    "at": MOMENT,  # when it began
    "matrix": "string",
    "site": "string",
    "provenance": "string",
    "is_lab": "boolean",
    "command": "string",
    "planned": "int64",  # cells; 0 where the plan is missing
    "whole": "int64",  # cells of its matrices, also those that it was not asked for; 0 or missing: nobody counted
    "results": "int64",
    "packages": "string",  # JSON: [{"product": ..., "version": ..., "sha256": ..., "newest": ...}]
    "left_out": "string",  # JSON: sentences about what of the journal could not be read
    "digest": "string",  # of plan and journal: a run that has grown since is written anew
    "written": MOMENT,
    # what a gate decided of it; missing where none did, and in what older versions wrote
    "decision": "string",  # ship or hold
    "decided": MOMENT,
    "policy": "string",
    "reasons": "int64",  # how many held it
    "waivers": "string",  # JSON: [{"id": ..., "person": ...}], those that were used
}

TABLES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "runs": RUNS,
        "cells": {"run": "string", "at": MOMENT, **CELLS},
        "steps": {"run": "string", "at": MOMENT, **STEPS},
        "timings": TIMINGS,
    }
)

Migration = Callable[[str, pd.DataFrame], pd.DataFrame]

MIGRATIONS: Mapping[int, Migration] = MappingProxyType({})
"""From a schema to the next one: given a table's name and its rows as that schema has them, the next one's rows.

A column that is only added needs none: where a file does not have it, it is missing.
"""


def arrow_schema(table: str) -> pa.Schema:
    """Give a table's columns as Arrow has them; categories are text, so that a new word is no new schema."""
    fields = [pa.field(name, _arrow_type(dtype)) for name, dtype in TABLES[table].items()]
    return pa.schema(fields, metadata={VERSION_KEY: str(SCHEMA).encode()})


def to_arrow(table: str, frame: pd.DataFrame) -> pa.Table:
    """Turn a frame with a table's columns into Arrow."""
    columns = TABLES[table].items()
    plain = frame.astype({name: "string" for name, dtype in columns if _is_category(dtype)})
    return pa.Table.from_pandas(plain, schema=arrow_schema(table), preserve_index=False).replace_schema_metadata(
        {VERSION_KEY: str(SCHEMA).encode()}
    )


def migrated(table: str, rows: pa.Table, *, schema: int, migrations: Mapping[int, Migration] = MIGRATIONS) -> pa.Table:
    """Bring what a file of an older schema holds to this one's columns, in their order; what it lacks is missing."""
    if any(step in migrations for step in range(schema, SCHEMA)):
        frame = rows.to_pandas()
        for step in range(schema, SCHEMA):
            frame = migrations[step](table, frame) if step in migrations else frame
        rows = pa.Table.from_pandas(frame, preserve_index=False)
    wanted = arrow_schema(table)
    columns = [
        rows.column(one.name).cast(one.type) if one.name in rows.column_names else pa.nulls(len(rows), one.type)
        for one in wanted
    ]
    return pa.table(columns, schema=wanted)


def typed(table: str, rows: pa.Table) -> pd.DataFrame:
    """Give rows as a frame with a table's columns and dtypes; whole numbers that are missing make theirs Int64."""
    return pd.DataFrame({name: _column(rows.column(name), dtype) for name, dtype in TABLES[table].items()})


def refuse_newer(schema: int) -> None:
    """Raise AuthoringError for what a newer version wrote."""
    if schema > SCHEMA:
        raise AuthoringError(
            f"the history was written by a newer version (schema {schema}, this one reads {SCHEMA}); update"
        )


def _column(values: pa.ChunkedArray[Any], dtype: Any) -> pd.Series:
    if _is_category(dtype):
        # words that another version knows are kept, after the known ones
        others = [word for word in values.unique().drop_null().to_pylist() if word not in dtype.categories]
        dtype = pd.CategoricalDtype([*dtype.categories, *others], ordered=dtype.ordered)
    if dtype == "int64" and values.null_count:
        dtype = "Int64"
    if dtype in ("boolean", "Int64"):
        return pd.Series(values.to_pylist(), dtype=dtype)  # pandas would take them for objects and floats first
    return values.to_pandas().astype(dtype)


def _is_category(dtype: Any) -> bool:
    return isinstance(dtype, pd.CategoricalDtype)


def _arrow_type(dtype: Any) -> pa.DataType:
    if _is_category(dtype):
        return pa.string()
    if dtype == MOMENT:
        return pa.timestamp("us", tz="UTC")
    plain: dict[str, pa.DataType] = {
        "string": pa.string(),
        "boolean": pa.bool_(),
        "int64": pa.int64(),
        "float64": pa.float64(),
    }
    return plain[str(dtype)]
