"""The journal is the truth of a run, and frames say what it adds up to."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.errors import AuthoringError
from harness.results.frames import CELLS, STEPS, cells_frame, steps_frame
from harness.results.journal import Journal, read
from harness.results.plan import Plan, PlannedCell
from harness.results.result import Fault, Result, Step, Verdict
from harness.results.run import RunFolder


def _result(cell: str = "win11-23h2::ninja-msi::install", **more: object) -> Result:
    words = {"build": "22631", "product": "ninja-msi", "kind": "msi", "scenario": "install", "verdict": Verdict.PASSED}
    return Result.model_validate({"cell": cell, **words, **more})


def _plan(*cells: str, skip: str | None = None) -> Plan:
    planned = tuple(
        PlannedCell(
            cell=cell,
            build="22631",
            build_name="Windows 11 23H2",
            product="ninja-msi",
            kind="msi",
            scenario="install",
            skip=skip,
        )
        for cell in cells
    )
    return Plan.model_validate(
        {
            "run": "r",
            "matrix": "demo",
            "site": "lab",
            "is_lab": True,
            "started": datetime(2026, 11, 22, tzinfo=UTC),
            "command": "pytest matrices/demo.toml",
            "cells": planned,
        }
    )


def test_a_result_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """Nothing of a result is lost on the way to the disk and back, whatever the guest printed."""
    result = _result(
        verdict=Verdict.FAILED,
        fault=Fault.PRODUCT,
        reason="it said \u202e\x00 <script>",
        steps=(Step(name="install", started=0.5, seconds=1.25, error="ProductFailed: no"),),
        started=datetime(2026, 11, 22, 4, 5, tzinfo=UTC),
    )
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append(result)
    assert read(journal.path).results == (result,)
    assert read(journal.path).left_out == ()


def test_a_torn_last_line_is_left_out_and_said(tmp_path: Path) -> None:
    """A crash in the middle of writing costs the cell that was being written, and no other; the next one is whole."""
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append(_result("a"))
    journal.append(_result("b"))
    journal.path.write_bytes(journal.path.read_bytes()[:-20])
    found = read(journal.path)
    assert [result.cell for result in found.results] == ["a"]
    assert found.left_out == ("Line 3 of the journal was cut off in the middle of writing and is left out.",)
    journal.append(_result("c"))
    assert [result.cell for result in read(journal.path).results] == ["a", "c"]


def test_foreign_lines_are_left_out_and_the_last_of_two_results_counts(tmp_path: Path) -> None:
    """A journal edited by hand or written twice is read as far as it goes, and what was passed over is said."""
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append(_result("a"))
    with journal.path.open("a") as file:
        file.write('{"who": "knows"}\n')
    journal.append(_result("a", verdict=Verdict.HUNG))
    found = read(journal.path)
    assert [(result.cell, result.verdict) for result in found.results] == [("a", Verdict.HUNG)]
    assert len(found.left_out) == 2


def test_a_journal_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """What cannot be understood is not guessed at."""
    path = tmp_path / "journal.jsonl"
    path.write_text(json.dumps({"journal": "pytest-wincompat", "schema": 99}) + "\n")
    with pytest.raises(AuthoringError, match="newer version"):
        read(path)


def test_frames_have_their_declared_shape_with_and_without_rows() -> None:
    """A frame of no rows has the same columns and types, so that whatever reads it need not ask."""
    for cells, steps in (
        (cells_frame(None, ()), steps_frame(())),
        (cells_frame(_plan("a", "b"), [_result("a", steps=(Step(name="s", started=0, seconds=1),))]),
         steps_frame([_result("a", steps=(Step(name="s", started=0, seconds=1),))])),
    ):  # fmt: skip
        assert list(cells.columns) == list(CELLS)
        assert list(steps.columns) == list(STEPS)
        assert {name: str(dtype) for name, dtype in steps.dtypes.items()} == {n: str(d) for n, d in STEPS.items()}
    assert cells_frame(None, ()).dtypes.equals(cells_frame(_plan("a"), [_result("a")]).dtypes)


def test_a_planned_cell_without_a_result_is_not_run() -> None:
    """Silence is never taken for success: what left no result says so, and what was skipped on purpose says why."""
    frame = cells_frame(_plan("a", "b"), [_result("a")]).set_index("cell")
    assert frame["verdict"].to_dict() == {"a": "passed", "b": "not run"}
    skipped = cells_frame(_plan("a", skip="later"), ()).iloc[0]
    assert (skipped["verdict"], skipped["reason"]) == ("skipped", "later")


def test_evidence_stays_in_its_folder_whatever_it_is_called(tmp_path: Path) -> None:
    """A cell or a file with a hostile name cannot write beside the run, on any system."""
    folder = RunFolder.create(tmp_path)
    for name in ("../../../etc/passwd", "C:\\x", "con", "a" * 400, "x\x00y", ""):
        kept = folder.keep(f"cell/{name}", name, b"text", kind="text")
        file = (folder.path / kept.path).resolve()
        assert file.is_relative_to((folder.path / "evidence").resolve())
        assert file.read_bytes() == b"text"
