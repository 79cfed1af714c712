"""A controller in small: takes machines again and again, and notes every touch; run as ``python -m``.

Arguments: the store's URL, a folder, a name, how many cells, how long a lease lasts (seconds), and ``still`` to stand
still for ever with the first machine.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

from harness.builds import Build
from harness.machines.leases import leased
from harness.site import Budgets, Leases, Site

from ..sites import site

MACHINES = (("DC/vm/a", 19044), ("DC/vm/b", 19044))


def fight(given: Site, folder: Path, name: str, cells: int, still: bool) -> None:
    """Take a machine for each cell and touch it twice, far enough apart for another's touch to come between."""
    log = os.open(folder / "touches", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for cell in range(cells):
        with leased(given, Build(19044), holder=f"{name} {cell}") as lease:
            for what in ("first", "last"):
                lease.confirm()
                os.write(log, f"{lease.entry.path} {lease.token} {name}-{cell} {what}\n".encode())
                time.sleep(0.005)
            if still:
                threading.Event().wait()
    os.close(log)


if __name__ == "__main__":
    url, where, name, cells, expires, *still = sys.argv[1:]
    given = site(Path(where), machines=MACHINES).model_copy(
        update={"leases": Leases(url=url, expires=float(expires)), "budgets": Budgets(lease=60)}
    )
    fight(given, Path(where), name, int(cells), bool(still))
