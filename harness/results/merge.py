"""The shards of one run, as several CI jobs leave them, made into one run's folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import AuthoringError
from harness.matrix import Matrix
from harness.results import journal
from harness.results.plan import Plan, PlannedCell, PlannedPackage
from harness.results.result import Result, Verdict
from harness.results.run import RunFolder
from harness.results.words import count, listed

_UNTOLD = {Verdict.NOT_RUN, Verdict.SKIPPED}


@dataclass(frozen=True, slots=True)
class Merged:
    """The folder that shards became, and in sentences what was not as one would expect."""

    folder: RunFolder
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Shard:
    folder: RunFolder
    plan: Plan | None
    reading: journal.Reading


def merge(shards: Sequence[RunFolder], *, into: Path, matrix: Matrix | None = None) -> Merged:
    """Make one run below ``into`` out of shards, with their results and their evidence.

    With the ``matrix``, cells that no shard has planned are planned, too, and so not run: a job that never started is
    seen. Of several results of one cell the latest counts, but for one that is not run or skipped; the others stay in
    the journal. Raises AuthoringError when the shards are not parts of one run: other matrices, other packages.
    """
    read = [_Shard(one, one.read_plan()[0], journal.read(one.journal_file)) for one in _once(shards)]
    if not read:
        raise AuthoringError("nothing to merge: name the folders of the shards' runs")
    plans = [shard.plan for shard in read if shard.plan is not None]
    said = [
        f"{shard.folder.path}: has no plan, so what it left undone is not known" for shard in read if not shard.plan
    ]
    said += [f"{shard.folder.path}: {words}" for shard in read for words in shard.reading.left_out]
    plan = _one_plan(plans, matrix, said)
    folder = RunFolder.create(into, now=plan.started)
    folder.write_plan(plan.model_copy(update={"run": folder.run}))
    results = sorted(((result, shard) for shard in read for result in _results(shard)), key=lambda it: _rank(it[0]))
    said += _twice([(result.cell, shard) for result, shard in results if result.verdict not in _UNTOLD])
    moved = (_with_evidence(result, shard.folder, folder) for result, shard in results)
    journal.Journal(folder.journal_file).extend(moved)
    return Merged(folder, tuple(said))


def _results(shard: _Shard) -> Iterator[Result]:
    yield from shard.reading.earlier
    yield from shard.reading.results


def _rank(result: Result) -> tuple[bool, datetime]:
    """Sort a cell's results: what counts comes last, as in a journal that one run wrote."""
    started = result.started or datetime.min.replace(tzinfo=UTC)
    return result.verdict not in _UNTOLD, started if started.tzinfo else started.replace(tzinfo=UTC)


def _one_plan(plans: Sequence[Plan], matrix: Matrix | None, said: list[str]) -> Plan:
    names = list(dict.fromkeys(plan.matrix for plan in plans))
    if len(names) > 1:
        raise AuthoringError(f"the shards are of different matrices: {listed(names)}; merge those of one")
    if matrix is not None and names and matrix.name != names[0]:
        raise AuthoringError(f"the shards are of the matrix {names[0]!r}, not {matrix.name!r}")
    cells = {cell.cell: cell for plan in plans for cell in plan.cells}
    if matrix is not None:
        unseen = [cell for cell in _cells(matrix) if cell.cell not in cells]
        if running := [cell for cell in unseen if cell.skip is None]:
            said.append(f"no shard planned {count(len(running), 'cell')} of the matrix: they count as not run")
        cells |= {cell.cell: cell for cell in unseen}
    started = [plan.started for plan in plans if plan.started is not None]
    return Plan(
        run="",
        matrix=names[0] if names else matrix.name if matrix else "",
        site=", ".join(dict.fromkeys(plan.site for plan in plans if plan.site)),
        site_file=plans[0].site_file if plans else "",
        provenance="; ".join(dict.fromkeys(plan.provenance for plan in plans if plan.provenance)),
        is_lab=any(plan.is_lab for plan in plans),
        started=min(started) if started else None,
        command="; ".join(dict.fromkeys(plan.command for plan in plans if plan.command)),
        cells=tuple(cells.values()),
        whole=_whole(plans, matrix, len(cells)),
        known_issues=tuple({issue.id: issue for plan in plans for issue in plan.known_issues}.values()),
        triage=tuple({note.fingerprint: note for plan in plans for note in plan.triage}.values()),
        triage_files=tuple(dict.fromkeys(file for plan in plans for file in plan.triage_files)),
        packages=tuple(_packages(plans)),
    )


def _whole(plans: Sequence[Plan], matrix: Matrix | None, planned: int) -> int | None:
    """Count the matrix's cells: by itself, else as the shards did; None where not every one of them did."""
    if matrix is not None:
        return planned  # all of it is planned, and what a shard has beyond it
    counted = [plan.whole for plan in plans]
    return max((one for one in counted if one is not None), default=None) if None not in counted else None


def _packages(plans: Iterable[Plan]) -> list[PlannedPackage]:
    found: dict[tuple[str, str, str], PlannedPackage] = {}
    for one in (package for plan in plans for package in plan.packages):
        same = found.setdefault((one.product, one.version, one.file), one)
        if same.sha256 != one.sha256:
            raise AuthoringError(
                f"the shards ran different packages of {one.product} {one.version}: {same.sha256[:12]}... and "
                f"{one.sha256[:12]}...; run them again with the same files"
            )
    return list(found.values())


def _cells(matrix: Matrix) -> Iterator[PlannedCell]:
    for cell in matrix.cells():
        yield PlannedCell.of(cell, matrix, name=cell.id, node=f"{matrix.path}::{cell.id}")


def _twice(ran: Sequence[tuple[str, _Shard]]) -> list[str]:
    folders: dict[str, list[str]] = {}
    for cell, shard in ran:
        if shard.folder.run not in folders.setdefault(cell, []):
            folders[cell].append(shard.folder.run)
    twice = [cell for cell, runs in folders.items() if len(runs) > 1]
    if not twice:
        return []
    return [f"{listed(twice, 3)} ran in more than one shard; of each cell the latest result counts"]


def _with_evidence(result: Result, shard: RunFolder, folder: RunFolder) -> Result:
    copied = []
    for one in result.evidence:
        file = shard.evidence_file(one)
        copied.append(one if file is None else folder.keep(result.cell, one.name, file, kind=one.kind))
    return result.model_copy(update={"evidence": tuple(copied)})


def _once(shards: Iterable[RunFolder]) -> list[RunFolder]:
    return list({shard.path: shard for shard in shards}.values())
