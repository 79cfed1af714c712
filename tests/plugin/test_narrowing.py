"""Versions that are not the newest, and revisions of a build of which the matrix wants any."""

from __future__ import annotations

import pytest

from .project import Project

TELLS_ITS_VERSION = '''
from harness.errors import ProductFailed

def old_only(cell, product):
    """The new version is broken."""
    assert product.newest == cell.version
    if cell.version != "1.0":
        raise ProductFailed("it is broken")

def pytest_wincompat_scenarios(config):
    return {"old_only": old_only}
'''


def test_a_version_takes_the_place_of_the_newest(project: Project) -> None:
    """``--product-version`` runs every scenario as it was when that version was the product's newest."""
    project.pytester.makeconftest(TELLS_ITS_VERSION)
    project.matrix("old_only", builds="22631")
    project.run_here("matrices/demo.toml", "--product-version", "demo=1.0").assert_outcomes(passed=1)
    project.run_here("matrices/demo.toml").assert_outcomes(failed=1)


def test_nothing_is_upgraded_to_the_first_version(project: Project) -> None:
    """With the oldest version as the newest there is no upgrade: the cell is skipped and says why."""
    project.matrix("upgrade", builds="22631")
    result = project.run_here("matrices/demo.toml", "--product-version", "demo=1.0", "-rs")
    result.assert_outcomes(skipped=1)
    assert "there is nothing to upgrade from" in result.stdout.str()


def test_a_revision_narrows_a_build_of_which_any_will_do(project: Project) -> None:
    """``--build 22631.4037`` makes the matrix's 22631 that revision; node ids name it, and it can be repeated."""
    project.matrix("passes", builds="19044, 22631")
    words = ("--collect-only", "-q", "matrices/demo.toml", "--build", "22631.4037", "--build", "win11-23h2.3880")
    result = project.run_here(*words)
    assert [line for line in result.outlines if line.startswith("matrices/")] == [
        "matrices/demo.toml::win11-23h2.3880::demo::passes",
        "matrices/demo.toml::win11-23h2.4037::demo::passes",
    ]
    node = "matrices/demo.toml::win11-23h2.4037::demo::passes"
    project.run_here(node, "--build", "22631.4037").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("demo=3.0", "ERROR: --product-version: demo has no version '3.0'; *"),
        ("dmo=1.0", "ERROR: --product-version: no 'dmo'; did you mean 'demo'?"),
        ("demo", "ERROR: --product-version: 'demo' should be like go=1.22.10"),
    ],
)
def test_a_wrong_version_is_one_line(project: Project, word: str, line: str) -> None:
    """A product or version that is not there is answered with the nearest right word, before a run begins."""
    project.matrix("passes")
    result = project.run_here("matrices/demo.toml", "--product-version", word)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([line])
