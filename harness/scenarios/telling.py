"""What an installation tells of itself: its log, read and kept, and Windows' records of the time."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from harness.errors import DeliveryFailed, Hung
from harness.installer_logs import LogReading, read_log
from harness.installer_logs.events import Events, query, read_events
from harness.installer_logs.reasons import reason

if TYPE_CHECKING:
    from harness.expectations import Finding
    from harness.guest.guest import Guest
    from harness.results.result import Ending

_MARGIN = 5.0  # seconds before the installer was started that its records may still belong to
_RECORDS_DEADLINE = 30.0
_RECORDS_CAP = 4_000_000  # characters
_MOST_LOGS = 3  # of the packages that a bundle names


class Keeper(Protocol):
    """Where evidence goes."""

    def keep(self, name: str, content: str | Path, *, kind: str = "text") -> object:
        """Keep a text or a file under a name."""

    def note(self, words: str) -> None:
        """Add a sentence to the cell's notes."""

    def finding(self, finding: Finding) -> None:
        """Add a finding to the cell's."""

    def ended(self, ending: Ending) -> None:
        """Add how a command of the product ended."""


class Telling:
    """Brings what an installer and Windows tell out of a guest, keeps it as evidence, and finds the reason in it."""

    def __init__(self, guest: Guest, evidence: Keeper) -> None:
        self.guest = guest
        self.evidence = evidence

    def log(self, guest_path: str) -> LogReading | None:
        """Bring a log, keep it as it is and as it was read beside it; None, and a note, when it cannot be brought."""
        name = guest_path.rpartition("\\")[2].removeprefix("wincompat-")
        with tempfile.TemporaryDirectory(prefix="wincompat-") as folder:
            brought = Path(folder) / "log"
            try:
                self.guest.fetch(guest_path, brought)
            except DeliveryFailed as error:
                self.evidence.note(f"no {name}: {error.problem}")
                return None
            self.evidence.keep(name, brought, kind="log")
            reading = read_log(brought)
        if reading.unreadable:
            self.evidence.note(f"{name}: {reading.unreadable}")
        else:
            self.evidence.keep(f"{name}.json", json.dumps(reading.as_json(), indent=1, ensure_ascii=False) + "\n")
        return reading

    def records(self, name: str, seconds: float) -> Events | None:
        """Ask for Windows' records of the last ``seconds`` and keep them; None where the guest has no wevtutil.

        A guest that does not answer this question in time loses the records, not the cell.
        """
        if "wevtutil" not in self.guest.facts().has:
            return None
        try:
            asked = self.guest.ask(query(seconds + _MARGIN), deadline=_RECORDS_DEADLINE, cap=_RECORDS_CAP)
        except Hung:  # this is our question, and no fault of the product's
            self.evidence.note(f"no records of Windows: wevtutil did not answer within {_RECORDS_DEADLINE:g} s")
            return None
        if not asked.ok:
            self.evidence.note(f"no records of Windows: {asked.text.strip()[:200] or 'wevtutil failed'}")
            return None
        events = read_events(asked.stdout)
        if events.records or events.damage:
            self.evidence.keep(f"{name}.events.json", json.dumps(events.as_json(), indent=1, ensure_ascii=False) + "\n")
        return events

    def reason(self, reading: LogReading | None, package: Path | None, events: Events | None) -> str:
        """Say in one sentence why it failed, by all that was told; nothing where nothing was."""
        told = reason(reading or LogReading(), package, events)
        if reading is None or reading.kind != "burn" or reading.failed is None:
            return told
        inner = next(filter(None, map(self._of_package, self._logs_of(reading))), "")
        return f"{told}: {inner}" if inner and inner not in told else told

    def _logs_of(self, bundle: LogReading) -> list[str]:
        """Name the logs of a bundle's packages, that of the failed one first and its rollback's last."""
        failed = bundle.failed.name if bundle.failed is not None else ""
        whole = re.compile(rf"(?:^|[_\W\d]){re.escape(failed)}(?:[_\W\d]|$)", re.IGNORECASE)
        named = [log for log in bundle.logs if whole.search(log.rpartition("\\")[2])]
        return sorted(named, key=lambda log: "rollback" in log.casefold())[:_MOST_LOGS]

    def _of_package(self, log: str) -> str:
        reading = self.log(log)
        return reason(reading) if reading is not None else ""
