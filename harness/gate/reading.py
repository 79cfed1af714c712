"""From a run's folder and files of a release to the evidence that the gate judges."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from harness.errors import AuthoringError
from harness.gate.evidence import Artifact, Evidence, Slower
from harness.gate.policy import Policy
from harness.results import journal
from harness.results.result import Result
from harness.results.run import RunFolder


def gather(folder: RunFolder, policy: Policy, artifacts: Sequence[Path] = ()) -> Evidence:
    """Read a run and hash what is being released.

    Raises AuthoringError when the journal or a file of the release cannot be read at all; what can be read in part is
    evidence of being damaged.
    """
    plan, lost = folder.read_plan()
    reading = journal.read(folder.journal_file)
    damaged = list(reading.left_out) if reading.damaged or not folder.journal_file.exists() else []
    if lost and folder.plan_file.exists():
        damaged.append(lost)
    return Evidence(
        run=folder.run,
        plan=plan,
        results=(*reading.results, *reading.earlier),
        damaged=tuple(damaged),
        lost_files=_lost_files(folder, reading.results) if policy.evidence_files else {},
        slower=_slower(folder),
        artifacts=tuple(_artifacts([*policy.artifacts, *artifacts], policy.sha256)),
    )


def _lost_files(folder: RunFolder, results: Sequence[Result]) -> dict[str, tuple[str, ...]]:
    lost = {
        result.cell: tuple(one.name for one in result.evidence if folder.evidence_file(one) is None)
        for result in results
    }
    return {cell: names for cell, names in lost.items() if names}


def _slower(folder: RunFolder) -> tuple[Slower, ...] | None:
    del folder
    return None


def _artifacts(files: Sequence[Path], hashes: Sequence[str]) -> list[Artifact]:
    found = [Artifact(name="the policy's sha256", sha256=one) for one in hashes]
    for file in files:
        try:
            with file.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise AuthoringError(f"{file}: cannot read what is being released: {error.strerror}") from error
        found.append(Artifact(name=file.name, sha256=digest))
    return found
