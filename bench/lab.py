"""A lab of our own to measure on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.site import Site, read_site


@contextmanager
def serving_lab(*words: str) -> Iterator[Site]:
    """Serve a lab that nobody else uses, as its command line is told, and end it whatever happens."""
    command = [sys.executable, "-m", "harness.cli", "lab", "serve", "--until-stdin-closes", *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as lab:
        assert lab.stdin is not None
        assert lab.stdout is not None
        try:
            yield read_site(Path(lab.stdout.readline().removeprefix("ready ").strip()))
        finally:
            lab.stdin.close()
            lab.wait(timeout=120)
