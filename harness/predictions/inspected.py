"""What was said of the packages of a run before they were run, as a file in the run's folder."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

FILE_NAME = "preflight.json"


class _Written(BaseModel):
    # a file of a newer version may say more
    model_config = ConfigDict(frozen=True, extra="ignore")


class Predicted(_Written):
    """One prediction, as it was written down."""

    scenario: str
    outcome: str
    builds: tuple[int, ...] | None = None
    surely: bool = False
    when: str = ""

    def is_of(self, scenario: str, build: int) -> bool:
        """Whether it speaks of a scenario on a build."""
        return self.scenario == scenario and (self.builds is None or build in self.builds)


class Said(_Written):
    """One finding about a package, as it was written down."""

    code: str
    severity: str
    sentence: str
    subject: str = ""
    predicts: tuple[Predicted, ...] = ()


class Inspected(_Written):
    """One package as it was read, as the upgrade of a ``previous`` one or alone ("").

    ``trouble`` says in a sentence why there is nothing to say of it; it is never a traceback.
    """

    product: str
    version: str
    previous: str = ""
    file: str = ""
    sha256: str = ""
    kind: str = ""
    findings: tuple[Said, ...] = ()
    trouble: str = ""


class Preflight(_Written):
    """Every package of a run that was read, by a key, and the key for each cell."""

    packages: dict[str, Inspected] = {}
    cells: dict[str, str] = {}

    def of(self, cell: str) -> Inspected | None:
        """Find what was said of the package of a cell."""
        return self.packages.get(self.cells.get(cell, ""))

    @classmethod
    def read(cls, folder: Path) -> Preflight:
        """Read a run's; an empty one where there is none, or none that can be read."""
        try:
            return cls.model_validate_json((folder / FILE_NAME).read_bytes())
        except (OSError, ValidationError):
            return cls()
