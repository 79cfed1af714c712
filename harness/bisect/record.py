"""What a bisection has learned so far, in its folder: written after each cell, so that stopping it loses nothing."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.bisect.asked import Asked
from harness.bisect.candidates import Row
from harness.bisect.search import TRIES, Seen, Told
from harness.errors import AuthoringError
from harness.mistakes import one_line
from harness.results.alike import plain
from harness.results.result import Fault, Result, Verdict
from harness.results.run import write_whole

SCHEMA = 1
FILE = "bisect.json"


class Probe(BaseModel):
    """One cell that was run for a candidate, and what it told; ``run`` is its folder below the bisection's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidate: str
    verdict: Verdict
    fault: Fault = Fault.NOBODY
    reason: str = ""
    fingerprint: str = ""
    machine: str = ""
    seconds: float = 0.0
    run: str = ""

    @classmethod
    def of(cls, candidate: str, result: Result, run: str) -> Probe:
        """Take what counts out of a cell's result."""
        failed = result.fault is Fault.PRODUCT
        return cls(
            candidate=candidate,
            verdict=result.verdict,
            fault=result.fault,
            reason=one_line(result.reason),
            fingerprint=(result.fingerprint or plain(result.reason, result)) if failed else "",
            machine=result.machine,
            seconds=round(result.seconds, 3),
            run=run,
        )

    @property
    def failed(self) -> bool:
        """Whether the product did not do what the scenario proves."""
        return self.verdict in (Verdict.FAILED, Verdict.HUNG) and self.fault is Fault.PRODUCT


class Record(BaseModel):
    """A bisection as its ``bisect.json`` holds it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_: int = Field(SCHEMA, alias="schema")
    asked: Asked
    folder: Path  # where it was started: pytest is run from there
    started: datetime
    candidates: tuple[str, ...]
    probes: tuple[Probe, ...] = ()


def meaning(probes: Sequence[Probe]) -> list[Seen]:
    """Tell what each cell said of its candidate.

    The first failure is what is searched for. Another one is no answer: whatever it comes from may hide the first.
    """
    searched = next((probe.fingerprint for probe in probes if probe.failed), "")
    return [
        Seen.GOOD
        if probe.verdict is Verdict.PASSED
        else Seen.BAD
        if probe.failed and probe.fingerprint == searched
        else Seen.NOTHING
        for probe in probes
    ]


def told(row: Row, probes: Sequence[Probe]) -> list[Told]:
    """Give what is known of the row's candidates, by position; one that the matrix skips is known to tell nothing."""
    positions = {one.label: index for index, one in enumerate(row.candidates)}
    skipped = [(index, Seen.NOTHING) for index, one in enumerate(row.candidates) if one.skip for _ in range(TRIES)]
    said = zip(probes, meaning(probes), strict=True)
    return skipped + [(positions[probe.candidate], seen) for probe, seen in said]


@dataclass(slots=True)
class BisectFolder:
    """The folder of a bisection: its record and the runs of its cells."""

    path: Path
    record: Record

    @classmethod
    def create(cls, parent: Path, asked: Asked, row: Row) -> BisectFolder:
        """Make a folder below ``parent`` whose name sorts by time (UTC); raises AuthoringError when it cannot."""
        now = datetime.now(UTC)
        path = (parent / f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}").absolute()
        try:
            path.mkdir(parents=True)
        except OSError as error:
            raise AuthoringError(f"{parent}: cannot keep bisections here: {error.strerror}") from error
        labels = tuple(one.label for one in row.candidates)
        folder = cls(path, Record(asked=asked, folder=Path.cwd(), started=now, candidates=labels, schema=SCHEMA))
        folder._write()
        return folder

    @classmethod
    def open(cls, path: Path) -> BisectFolder:
        """Open the folder of a bisection, or its bisect.json; raises AuthoringError, in one line."""
        file = path if path.name == FILE else path / FILE
        try:
            written = json.loads(file.read_bytes())
            if isinstance(written, dict) and isinstance(schema := written.get("schema"), int) and schema > SCHEMA:
                raise AuthoringError(
                    f"{file}: written by a newer version (schema {schema}, this one reads {SCHEMA}); update"
                )
            return cls(file.parent.absolute(), Record.model_validate(written))
        except OSError as error:
            raise AuthoringError(f"{path}: not a bisection: no {FILE} can be read there") from error
        except (ValueError, ValidationError) as error:
            raise AuthoringError(f"{file}: is not what wincompat bisect wrote") from error

    def add(self, probe: Probe) -> None:
        """Keep what a cell told, on the disk before the next one begins."""
        self.record = self.record.model_copy(update={"probes": (*self.record.probes, probe)})
        self._write()

    def ask(self, **anew: float) -> None:
        """Change what is enough for an answer."""
        asked = self.record.asked.model_copy(update=anew)
        self.record = self.record.model_copy(update={"asked": asked})
        self._write()

    def _write(self) -> None:
        write_whole(self.path / FILE, self.record.model_dump_json(indent=1, by_alias=True) + "\n")
