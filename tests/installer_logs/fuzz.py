"""Fuzzes the readers with coverage as the guide: ``python -m tests.installer_logs.fuzz SECONDS``; needs atheris."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]  # not everybody has it

with atheris.instrument_imports(include=["harness.installer_logs"]):
    from harness.installer_logs import read_log
    from harness.installer_logs.events import read_events

from .test_events import CRASH
from .test_hostile import SAMPLES, sound


def _one(content: bytes) -> None:
    """Read an input as a log and as an answer of wevtutil: whatever is raised ends the run with that input."""
    sound(read_log(content))
    events = read_events(content.decode("utf-8", "replace"))
    assert all(isinstance(event.sentence, str) for event in events.records)


def main(seconds: int) -> None:
    """Run for so many seconds, from real samples in several encodings."""
    with tempfile.TemporaryDirectory(prefix="wincompat-fuzz-") as folder:
        for number, sample in enumerate([*SAMPLES, CRASH]):
            for encoding in ("utf-8", "utf-16"):
                (Path(folder) / f"{number}-{encoding}").write_bytes(sample.encode(encoding))
        limits = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=1000", "-max_len=20000"]
        atheris.Setup([sys.argv[0], *limits, folder], _one)
        atheris.Fuzz()


if __name__ == "__main__":
    main(int(sys.argv[1]))
