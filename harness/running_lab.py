"""Finding a lab that somebody keeps running, without importing it: its own command is asked."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.errors import HarnessError

STATUS = (sys.executable, "-m", "harness.cli", "lab", "status", "--site-file")


def lab_that_is_up(command: Sequence[str] = STATUS, *, name: str = "lab", within: float = 30.0) -> Path | None:
    """Find the site file of a lab that somebody started with ``wincompat lab up``, or None."""
    try:
        asked = subprocess.run(
            [*command, "--name", name],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=within,
            check=False,
            env=dict(os.environ),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    place = asked.stdout.decode("utf-8", "replace").strip()
    return Path(place) if asked.returncode == 0 and place and Path(place).is_file() else None


def site_file(place: Path) -> Path:
    """Give the site file that a person means, who may also say ``lab``; raises HarnessError when no lab is up."""
    if str(place) != "lab" or place.exists():
        return place
    if (found := lab_that_is_up()) is None:
        raise HarnessError("no lab 'lab' is up; name a site file, or start the lab: wincompat lab up")
    return found
