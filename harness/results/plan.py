"""What a run set out to prove: written before the first cell, so that a cell that left no result is still known."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from harness.matrix import Cell, Matrix


class _Written(BaseModel):
    # a plan written by a newer version may say more: what is not known here is passed over, never a reason to refuse
    model_config = ConfigDict(frozen=True, extra="ignore")


class PlannedCell(_Written):
    """One cell as it was planned; ``cell`` is unique in the run, ``node`` is the pytest id that repeats it."""

    cell: str
    build: str
    build_name: str = ""
    product: str
    kind: str
    scenario: str
    leg: str = ""
    skip: str | None = None
    node: str = ""
    issues: tuple[str, ...] | None = None  # ids of the known issues whose scope holds it; None where nobody said

    @classmethod
    def of(cls, cell: Cell, matrix: Matrix, *, name: str, node: str) -> PlannedCell:
        """Plan a cell of a matrix; ``name`` is what the run calls it."""
        return cls(
            cell=name,
            build=str(cell.build),
            build_name=cell.build.name,
            product=cell.product,
            kind=cell.kind,
            scenario=cell.scenario,
            leg=cell.leg,
            skip=cell.skip,
            node=node,
            issues=tuple(issue.id for issue in matrix.known_issues if issue.holds(cell)),
        )


class PlannedIssue(_Written):
    """A known issue of the matrix: what is accepted, why, under which ticket and until when."""

    id: str
    ticket: str = ""
    reason: str = ""
    expires: date | None = None
    where: str | None = None  # "lab" or "site" where it is to be expected there alone
    owner: str = ""
    cells: int | None = None  # how many cells of the matrix are in its scope and not skipped; None where nobody said


class PlannedNote(_Written):
    """What somebody wrote of a failure that was seen before, by its fingerprint."""

    fingerprint: str
    note: str = ""
    owner: str = ""
    ticket: str = ""

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.note, self.ticket, f"owner {self.owner}" if self.owner else "")))


class PlannedPackage(_Written):
    """A package that the cells of a product run, by its hash; ``newest`` for the version that the run is about."""

    product: str
    version: str
    file: str = ""
    sha256: str
    newest: bool = False


class Plan(_Written):
    """The facts of a run and its planned cells, in the matrix's order."""

    run: str
    matrix: str = ""
    site: str = ""
    site_file: str = ""
    provenance: str = ""
    is_lab: bool = False
    started: datetime | None = None
    command: str = ""
    cells: tuple[PlannedCell, ...] = ()
    whole: int | None = None  # cells of its matrices, also those that the run was not asked for; None: nobody counted
    known_issues: tuple[PlannedIssue, ...] = ()
    triage: tuple[PlannedNote, ...] = ()
    triage_files: tuple[str, ...] = ()  # where notes are read from, and where new ones belong
    packages: tuple[PlannedPackage, ...] = ()

    def note_of(self, fingerprint: str) -> PlannedNote | None:
        """Find what was written of a failure; a stub that says nothing yet is nothing."""
        return next((one for one in self.triage if one.fingerprint == fingerprint and str(one)), None)
