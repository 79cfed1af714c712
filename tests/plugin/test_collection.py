"""Matrix files are test files."""

from __future__ import annotations

import pytest

from .project import Project


def test_a_cell_is_an_ordinary_item(project: Project) -> None:
    """A cell's node id is file, build, product and scenario, as everything else in pytest expects it."""
    project.matrix("passes", "fails")
    result = project.run_here("--collect-only", "-q", "matrices/demo.toml")
    result.stdout.fnmatch_lines(
        [
            "matrices/demo.toml::win10-21h2::demo::passes",
            "matrices/demo.toml::win10-21h2::demo::fails",
            "matrices/demo.toml::win11-23h2::demo::passes",
            "matrices/demo.toml::win11-23h2::demo::fails",
        ]
    )
    assert result.ret == 0


def test_only_looking_touches_nothing(project: Project) -> None:
    """``--collect-only`` makes no run folder, hashes no package and contacts no site."""
    project.matrix("passes")
    (project.pytester.path / "demo.zip").write_text("changed", "utf-8")
    (project.pytester.path / "site.toml").unlink()
    assert project.run_here("--collect-only", "matrices/demo.toml").ret == 0
    assert not (project.pytester.path / "build").exists()


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        (["--build", "win11-23h2"], ["win11-23h2::demo::passes", "win11-23h2::demo::fails"]),
        (["--build", "19044", "--scenario", "fails"], ["win10-21h2::demo::fails"]),
        (["--product", "demo", "-k", "win10 and passes"], ["win10-21h2::demo::passes"]),
        (["-m", "fails"], ["win10-21h2::demo::fails", "win11-23h2::demo::fails"]),
    ],
)
def test_options_select_cells(project: Project, arguments: list[str], ids: list[str]) -> None:
    """Builds, products, scenarios, keywords and markers choose among the cells; the others are deselected."""
    project.matrix("passes", "fails")
    result = project.run_here("--collect-only", "-q", "matrices/demo.toml", *arguments)
    assert [line.partition("::")[2] for line in result.outlines if line.startswith("matrices/")] == ids
    assert "deselected" in result.stdout.str()


def test_a_node_id_names_a_cell(project: Project) -> None:
    """The id that pytest prints repeats the cell, and one level above it everything below."""
    project.matrix("passes", "fails")
    project.run_here("matrices/demo.toml::win10-21h2::demo::passes").assert_outcomes(passed=1)
    project.run_here("matrices/demo.toml::win10-21h2").assert_outcomes(passed=1, failed=1)


def test_files_in_a_folder_named_matrices_are_found(project: Project) -> None:
    """A folder named matrices is collected; other TOML files are not, unless they are named."""
    project.matrix("passes")
    project.write("other/settings.toml", "nothing = 1")
    project.run_here(".").assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["matrices/demo.toml", "--scenario", "pases"], "ERROR: --scenario: no 'pases'; did you mean 'passes'?"),
        (["matrices/demo.toml", "--product", "dmo"], "ERROR: --product: no 'dmo'; did you mean 'demo'?"),
        (["matrices/demo.toml", "--build", "win10-21h3"], "ERROR: --build: *did you mean 'win10-21h2'?"),
        (["matrices/demo.toml", "--build", "22621"], "ERROR: --build: no matrix here has win11-22h2*choose from *"),
        (["matrices/demo.toml::win10-21h3"], "ERROR: matrices/demo.toml: no 'win10-21h3'; did you mean 'win10-21h2'?"),
        (["matrices/demo.toml::win10-21h2::demo::pass"], "ERROR: matrices/*::demo: no 'pass'; did you mean 'passes'?"),
        (["matrices/dmo.toml"], "ERROR: matrices/dmo.toml: no such file; did you mean 'demo.toml'?"),
        (["matrices/wrong.toml"], "ERROR: matrices/wrong.toml: *no scenario 'pases'; did you mean 'passes'?*"),
        (["."], "ERROR: matrices/wrong.toml: *no scenario 'pases'*"),
        (["matrices/demo.toml", "--site", "nowhere.toml"], "ERROR: nowhere.toml: no such file*"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_4(project: Project, arguments: list[str], line: str) -> None:
    """What a person wrote wrong is answered with the nearest right word, before a run begins, without a traceback."""
    project.matrix("passes", "fails")
    project.matrix("pases", name="wrong")
    result = project.run_here(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([line])
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    assert not (project.pytester.path / "build").exists()


@pytest.mark.parametrize("arguments", [["matrices/wrong.toml"], ["matrices/demo.toml", "--site", "nowhere.toml"]])
def test_a_mistake_is_one_line_with_workers_too(project: Project, arguments: list[str]) -> None:
    """Under xdist the controller answers a mistake itself, once, with the same exit code."""
    project.matrix("passes")
    project.matrix("pases", name="wrong")
    result = project.run(*arguments, "-n1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert len([line for line in result.errlines if line.startswith("ERROR: ")]) == 1
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    assert not (project.pytester.path / "build").exists()


def test_a_teams_own_test_runs_for_each_build_and_product(project: Project) -> None:
    """A marked Python test is a cell too: it is journaled under its name, and the options select it."""
    project.matrix("passes")
    project.write(
        "test_own.py",
        """
        import pytest

        @pytest.mark.matrix("matrices/demo.toml", scenario="smoke")
        def test_it(cell, product, step):
            with step("look"):
                assert product.id == cell.product == "demo"
                assert cell.build.number == 19044, "not here"
        """,
    )
    project.run_here("test_own.py").assert_outcomes(passed=1, failed=1)
    assert project.verdicts() == {"win10-21h2::demo::smoke": "passed", "win11-23h2::demo::smoke": "failed"}


def test_a_fixture_of_ours_in_a_test_without_a_matrix_says_what_to_do(project: Project) -> None:
    """Asking for the guest without naming a matrix is a mistake that names the marker."""
    project.write("test_own.py", "def test_it(product): pass")
    result = project.run_here("test_own.py")
    result.stdout.fnmatch_lines(["*mark it with @pytest.mark.matrix*"])
    result.assert_outcomes(errors=1)


def test_tests_without_a_matrix_leave_no_run(project: Project) -> None:
    """A project that has the plugin installed and runs its unit tests gets no run folder and no summary."""
    project.write("test_own.py", "def test_it(): pass")
    result = project.run_here("test_own.py")
    assert result.ret == 0
    assert "windows builds" not in result.stdout.str()
    assert not (project.pytester.path / "build").exists()
