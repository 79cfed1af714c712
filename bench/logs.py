"""How much memory and time an installer's log of 500 MB costs, read in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure
from tests.installer_logs.written import large

SIZE = 500_000_000  # bytes; UTF-16, as Windows writes it

_READ = """
import json, re, sys, time
from pathlib import Path
from harness.installer_logs import read_log
start = time.perf_counter()
reading = read_log(Path(sys.argv[1]))
seconds = time.perf_counter() - start
# of this program alone: what getrusage says begins with what the program that started it had
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(json.dumps({
    "seconds": seconds, "lines": reading.lines, "number": reading.cause.number if reading.cause else 0,
    "megabytes": int(peak[1]) / 1024,
}))
"""


def figures() -> Iterator[Figure]:
    """Write the log, read it, and say what that took; the error at its very end must have been found."""
    with tempfile.TemporaryDirectory(prefix="wincompat-bench-") as folder:
        log = Path(folder) / "large.log"
        with log.open("wb") as file:
            for piece in large(SIZE):
                file.write(piece)
        size = log.stat().st_size / 1e6
        said = subprocess.run([sys.executable, "-c", _READ, str(log)], capture_output=True, text=True, check=True)
    told = json.loads(said.stdout)
    assert told["number"] == 1304, told
    yield Figure(f"log of {size:.0f} MB: memory of its reader", told["megabytes"], "MB", at_most=200)
    yield Figure(f"log of {size:.0f} MB, {told['lines']:,} lines", told["seconds"], "s", at_most=60)
