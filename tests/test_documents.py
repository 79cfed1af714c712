"""What the documents have people type and copy is what the product takes."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from harness import authoring
from harness.cli import ENTRIES, wincompat
from harness.schemas import models
from tests.documents import ROOT, blocks, documents, prose, text, typed

#: where an example's first line says that its file lies -> the kind of file
PLACES = {"matrices/": "matrix", "fixtures/products/": "product", "fixtures/sites/": "site"}


@pytest.fixture(scope="module")
def help_of_pytest() -> str:
    """Ask `pytest --help` with this plugin."""
    command = [sys.executable, "-m", "pytest", "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout


@pytest.fixture(scope="module")
def options(help_of_pytest: str) -> set[str]:
    """Every option of every subcommand, and of pytest with this plugin."""
    found = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", help_of_pytest))
    for _, command in _commands(wincompat, ()):
        for parameter in command.params:
            found |= {*parameter.opts, *parameter.secondary_opts}
    return found | {"--help", "--junitxml"}  # pytest's own help writes --junit-xml and takes both


@pytest.mark.parametrize("document", documents())
def test_every_command_that_is_to_be_typed_is_taken(document: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Subcommands, options and values are parsed as they stand; only what they would do is left out."""
    monkeypatch.setattr(click.Command, "invoke", lambda *_: None)
    monkeypatch.setattr(click.Path, "convert", lambda _, value, *__: value)  # the files are the reader's
    for line in typed(document, "wincompat"):
        words = shlex.split(line, comments=True)[1:]
        said = CliRunner().invoke(wincompat, words)
        assert said.exit_code == 0, f"{line}: {said.output}"


@pytest.mark.parametrize("document", documents())
def test_every_option_that_is_named_is_there(document: str, options: set[str]) -> None:
    """Pytest's own lines, and options in the text: an option that is gone is gone from the documents, too."""
    named = {word for line in typed(document, "pytest") for word in shlex.split(line, comments=True) if word[0] == "-"}
    named |= set(re.findall(r"`(--[a-z][a-z-]+)\b", prose(document)))
    assert {word for word in named if word.partition("=")[0] not in options} == set()


def test_every_subcommand_and_every_option_of_the_plugin_is_told_of(help_of_pytest: str) -> None:
    """What nobody can read of, nobody uses."""
    whole = "".join(map(text, documents()))
    assert [name for name in ENTRIES if f"wincompat {name}" not in whole] == []
    group = help_of_pytest.partition("Windows compatibility matrices:")[2].partition("\n\n")[0]
    ours = re.findall(r"^  (--[a-z-]+)", group, re.MULTILINE)
    assert "--site" in ours
    assert [name for name in ours if not re.search(rf"{name}\b(?!-)", whole)] == []


def test_every_option_says_what_it_is_for() -> None:
    """`--help` is where options are looked up: none of them is without a sentence."""
    mute = [
        f"{' '.join(path)} {parameter.opts[-1]}"
        for path, command in _commands(wincompat, ("wincompat",))
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert mute == []


@pytest.mark.parametrize("document", documents())
def test_every_file_that_is_to_be_copied_is_read(document: str, tmp_path: Path) -> None:
    """An example that begins with the name of its file is a whole file, and a right one."""
    kinds = models()
    for name, file in _copied(document, tmp_path):
        kind = next((kind for place, kind in PLACES.items() if name.startswith(place)), Path(name).stem)
        authoring.read(file, kinds[kind])


def test_who_copies_the_readmes_files_has_a_matrix_that_plans(tmp_path: Path) -> None:
    """Matrix and product fit together as they stand."""
    copied = dict(_copied("README.md", tmp_path))
    said = CliRunner().invoke(wincompat, ["check", str(copied["matrices/release.toml"])])
    assert said.exit_code == 0, said.output
    assert "release: " in said.output


def _copied(document: str, folder: Path) -> list[tuple[str, Path]]:
    copied = []
    for body in blocks(document, "toml"):
        if named := re.match(r"# ([\w./-]+\.toml)\n", body):
            (file := folder / named[1]).parent.mkdir(parents=True, exist_ok=True)
            file.write_text(body, "utf-8")
            copied.append((named[1], file))
    return copied


def test_every_link_leads_somewhere() -> None:
    """To a file that is there, and to a heading in it."""
    lost = []
    for document in documents():
        for target in re.findall(r"\]\((?!https?://)([^)\s]+)\)", prose(document)):
            path, _, heading = target.partition("#")
            file = (ROOT / document).parent / path if path else ROOT / document
            anchors = [re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-") for line in _headings(file)]
            if not file.exists() or (heading and heading not in anchors):
                lost.append(f"{document}: {target}")
    assert lost == []


def _headings(file: Path) -> list[str]:
    return re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE) if file.suffix == ".md" else []


def _commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        ctx = click.Context(command)
        for name in command.list_commands(ctx):
            below = command.get_command(ctx, name)
            assert below is not None
            yield from _commands(below, (*path, name))
