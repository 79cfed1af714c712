"""Leases: a machine belongs to one cell of one run at a time, across processes and across controllers on other hosts.

* store.py       SQLite or PostgreSQL, one writer at a time, by the database's own clock
* register.py    how each machine stands
* line.py        waiting in line for one of several machines
* lease.py       the lease: heartbeat, token, giving back
* taking.py      ``leased``: a lease for a cell
* quarantine.py  machines that nobody may have
* command.py     ``wincompat leases``
"""

from __future__ import annotations

from harness.machines.leases.lease import Lease
from harness.machines.leases.quarantine import deserved, on_trial, quarantine
from harness.machines.leases.store import leases_folder
from harness.machines.leases.taking import leased, serving

__all__ = ["Lease", "deserved", "leased", "leases_folder", "on_trial", "quarantine", "serving"]
