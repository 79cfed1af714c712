"""From a run's folder and files of a release to the evidence that the gate judges."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from harness.errors import AuthoringError
from harness.gate.evidence import Artifact, Evidence, Slower
from harness.gate.policy import Policy
from harness.results import journal
from harness.results.plan import Plan
from harness.results.result import Result
from harness.results.run import RunFolder


def gather(folder: RunFolder, policy: Policy, artifacts: Sequence[Path] = (), *, history: str = "") -> Evidence:
    """Read a run and hash what is being released; ``history`` is the URL of earlier runs to compare its times with.

    Raises AuthoringError when the journal, the history or a file of the release cannot be read at all; what can be read
    in part is evidence of being damaged.
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
        slower=None if policy.regressions.act == "ignore" else _slower(folder, plan, reading.results, history),
        artifacts=tuple(_artifacts([*policy.artifacts, *artifacts], policy.sha256)),
    )


def _lost_files(folder: RunFolder, results: Sequence[Result]) -> dict[str, tuple[str, ...]]:
    lost = {
        result.cell: tuple(one.name for one in result.evidence if folder.evidence_file(one) is None)
        for result in results
    }
    return {cell: names for cell, names in lost.items() if names}


def _slower(folder: RunFolder, plan: Plan | None, results: Sequence[Result], history: str) -> tuple[Slower, ...] | None:
    """Compare the run with those before it, in the same folder and in the history; None where there are too few.

    None, too, where there is nothing to do it with. pandas and scipy are imported only when there is something to
    compare.
    """
    from harness.results.changes import Rules

    earlier = sorted(one for one in folder.path.parent.iterdir() if (one / "journal.jsonl").is_file())
    earlier = [one for one in earlier if one.name <= folder.run]  # their names sort by time
    if len(earlier) < Rules().samples and not history:
        return None
    from harness.results.regressions import courses, in_words
    from harness.results.timings import timings

    try:
        times = timings(RunFolder(one) for one in earlier)
    except AuthoringError:
        return None  # an old journal that cannot be read: nobody can tell
    if history and plan is not None:
        from harness.results.history.opening import opened

        kept = opened(history)
        from harness.results.history.before import Before, with_times_before

        times = with_times_before(kept, times, Before.of(folder, plan))
    try:
        found = courses(times)
    except AuthoringError:
        return None  # no library for it: nobody can tell
    if all(course.verdict == "too few samples" for course in found):
        return None
    return tuple(
        Slower(sentence, tuple(cells))
        for course in found
        if course.verdict == "slower"
        for sentence in in_words([course])
        if (cells := _with_step(results, course.build, course.product, course.step))
    )


def _with_step(results: Sequence[Result], build: str, product: str, step: str) -> list[str]:
    return [
        result.cell
        for result in results
        if (result.build, result.product) == (build, product) and any(one.name == step for one in result.steps)
    ]


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
