"""A run as the rows of a history's tables, out of its folder or of a bare journal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from harness.errors import AuthoringError
from harness.results import journal
from harness.results.decided import FILE, Decided
from harness.results.frames import cells_frame, steps_frame
from harness.results.history.schema import RUNS
from harness.results.plan import Plan
from harness.results.provenance import provenance
from harness.results.run import RunFolder
from harness.results.timings import began, timings


@dataclass(frozen=True, slots=True)
class Source:
    """Where a run comes from: its folder, or a journal that lies alone, which knows no plan."""

    run: str
    folder: RunFolder
    journal_file: Path

    @classmethod
    def find(cls, named: str | Path, *, parent: Path) -> list[Source]:
        """Find the runs that a name, a folder, a folder of runs or a journal stands for, oldest first.

        Raises AuthoringError, in one line, when there is none.
        """
        path = Path(named)
        if path.is_file() and path.suffix == ".jsonl" and path.name != "journal.jsonl":
            return [cls(path.stem, RunFolder(path.parent.resolve()), path.resolve())]
        if path.is_dir() and not (path / "journal.jsonl").exists() and not (path / "plan.json").exists():
            below = sorted({file.parent for name in ("plan.json", "journal.jsonl") for file in path.rglob(name)})
            if not below:
                raise AuthoringError(f"{named}: there is no run in this folder")
            return [cls.of(RunFolder(folder.resolve())) for folder in below]
        return [cls.of(RunFolder.find(path, parent=parent))]

    @classmethod
    def of(cls, folder: RunFolder) -> Source:
        """Take a run's folder."""
        return cls(folder.run, folder, folder.journal_file)

    def plan(self) -> Plan | None:
        """Read its plan; None for a journal that lies alone."""
        return self.folder.read_plan()[0] if self.journal_file == self.folder.journal_file else None

    def digest(self) -> str:
        """Give the SHA-256 of what it says, and of what a gate says of it."""
        found = hashlib.sha256()
        for file in (self.folder.plan_file, self.journal_file):
            if file == self.journal_file or self.journal_file == self.folder.journal_file:
                found.update(file.read_bytes() if file.exists() else b"")
                found.update(b"\0")
        if self.journal_file == self.folder.journal_file and (decision := self.folder.path / FILE).is_file():
            found.update(decision.read_bytes())  # a run that a gate judged since it was kept is written anew
        return found.hexdigest()


def rows(source: Source, *, now: datetime | None = None) -> dict[str, pd.DataFrame]:
    """Lay out a run as frames, one for each table; raises AuthoringError when its journal cannot be read."""
    plan, reading = source.plan(), journal.read(source.journal_file)
    at = began(source.folder, plan, reading.results)
    said = provenance(plan, reading.results)
    whole_run = source.journal_file == source.folder.journal_file
    decided = Decided.of_run(source.folder, plan) if whole_run else None
    packages = [one.model_dump() for one in plan.packages] if plan else []
    run = {
        "run": source.run,
        "at": at,
        "matrix": plan.matrix if plan else "",
        "site": plan.site if plan else "",
        "provenance": said.words,
        "is_lab": said.is_lab,
        "command": plan.command if plan else "",
        "planned": len(plan.cells) if plan else 0,
        "whole": (plan.whole or 0) if plan else 0,
        "results": len(reading.results),
        "packages": json.dumps(packages, ensure_ascii=False),
        "left_out": json.dumps(reading.left_out, ensure_ascii=False),
        "digest": source.digest(),
        "written": now or datetime.now(UTC),
        **(decided.columns if decided is not None else {}),
    }
    timed = timings([source.folder]) if whole_run else None
    return {
        "runs": pd.DataFrame({name: _only(run.get(name), dtype) for name, dtype in RUNS.items()}),
        "cells": _marked(cells_frame(plan, reading.results), source.run, at),
        "steps": _marked(steps_frame(reading.results), source.run, at),
        **({} if timed is None else {"timings": timed}),
    }


def sources(named: Sequence[str], *, parent: Path) -> list[Source]:
    """Find all runs that the words stand for, each once; without a word, those below ``parent``."""
    return list(_once(one for word in named or [str(parent)] for one in Source.find(word, parent=parent)))


def _once(found: Iterable[Source]) -> Iterator[Source]:
    seen: set[Path] = set()
    for one in found:
        if one.journal_file not in seen:
            seen.add(one.journal_file)
            yield one


def _only(value: Any, dtype: Any) -> pd.Series:
    # no whole number is missing in numpy's int64
    return pd.Series([value], dtype="Int64" if value is None and dtype == "int64" else dtype)


def _marked(frame: pd.DataFrame, run: str, at: datetime) -> pd.DataFrame:
    frame.insert(0, "run", pd.Series([run] * len(frame), dtype="string", index=frame.index))
    frame.insert(1, "at", pd.Series([at] * len(frame), dtype=RUNS["at"], index=frame.index))
    return frame
