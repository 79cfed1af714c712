"""What a store of leases holds."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Integer, MetaData, String, Table, Text

metadata = MetaData()

machines = Table(
    "wincompat_machines",
    metadata,
    Column("vcenter", String(300), primary_key=True),
    Column("machine", String(900), primary_key=True),
    Column(
        "token", BigInteger, nullable=False, default=0
    ),  # grows with every lease and never shrinks; begins with the time in milliseconds
    Column("holder", Text),
    Column("controller", Text),
    Column("since", Double),
    Column("expires", Double),
    Column("kept", Text),
    Column("used", Double, nullable=False, default=0.0),
    Column("quarantined", Text),
    Column("quarantined_since", Double),
    Column("quarantined_until", Double),
)

tickets = Table(
    "wincompat_tickets",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("vcenter", String(300), nullable=False),
    Column("wants", Text, nullable=False),  # a JSON list of machines
    Column("holder", Text, nullable=False),
    Column("controller", Text, nullable=False),
    Column("since", Double, nullable=False),
    Column("expires", Double, nullable=False),
    sqlite_autoincrement=True,  # else SQLite gives the number of a ticket that is gone to the next one
)

files_own = MetaData()
"""What only a file needs: a database server has a clock of its own."""

clock = Table(
    "wincompat_clock",
    files_own,
    Column("boot", String(100), primary_key=True),  # one row, of whoever wrote last
    Column("uptime", Double, nullable=False),
    Column("wall", Double, nullable=False),
)

TIMES = {
    machines: [machines.c[name] for name in ("since", "expires", "used", "quarantined_since", "quarantined_until")],
    tickets: [tickets.c.since, tickets.c.expires],
}
"""Every moment that is kept, table by table."""
