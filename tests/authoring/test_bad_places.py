"""Whatever place a person names to a subcommand, the answer is a few words and an exit code, never a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from harness.cli import wincompat
from tests.watch.runs import planned

PLACES = (
    "missing.toml", "a-folder", "broken.toml", "not-text.toml", "no-list.toml", "x" * 300, "no/such/place.toml",
    "round-and-round.toml", "",
)  # fmt: skip
"""What is named: not there, of another kind, no TOML, no text, of another shape, longer than names can be, a link to
itself, and nothing at all, as by a variable of a shell that is not set."""


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Find every subcommand, but for those of the lab, which take no places."""
    if isinstance(command, click.Group):
        if command.invoke_without_command:
            yield path, command
        for name in command.list_commands(ctx := click.Context(command)):
            below = command.get_command(ctx, name)
            assert below is not None
            if name != "lab":
                yield from commands(below, (*path, name))
    else:
        yield path, command


def typed(path: tuple[str, ...], command: click.Command, place: str) -> Iterator[list[str]]:
    """Name the place wherever the command takes one: to each of its options in turn, and in all of its arguments."""
    arguments = [place for one in command.params if isinstance(one, click.Argument)]
    yield [*path, *arguments]
    for one in command.params:
        if isinstance(one, click.Option) and isinstance(one.type, click.Path):
            yield [*path, one.opts[-1], place, *arguments]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with places that cannot serve."""
    (tmp_path / "a-folder").mkdir()
    (tmp_path / "broken.toml").write_text("name = [[[\n", "utf-8")
    (tmp_path / "not-text.toml").write_bytes(bytes(range(128, 256)) * 40)
    (tmp_path / "no-list.toml").write_text(
        "name = 5\nmachines = {}\nbuilds = 'x'\nversions = 1\nvcenter = 3\n", "utf-8"
    )
    (tmp_path / "round-and-round.toml").symlink_to("round-and-round.toml")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place[:14] or "nothing")
def test_a_place_that_cannot_serve_is_answered_in_words(here: Path, place: str) -> None:
    """Every subcommand, every argument and every option that takes a place; a new one is tried by itself."""
    tried = 0
    for path, command in commands(wincompat):
        for words in typed(path, command, place):
            said = CliRunner().invoke(wincompat, words, prog_name="wincompat")
            line = f"wincompat {' '.join(words)}"
            assert isinstance(said.exception, SystemExit | None), f"{line}: {said.exception!r}"
            assert "Traceback" not in said.output, line
            assert said.exit_code == 0 or said.output.strip(), f"{line} ends with {said.exit_code} and says nothing"
            assert said.exit_code not in (1, 70) or path[0] in ("inspect", "leases"), f"{line}: {said.output}"
            tried += 1
    assert tried > 30


@pytest.mark.parametrize("place", ["", "a-folder", "broken.toml/report.html", "x" * 300])
def test_a_report_that_cannot_be_written_is_said_so(here: Path, place: str) -> None:
    """The run is there, the place to write to is not: one line, and the exit code of a file that is wrong."""
    run = planned(here, "a")
    said = CliRunner().invoke(wincompat, ["report", str(run.path), "--output", place], prog_name="wincompat")
    assert said.exit_code in (2, 4), said.output
    assert isinstance(said.exception, SystemExit)
    assert "report" in said.output or "directory" in said.output


def test_a_report_takes_the_place_of_a_link_to_itself(here: Path) -> None:
    """What a link leads to does not matter to what is written in its place."""
    run = planned(here, "a")
    said = CliRunner().invoke(wincompat, ["report", str(run.path), "--output", "round-and-round.toml"])
    assert said.exit_code == 0, said.output
    assert (here / "round-and-round.toml").is_file()
