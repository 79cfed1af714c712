"""Which versions and builds are candidates, from the matrix and the site's machines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.bisect.asked import Asked
from harness.bisect.candidates import Row, row_of
from harness.errors import AuthoringError
from harness.site import Site
from tests.plugin.project import Project


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    """Make a project whose product has the versions 1.0 and 2.0."""
    return Project(pytester)


def _site(*builds: int | str) -> Site:
    account = {"user": "admin", "password": {"env": "NOT_READ"}}
    return Site.model_validate(
        {
            "name": "ours",
            "vcenter": {"host": "vc.example.com", **account},
            "accounts": {"administrator": account},
            "machines": [
                {"path": f"vm{index}", "build": build, "snapshot": "clean", "address": f"10.0.0.{index}"}
                for index, build in enumerate(builds, start=1)
            ],
        }
    )


def _row(project: Project, matrix: Path, machines: Site | None = None, **asked: Any) -> Row:
    return row_of(Asked(matrix=matrix, **asked), machines, started_in=project.pytester.path)


def _labels(row: Row) -> Sequence[str]:
    return [one.label for one in row.candidates]


def test_a_candidate_is_a_cell_that_pytest_can_repeat(project: Project) -> None:
    """The words name the matrix from where one stands, the cell, the version, and the site as it was given."""
    matrix = project.matrix("passes", builds="19044, 22631")
    row = _row(project, matrix, build="win11-23h2", scenario="passes", site=str(project.pytester.path / "ours.toml"))
    assert row.candidates[0].words == (
        "matrices/demo.toml::win11-23h2::demo::passes",
        "--product-version",
        "demo=1.0",
        "--site",
        "ours.toml",
    )
    assert (_labels(row), row.of, row.on) == (["1.0", "2.0"], "Demo", "Windows 11 23H2")


def test_a_revision_of_a_build_is_named_to_pytest(project: Project) -> None:
    """Versions may be tried on one revision of a build of which the matrix wants any."""
    matrix = project.matrix("passes", builds="22631")
    row = _row(project, matrix, build="22631.4037", scenario="passes")
    assert row.candidates[0].words[0].endswith("::win11-23h2.4037::demo::passes")
    assert row.candidates[0].words[-2:] == ("--build", "22631.4037")


def test_revisions_of_the_sites_machines_are_candidates(project: Project) -> None:
    """A build of which any will do counts once for each revision that a machine is said to have."""
    matrix = project.matrix("passes", builds="19044, 22000, 22631, 26100")
    site = _site(22000, "22631.4460", "22631.3880", 22631, "26100.1742", "26100.1742")
    row = _row(project, matrix, site, over="builds", scenario="passes")
    assert _labels(row) == ["22000", "22631.3880", "22631.4460", "26100.1742"]
    assert row.left_out == ("Windows 10 21H2: no machine of site 'ours' carries it",)
    assert row.candidates[1].shown == "Windows 11 23H2 (22631.3880)"
    assert row.candidates[1].words[-2:] == ("--build", "22631.3880")
    assert "--build" not in row.candidates[0].words
    assert (row.of, row.on) == ("Demo 2.0", "")


def test_a_revision_that_the_matrix_names_is_the_only_one(project: Project) -> None:
    """Where the matrix itself wants one revision, no other is a candidate, whatever machines there are."""
    matrix = project.matrix("passes", builds='19044, "22631.4460"')
    row = _row(project, matrix, _site(19044, 22631, "22631.3880"), over="builds", scenario="passes")
    assert _labels(row) == ["19044", "22631.4460"]


def test_upgrades_start_from_one_version(project: Project) -> None:
    """Of all upgrades to a version the one from the oldest is tried, or from the one that is named."""
    product = project.pytester.path / "fixtures/products/demo.toml"
    text = product.read_text("utf-8")
    one = "[[versions]]" + text.split("[[versions]]")[1]
    product.write_text(text.replace("[proofs]", one.replace('"1.0"', '"3.0"') + "[proofs]"), "utf-8")
    matrix = project.matrix("upgrade", builds="22631")
    assert [one.cell for one in _row(project, matrix, scenario="upgrade").candidates] == [
        "win11-23h2::demo::upgrade[1.0->2.0]",
        "win11-23h2::demo::upgrade[1.0->3.0]",
    ]
    with pytest.raises(AuthoringError, match=r"only 3\.0 to try: there is nothing to search between"):
        _row(project, matrix, scenario="upgrade", from_version="2.0")


@pytest.mark.parametrize(
    ("good", "bad", "labels", "backwards"),
    [
        (None, None, ["19044", "22000", "22631"], False),
        ("22631", None, ["22631", "22000", "19044"], True),
        (None, "19044", ["22631", "22000", "19044"], True),
        ("win10-21h2", "win11-21h2", ["19044", "22000"], False),
        ("22000", "19044", ["22000", "19044"], True),
    ],
)
def test_the_row_goes_from_the_good_end_to_the_bad_one(
    project: Project, good: str | None, bad: str | None, labels: list[str], backwards: bool
) -> None:
    """The ends may be given in either order; what is left out is the other end of what there is."""
    matrix = project.matrix("passes", builds="19044, 22000, 22631")
    row = _row(project, matrix, over="builds", scenario="passes", good=good, bad=bad)
    assert (_labels(row), row.backwards) == (labels, backwards)


def test_what_the_matrix_skips_cannot_be_an_end(project: Project) -> None:
    """A skipped build stays in the row, but a search begins and ends with cells that are run."""
    skip = '[[skips]]\nreason = "no machine yet"\nbuilds = [19044]\n'
    matrix = project.matrix("passes", builds="19044, 22000, 22631", more=skip)
    assert _labels(_row(project, matrix, over="builds", scenario="passes")) == ["22000", "22631"]
    with pytest.raises(AuthoringError, match="--good: Windows 10 21H2 is skipped by the matrix: no machine yet"):
        _row(project, matrix, over="builds", scenario="passes", good="19044")


def test_one_package_that_fails_half_way_is_no_row(project: Project) -> None:
    """A rollback is tried with one version's package, so that only builds can be searched."""
    matrix = project.matrix("rollback", builds="19044, 22631")
    with pytest.raises(AuthoringError, match="try --over builds"):
        _row(project, matrix, build="19044", scenario="rollback")
