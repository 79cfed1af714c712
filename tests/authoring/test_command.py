"""The command line: quick, one line for each mistake, an exit code that says whose it is."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from types import ModuleType

import click
import pytest
from click.testing import CliRunner

from harness import cli, commands, schemas
from harness.builds import catalog
from harness.cli import ENTRIES, wincompat
from harness.errors import AuthoringError, NoMachine

REPOSITORY = Path(__file__).parents[2]


def said(*arguments: str) -> tuple[int, str, str]:
    """Run a command in this process; gives its exit code, standard output and standard error."""
    result = CliRunner().invoke(wincompat, arguments, prog_name="wincompat")
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result.exit_code, result.stdout, result.stderr


def test_help_imports_nothing_that_takes_time() -> None:
    """A shell's completion and a first look are quick: pydantic already costs more than all the rest."""
    probe = (
        "import sys\nfrom harness.cli import wincompat\n"
        "try: wincompat(['--help'])\nexcept SystemExit: pass\n"
        "heavy = ['pandas', 'winrm', 'requests', 'pyVmomi', 'aiohttp', 'pydantic', 'jinja2', 'pytest', 'harness.lab']\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"
    for name, entry in ENTRIES.items():
        assert name in result.stdout
        assert entry.summary[:40] in result.stdout


@pytest.mark.parametrize("name", ENTRIES)
def test_every_subcommand_is_where_it_is_said_to_be_and_shows_examples(name: str) -> None:
    """Each help ends no guess: it holds a line to copy."""
    code, output, _ = said(name, "--help")
    assert code == 0
    assert f"wincompat {name}" in output.partition("\n")[2]


def test_an_unknown_command_names_the_nearest() -> None:
    """It is wrong usage: 2."""
    assert said("chekc")[0] == 2
    assert "no command 'chekc'; did you mean 'check'?" in said("chekc")[2]


def test_the_version_is_printed() -> None:
    """With or without an installation."""
    code, output, _ = said("--version")
    assert code == 0
    assert output.startswith("wincompat ")


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch) -> dict[str, BaseException]:
    """Add a command ``trial`` that raises what the test puts into the dictionary."""
    to_raise: dict[str, BaseException] = {}

    @click.command()
    def trial() -> None:
        """Try it."""
        raise to_raise["it"]

    module = ModuleType("trial_commands")
    vars(module)["trial"] = trial
    monkeypatch.setitem(sys.modules, "trial_commands", module)
    monkeypatch.setitem(ENTRIES, "trial", cli.Entry("trial_commands:trial", "Try it."))
    return to_raise


@pytest.mark.parametrize(
    ("raised", "code", "line"),
    [
        (AuthoringError("m.toml: wrong"), 4, "m.toml: wrong\n"),
        (NoMachine("nothing free", machine="22631", advice="add one"), 3, "22631: nothing free; add one\n"),
        (AuthoringError("two\nlines"), 4, "two lines\n"),
        (KeyboardInterrupt(), 130, "stopped\n"),
    ],
)
def test_what_a_person_can_mend_is_one_line_and_a_code(
    entry: dict[str, BaseException], raised: BaseException, code: int, line: str
) -> None:
    """Never a traceback."""
    entry["it"] = raised
    assert said("trial") == (code, "", line)


def test_a_bug_keeps_its_traceback(entry: dict[str, BaseException]) -> None:
    """What nobody expected is shown whole."""
    entry["it"] = ZeroDivisionError()
    assert isinstance(CliRunner().invoke(wincompat, ["trial"]).exception, ZeroDivisionError)


