"""A run's folder: the plan, the journal, the evidence and the report, below ``build/runs``."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from pydantic import ValidationError

from harness.errors import AuthoringError
from harness.results.names import file_name
from harness.results.plan import Plan
from harness.results.result import Evidence

LATEST = "latest"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One execution of a plan, on disk. Several processes may hold the same folder."""

    path: Path

    @classmethod
    def create(cls, parent: Path, *, now: datetime | None = None) -> RunFolder:
        """Make a new folder below ``parent`` whose name sorts by time (UTC), and point ``latest`` at it.

        Raises AuthoringError when the folder cannot be made.
        """
        moment = (now or datetime.now(UTC)).astimezone(UTC)
        path = parent / f"{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03}Z-{secrets.token_hex(2)}"
        try:
            (path / "evidence").mkdir(parents=True)
            # a file, not a symbolic link: Windows and many shares do not let everyone make links
            write_whole(parent / LATEST, path.name + "\n")
        except OSError as error:
            raise AuthoringError(f"{parent}: cannot keep runs here: {error.strerror}") from error
        return cls(path.resolve())

    @classmethod
    def find(cls, run: str | Path, *, parent: Path = Path("build/runs")) -> RunFolder:
        """Open a run by its folder, its journal or plan, its name below ``parent``, or ``latest``.

        Raises AuthoringError, in one line, when there is no such run, or none that may be looked at.
        """
        try:
            return cls._found(Path(run), parent)
        except OSError as error:
            raise AuthoringError(f"{run}: cannot be looked at: {error.strerror}") from error

    @classmethod
    def _found(cls, named: Path, parent: Path) -> RunFolder:
        if str(named) == LATEST and not named.exists():
            try:
                named = parent / (parent / LATEST).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError):
                raise AuthoringError(f"{parent}: no run yet; start one with pytest and a matrix") from None
        path = named.parent if named.is_file() and named.name != LATEST else named
        if not path.is_dir() and (parent / named).is_dir():
            path = parent / named
        if not path.is_dir():
            raise AuthoringError(f"{named}: no such run; name a run's folder, its journal.jsonl, or latest")
        if not (path / "journal.jsonl").exists() and not (path / "plan.json").exists():
            raise AuthoringError(f"{path}: not a run: it has neither a journal.jsonl nor a plan.json")
        return cls(path.resolve())

    @property
    def run(self) -> str:
        """The run's name."""
        return self.path.name

    @property
    def plan_file(self) -> Path:
        """What was planned."""
        return self.path / "plan.json"

    @property
    def journal_file(self) -> Path:
        """What became of it, one line a cell."""
        return self.path / "journal.jsonl"

    @property
    def report_file(self) -> Path:
        """Where the report goes unless told otherwise."""
        return self.path / "report.html"

    def write_plan(self, plan: Plan) -> None:
        """Keep the plan; may be called again when more becomes known."""
        write_whole(self.plan_file, plan.model_dump_json(indent=1) + "\n")

    def read_plan(self) -> tuple[Plan | None, str]:
        """Return the plan and an empty sentence, or None and a sentence that says why there is none."""
        lost = "so cells that were planned and not run cannot be known"
        try:
            return Plan.model_validate_json(self.plan_file.read_bytes()), ""
        except FileNotFoundError:
            return None, f"The plan (plan.json) is missing, {lost}."
        except (OSError, ValidationError):
            return None, f"The plan (plan.json) cannot be read, {lost}."

    def keep(self, cell: str, name: str, content: bytes | str | Path, *, kind: str) -> Evidence:
        """Write one thing taken as evidence of a cell; a second one of the same name gets a number.

        ``kind`` is one of ``log``, ``text``, ``screenshot``, ``facts``. Text is kept as UTF-8, a file as it is.
        """
        if isinstance(content, Path):
            with content.open("rb") as source:  # a log may be too large for the memory
                return self._keep(cell, name, source, kind)
        written = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
        return self._keep(cell, name, BytesIO(written), kind)

    def _keep(self, cell: str, name: str, source: BinaryIO, kind: str) -> Evidence:
        folder = self.path / "evidence" / file_name(cell)
        folder.mkdir(parents=True, exist_ok=True)
        wanted = file_name(name)
        stem, dot, extension = wanted.rpartition(".")
        for number in range(1, 10_000):
            numbered = f"{stem}-{number}.{extension}" if dot else f"{wanted}-{number}"
            target = folder / (wanted if number == 1 else numbered)
            try:
                with target.open("xb") as file:
                    shutil.copyfileobj(source, file)
            except FileExistsError:
                continue
            return Evidence(name=name, kind=kind, path=str(PurePosixPath("evidence", folder.name, target.name)))
        raise AuthoringError(f"{folder}: ten thousand things named {wanted}; give each a name of its own")

    def evidence_file(self, evidence: Evidence) -> Path | None:
        """Find the file of a piece of evidence; None when it is gone or lies outside of the folder."""
        try:
            named = self.path / evidence.path
            if not named.is_file():  # asked first: to follow every part of a path takes several times as long
                return None
            target = named.resolve()
            return target if target.is_relative_to(self.path.resolve()) else None
        except (OSError, ValueError):  # a journal is read from disk: its paths may be anything
            return None


def write_whole(target: Path, text: str) -> None:
    """Write a file whole or not at all: readers see the old one or the new one, never a part; raises OSError."""
    if not target.name:  # ".", which is also what an empty word makes: an option whose variable is not set
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    part = target.with_name(f".{target.name}-{secrets.token_hex(4)}.part")
    try:
        with part.open("x", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
