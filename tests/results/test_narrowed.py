"""A run that was asked for a part of its matrix is known as one, and nobody takes it for the whole."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import wincompat
from harness.results.frames import cells_frame
from harness.results.journal import read
from harness.results.merge import merge
from harness.results.narrowed import Narrowed
from harness.results.run import RunFolder
from harness.results.tally import decide
from tests.results.made_runs import DAY, failed, result, run

BUILDS = (19044, 19045, 22000, 22621, 22631)


@pytest.mark.parametrize(
    ("asked", "whole", "command", "words"),
    [
        (12, 55, "pytest m.toml -k install", "narrowed to 12 of the 55 cells of its matrix (-k install)"),
        (1, 55, "pytest m.toml", "narrowed to 1 of the 55 cells of its matrix"),
        (4, None, "pytest m.toml --lf", "narrowed to 4 cells of its matrix (--lf)"),
        (4, None, "pytest m.toml --build 19044 -mslow", "narrowed to 4 cells of its matrix (--build 19044, -m slow)"),
        (1, None, "pytest 'm.toml::win11-23h2::go::install'", "narrowed to 1 cell of its matrix (cells by name)"),
        (55, 55, "pytest m.toml --product-version go=1.2", "about other versions than its matrix's newest "),
    ],
)
def test_a_part_is_told_by_its_number_and_by_what_narrowed_it(
    asked: int, whole: int | None, command: str, words: str
) -> None:
    """How many of how many, and the options that left the rest out; an older plan's command is all that it knows."""
    narrowed = Narrowed.told(asked, whole, command)
    assert narrowed is not None
    assert narrowed.words.startswith(words)
    assert narrowed.left_out == (whole - asked if whole else 0)


@pytest.mark.parametrize(
    ("asked", "whole", "command"),
    [
        (55, 55, "pytest m.toml -k 'install or upgrade or denied'"),  # it left nothing out
        (55, None, "pytest m.toml -n 2 --site ours.toml"),
        (55, None, "pytest m.toml --build 19044; pytest m.toml --build 22631"),  # two shards, merged
        (55, None, "pytest 'm.toml"),
        (0, None, ""),
    ],
)
def test_a_whole_run_is_no_part(asked: int, whole: int | None, command: str) -> None:
    """Nor is one whose options left nothing out, nor one of which nobody can tell."""
    assert Narrowed.told(asked, whole, command) is None


def test_a_part_in_which_all_is_well_does_not_ship(tmp_path: Path) -> None:
    """The same cells ship where they are all of the matrix, and decide nothing where they are not."""
    words = []
    for whole in (2, 3):
        plan, _ = run(tmp_path, result(19044), result(22631), whole=whole).read_plan()
        cells = cells_frame(plan, [result(19044), result(22631)])
        words.append(decide(cells, plan, is_lab=False, today=DAY.date()).word)
    assert words == ["SHIP", "AS EXPECTED"]


def test_shards_of_a_matrix_are_a_whole_run_together(tmp_path: Path) -> None:
    """Each is a part; what they add up to is one only where a cell is still missing."""
    shards = [
        run(tmp_path / "shards", result(build), whole=3, command=f"pytest m.toml --build {build}")
        for build in (19044, 22000, 22631)
    ]
    assert all(Narrowed.of(shard.read_plan()[0]) for shard in shards)
    whole = merge(shards, into=tmp_path / "runs").folder.read_plan()[0]
    assert Narrowed.of(whole) is None
    part = Narrowed.of(merge(shards[:2], into=tmp_path / "runs").folder.read_plan()[0])
    assert part is not None
    assert (part.asked, part.whole) == (2, 3)


def test_a_part_moves_no_pass_rate(tmp_path: Path) -> None:
    """`wincompat trend` lists it with what narrowed it; the rate is that of the whole runs, from folder or history."""
    history = tmp_path / "history"
    for day in range(3):
        at = DAY + timedelta(days=day)
        run(tmp_path / "runs", *(result(build, started=at) for build in BUILDS), started=at, whole=5)
    at = DAY + timedelta(days=3)
    run(tmp_path / "runs", failed(22631, started=at), started=at, whole=5, command="pytest m.toml --lf")
    asked = CliRunner()
    assert asked.invoke(wincompat, ["history", "add", str(tmp_path / "runs"), "--at", str(history)]).exit_code == 0
    for words in ([str(tmp_path / "runs")], ["--history", str(history)]):
        said = asked.invoke(wincompat, ["trend", *words]).output
        assert "100% now, 100% to 100%" in said
        assert "0 of 1" in said
        assert "narrowed to 1 of the 5 cells of its matrix (--lf)" in said
        assert "1 run of a part of the matrix: not in pass rate and time above" in said


def test_an_older_plan_is_read_as_it_was(tmp_path: Path) -> None:
    """Where nobody counted the matrix's cells, a run without such options is a whole one."""
    folder: RunFolder = run(tmp_path, result(22631))
    assert '"whole":null' in folder.plan_file.read_text("utf-8").replace(" ", "")
    assert Narrowed.of(folder.read_plan()[0]) is None
    assert len(read(folder.journal_file).results) == 1
