"""A controller in small: takes machines again and again, and notes every touch.

Arguments: a site file, a file of touches, a name, how many cells, and ``still`` to stand still for ever with the first
machine. Run by its path: it needs nothing of the tests, so that the harness is the one that is installed.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

from harness.builds import Build
from harness.machines.leases import leased
from harness.site import Site, read_site


def fight(site: Site, touches: Path, name: str, cells: int, still: bool) -> None:
    """Take a machine for each cell and touch it twice, far enough apart for another's touch to come between."""
    log = os.open(touches, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for cell in range(cells):
        with leased(site, Build(19044), holder=f"{name} {cell}") as lease:
            for what in ("first", "last"):
                lease.confirm()
                os.write(log, f"{lease.entry.path} {lease.token} {name}-{cell} {what}\n".encode())
                time.sleep(0.005)
            if still:
                threading.Event().wait()
    os.close(log)


if __name__ == "__main__":
    site_file, touches, name, cells, *still = sys.argv[1:]
    fight(read_site(Path(site_file)), Path(touches), name, int(cells), bool(still))
