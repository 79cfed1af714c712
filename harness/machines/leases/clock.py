"""The clock of a store that is a file: this host's, as it would be had nobody set it since it was last written down.

Leases last by how much time passes, and a host's clock is set now and then, by NTP or by hand. By that clock alone, an
hour forward takes every machine from the run that has it, and an hour back keeps those of a dead run for an hour more.
"""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import sqlalchemy
from sqlalchemy import delete, insert, select, update

from harness.machines.leases.tables import TIMES, clock

SET = 1.0
"""Seconds by which the host's clock and the store's are apart when somebody has set the first."""


def uptime() -> float:
    """Seconds on a clock that nobody sets and that goes on while this host sleeps, where it has one."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


@cache
def boot() -> str | None:
    """Name what ``uptime`` counts from, the same in every process of this host; None where that cannot be told."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip() or None
    except OSError:
        return None


def wall(connection: sqlalchemy.Connection) -> float:
    """Tell the time by this host's clock as SQLite does."""
    return float(connection.exec_driver_sql("SELECT (julianday('now') - 2440587.5) * 86400.0").scalar_one())


def now(connection: sqlalchemy.Connection) -> float:
    """Tell the time, in seconds since 1970, inside a transaction on the file.

    One that changes the file writes down how the clocks stand to each other. When the host's clock was set, it moves
    every moment in the file by as much, so that what was to last a minute still does, and people read times by the
    clock that they see. A host that cannot tell its boot has its own clock only.
    """
    told, up, here = wall(connection), uptime(), boot()
    if here is None:
        return told
    row = connection.execute(select(clock)).mappings().one_or_none()
    ours = row is not None and row["boot"] == here
    steady = row["wall"] + up - row["uptime"] if row is not None and ours else told
    is_set = abs(told - steady) > SET
    if not connection.get_execution_options().get("changing", False) or (ours and not is_set):
        return float(steady)
    if is_set:
        for table, moments in TIMES.items():
            # 0 stands for never
            moved = {one.name: sqlalchemy.case((one > 0, one + (told - steady)), else_=one) for one in moments}
            connection.execute(update(table).values(moved))
    connection.execute(delete(clock))
    connection.execute(insert(clock).values(boot=here, uptime=up, wall=told))
    return told
