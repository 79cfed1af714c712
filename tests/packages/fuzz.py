"""Fuzzes the readers with coverage as the guide: ``python -m tests.packages.fuzz SECONDS``; needs atheris."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]  # not everybody has it

with atheris.instrument_imports(include=["harness.packages", "olefile", "pefile", "asn1crypto"]):
    from harness.packages.inspection import inspect

from harness.builds import Build

from .test_fuzz import archive
from .tiny_program import tiny_program
from .wares import Bench

BUILDS = (Build(19045), Build(26100))


def main(seconds: int) -> None:
    """Run for so many seconds, from a sound file of each kind; whatever is raised ends the run with that input."""
    with tempfile.TemporaryDirectory(prefix="wincompat-fuzz-") as folder:
        bench, corpus, file = Path(folder, "bench"), Path(folder, "corpus"), Path(folder, "input")
        bench.mkdir()
        corpus.mkdir()
        manifest = '<requestedExecutionLevel level="asInvoker"/>'
        (corpus / "exe").write_bytes(tiny_program(imports=["a.dll"], manifest=manifest, overlay=b"PK" * 99))
        (corpus / "zip").write_bytes(archive())
        (corpus / "msi").write_bytes(Bench(bench).clean.read_bytes())

        def one(content: bytes) -> None:
            file.write_bytes(content)
            assert all(found.sentence for found in inspect(file, builds=BUILDS).findings)

        limits = [f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=1000", "-max_len=1000000"]
        atheris.Setup([sys.argv[0], *limits, str(corpus)], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main(int(sys.argv[1]))
