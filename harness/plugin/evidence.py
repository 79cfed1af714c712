"""Evidence: what is taken from a guest to prove a verdict, kept below the run's folder."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import DeliveryFailed

if TYPE_CHECKING:
    from harness.expectations import Finding
    from harness.guest.guest import Guest
    from harness.plugin.record import Record
    from harness.results.result import Ending, Evidence
    from harness.results.run import RunFolder


class EvidenceFolder:
    """The evidence of one cell."""

    def __init__(self, folder: RunFolder, record: Record) -> None:
        self._folder = folder
        self._record = record

    def keep(self, name: str, content: str | bytes | Path, *, kind: str = "text") -> Evidence:
        """Keep text, bytes or a file under a name; ``kind`` is one of log, text, screenshot, facts."""
        kept = self._folder.keep(self._record.name, name, content, kind=kind)
        self._record.evidence.append(kept)
        return kept

    def fetch(self, guest: Guest, guest_path: str, *, name: str = "", kind: str = "log") -> Evidence | None:
        """Bring a file out of the guest and keep it, or note why that could not be done.

        What is missing is one piece of evidence, not the cell; only a guest that is gone ends it (GuestLost).
        """
        name = name or guest_path.rpartition("\\")[2]
        with tempfile.TemporaryDirectory(prefix="wincompat-") as folder:
            target = Path(folder) / "fetched"
            try:
                guest.fetch(guest_path, target)
            except DeliveryFailed as error:
                self.note(f"no {name}: {error.problem}")
                return None
            return self.keep(name, target, kind=kind)

    def finding(self, finding: Finding) -> None:
        """Add a finding to the cell's."""
        from harness.results import result

        self._record.findings.append(
            result.Finding(
                code=finding.code, cause=finding.cause.value, sentence=finding.sentence, subject=finding.subject
            )
        )

    def ended(self, ending: Ending) -> None:
        """Add how a command of the product ended: the cell's cause is decided from it."""
        self._record.endings.append(ending)

    def note(self, words: str) -> None:
        """Add a sentence to the cell's notes."""
        self._record.notes.append(words)
