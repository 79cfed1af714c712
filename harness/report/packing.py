"""Evidence inside of the page, for a report that travels alone."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path

from harness.report.evidence import address
from harness.results import words
from harness.results.run import RunFolder

_LARGEST = 20_000_000  # bytes of one file
_ROOM = 150_000_000  # characters of all files, squeezed: browsers refuse texts of 500 MB


def packed_files(folder: RunFolder, page: Path) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Squeeze every file of evidence; give each with its address as links have it, and a sentence on what is left out.

    Small files go first, so that one huge log does not take the room of all others.
    """
    found = [(file.stat().st_size, file) for file in (folder.path / "evidence").rglob("*") if file.is_file()]
    files: list[tuple[str, str]] = []
    room, left = _ROOM, 0
    for size, file in sorted(found, key=lambda each: (each[0], str(each[1]))):
        link = address(file, page)
        if size > _LARGEST or room <= 0 or not link:
            left += 1
            continue
        content = base64.b64encode(gzip.compress(file.read_bytes(), 6, mtime=0)).decode()
        room -= len(content)
        files.append((link, content))
    said = f"{words.count(left, 'file')} of evidence did not fit into this page: look into the run's folder."
    return tuple(files), (said,) if left else ()