def test_without_its_extra_the_lab_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line; any other missing module is a bug and says so."""
    monkeypatch.setitem(ENTRIES, "lab", cli.Entry("trial_lab:lab", "A lab."))

    def missing(name: str) -> ModuleType:
        raise ModuleNotFoundError(f"No module named {name!r}", name=wanted)

    monkeypatch.setattr(cli, "import_module", missing)
    wanted = "aiohttp.web"
    assert said("lab") == (3, "", "the lab needs aiohttp, which is not installed: pip install pytest-wincompat[lab]\n")
    wanted = "harness.typo"
    assert isinstance(CliRunner().invoke(wincompat, ["lab"]).exception, ModuleNotFoundError)


@pytest.mark.usefixtures("project")
def test_check_prints_the_plan_and_every_mistake() -> None:
    """One matrix's mistakes do not hide another's plan; the exit code is 4."""
    code, output, errors = said("check", "matrices/demo.toml", "--files")
    assert (code, errors) == (0, "")
    assert output.splitlines() == [
        "matrix: 8 cells",
        "                           demo  all",
        "  Windows 10 21H2 (19044)  4     4",
        "  Windows 11 23H2 (22631)  4     4",
    ]
    Path("matrices/bad.toml").write_text('name = "b"\nbuilds = [1]\nproducts = []\nscenarios = ["install"]')
    code, again, errors = said("check", "matrices/bad.toml", "matrices/demo.toml")
    assert (code, again) == (4, output)
    assert errors.splitlines() == [
        "matrices/bad.toml: builds[0]: build 1 is not in the catalog; the nearest is 19044 (Windows 10 21H2)",
        "matrices/bad.toml: products: should not be empty",
    ]


@pytest.mark.usefixtures("project")
def test_check_looks_at_packages_only_when_asked() -> None:
    """A matrix can be checked before its packages are built."""
    Path("packages/demo-1.0.msi").write_bytes(b"changed")
    assert said("check", "matrices/demo.toml")[0] == 0
    code, _, errors = said("check", "--files", "matrices/demo.toml")
    assert code == 4
    assert errors.startswith("fixtures/products/demo.toml: versions[0]: packages/demo-1.0.msi has SHA-256 ")


@pytest.mark.usefixtures("project")
def test_check_knows_a_teams_own_scenarios_when_told() -> None:
    """They come from a pytest plugin, which the command line does not load."""
    matrix = Path("matrices/demo.toml")
    matrix.write_text(matrix.read_text().replace('"upgrade"', '"repair"'))
    assert said("check", str(matrix))[0] == 4
    assert said("check", str(matrix), "--scenario", "repair")[0] == 0


def test_builds_says_what_is_supported() -> None:
    """Every build of the catalog, with today's state."""
    code, output, _ = said("builds")
    assert code == 0
    assert [line.split()[0] for line in output.splitlines()[1:]] == [str(number) for number in catalog()]


@pytest.mark.parametrize(
    ("number", "today", "words"),
    [
        (22631, date(2026, 11, 10), "supported: Enterprise/Education until 2026-11-10"),
        (22631, date(2026, 11, 11), "ended on 2026-11-10"),
        (19045, date(2026, 11, 22), "ended on 2025-10-14; extended updates until 2028-10-10"),
        (26200, date(2025, 1, 1), "comes out on 2025-09-30"),
        (
            26200,
            date(2026, 11, 22),
            "supported: Home/Pro until 2027-10-12, Enterprise/Education until 2028-10-10",
        ),
    ],
)
def test_support_is_told_by_the_day(number: int, today: date, words: str) -> None:
    """The last day counts; long-term editions are named beside the usual ones."""
    assert commands.support(catalog()[number], today) == words


@pytest.mark.parametrize("kind", schemas.KINDS)
def test_a_schema_is_printed_that_refuses_unknown_keys_everywhere(kind: str) -> None:
    """An editor marks a slip of the pen as it is typed."""
    code, output, _ = said("schema", kind)
    assert code == 0
    schema = json.loads(output)
    assert schema["$schema"].startswith("https://json-schema.org/")
    tables = [schema, *schema["$defs"].values()]
    assert all(table["additionalProperties"] is False for table in tables if table.get("type") == "object")
    named = {reference.rpartition("/")[2] for reference in references(schema)}
    assert named <= set(schema["$defs"])


def test_every_kind_of_file_that_people_write_has_a_schema() -> None:
    """Whatever is read as a file of a person's can be checked by that person's editor."""
    read = set()
    for file in Path(schemas.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in ("authoring.read", "read"):
                read |= {ast.unparse(model) for model in call.args[1:2]}
    assert len(read) > 5
    assert read == {model.__name__ for model in schemas.models().values()}


def references(schema: object) -> Iterator[str]:
    """Find every reference in a schema."""
    if isinstance(schema, Mapping):
        for key, value in schema.items():
            if key == "$ref":
                yield value
            yield from references(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from references(item)


def test_schemas_are_written_where_asked(tmp_path: Path) -> None:
    """All of them; a place that cannot be written to is one line."""
    code, output, _ = said("schema", "--output", str(tmp_path / "new"))
    assert code == 0
    assert [Path(line).name for line in output.splitlines()] == [f"{kind}.schema.json" for kind in schemas.KINDS]
    (tmp_path / "file").touch()
    code, _, errors = said("schema", "--output", str(tmp_path / "file"))
    assert code == 4
    assert errors.count("\n") == 1


@pytest.mark.skipif(not (REPOSITORY / "matrices").is_dir(), reason="the wheel has no matrices of its own")
def test_the_repositorys_own_matrices_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this repository ships passes its own check."""
    monkeypatch.chdir(REPOSITORY)
    matrices = sorted(map(str, Path("matrices").glob("*.toml")))
    assert matrices
    code, _, errors = said("check", *matrices)
    assert (code, errors) == (0, "")
