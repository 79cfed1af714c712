"""Planning: which cells a matrix makes, in which order, under which names."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from harness.builds import Build
from harness.known_issues import KnownIssue
from harness.matrix import Cell, Matrix, legs, read_matrix

from .project import SCENARIOS

pytestmark = pytest.mark.usefixtures("project")
CELL = Cell(
    build=Build(22631, 4037), product="demo", kind="msi", scenario="rollback", version="2.0", from_version="1.1"
)


def matrix(*more: str, product: tuple[str, str] = ("", "")) -> Matrix:
    """Read the project's matrix with more lines at its end and one replacement in its product."""
    place = Path("matrices/demo.toml")
    place.write_text("\n".join([place.read_text(), *more]))
    if product[0]:
        file = Path("fixtures/products/demo.toml")
        file.write_text(file.read_text().replace(*product, 1))
    return read_matrix(place, scenarios=SCENARIOS)


def issue(**more: object) -> KnownIssue:
    """Make a known issue that lasts until the end of 2026."""
    return KnownIssue.model_validate({"id": "i", "ticket": "T-1", "reason": "r", "expires": "2026-12-31", **more})


def test_every_build_gets_every_scenario_and_every_leg() -> None:
    """Oldest build first, scenarios as written, an upgrade from each older version, a rollback from the one before."""
    assert [cell.id for cell in matrix().cells()] == [
        f"{build}::demo::{name}"
        for build in ("win10-21h2", "win11-23h2")
        for name in ("install", "upgrade[1.0->2.0]", "upgrade[1.1->2.0]", "rollback[1.1->2.0]")
    ]


def test_a_downgrade_goes_from_the_newest_version_to_the_one_before() -> None:
    """One leg is enough; a ZIP refuses nothing, so that its file has to allow it."""
    product = matrix().products["demo"]
    zipped = product.model_copy(update={"kind": "zip"})
    allowed = zipped.model_copy(update={"downgrade": "allowed"})
    alone = product.model_copy(update={"versions": product.versions[:1]})
    found = [next(legs(one, "downgrade")) for one in (product, zipped, allowed, alone)]
    assert [leg[:2] for leg in found] == [("2.0", "1.1"), ("2.0", "1.1"), ("2.0", "1.1"), (None, "1.0")]
    assert [leg[2] is None for leg in found] == [True, False, True, False]


def test_a_build_with_a_revision_has_a_name_of_its_own() -> None:
    """Two revisions of one build may be in one matrix without their cells being taken for each other."""
    Path("matrices/demo.toml").write_text(
        Path("matrices/demo.toml").read_text().replace("[22631, 19044]", '["22631.4037", "win11-23h2"]')
    )
    assert {cell.build.slug for cell in matrix().cells()} == {"win11-23h2", "win11-23h2.4037"}


def test_a_product_may_support_fewer_scenarios() -> None:
    """Its own list narrows the matrix's."""
    planned = matrix(product=('kind = "msi"', 'kind = "msi"\nscenarios = ["rollback", "denied"]'))
    assert {cell.scenario for cell in planned.cells()} == {"rollback"}


def test_what_a_product_lacks_for_a_scenario_is_a_visible_skip() -> None:
    """A plan has no silent holes."""
    file = Path("fixtures/products/demo.toml")
    before, _, after = file.read_text().partition("[rollback]")
    file.write_text(before + after[after.index("[proofs]") :])
    skips = {cell.name: cell.skip for cell in matrix().cells() if cell.skip}
    assert skips == {"rollback": "demo has no package that fails half-way ([rollback])"}


def test_a_skip_keeps_the_cell_and_its_reason() -> None:
    """Skipped cells are in the plan, so that a report can name them."""
    cells = list(matrix('[[skips]]\nbuilds = [22631]\nscenarios = ["upgrade"]\nreason = "later"').cells())
    assert len(cells) == 8
    assert {cell.id for cell in cells if cell.skip == "later"} == {
        "win11-23h2::demo::upgrade[1.0->2.0]",
        "win11-23h2::demo::upgrade[1.1->2.0]",
    }


def test_a_deadline_is_the_products_else_the_matrixs() -> None:
    """Whoever runs a command finds one number."""
    assert matrix().products["demo"].deadline == 120.0
    assert matrix(product=('kind = "msi"', 'kind = "msi"\ndeadline = 7')).products["demo"].deadline == 7.0


def test_product_dirs_say_where_else_products_are(tmp_path: Path) -> None:
    """They are relative to the matrix."""
    (tmp_path / "fixtures/products").rename(tmp_path / "fixtures/wares")
    assert list(matrix('product_dirs = ["../fixtures/wares"]').products) == ["demo"]


def test_a_known_issue_covers_what_it_says_and_until_when() -> None:
    """Scope, reason, place and date all have to fit; the last day counts."""

    def covers(issue: KnownIssue, *, on_lab: bool = True, today: date = date(2026, 12, 31)) -> bool:
        return issue.covers(CELL, "1.1 is gone", on_lab=on_lab, today=today)

    assert covers(issue())
    assert not covers(issue(), today=date(2027, 1, 1))
    assert covers(issue(matches=r"1\.1 is"))
    assert not covers(issue(matches="still there"))
    assert covers(issue(where="lab"))
    assert not covers(issue(where="site"))
    assert covers(issue(where="site"), on_lab=False)
    assert covers(issue(builds=[22631], products=["demo"], scenarios=["rollback"]))
    assert covers(issue(builds=["22631.4037"]))
    assert not covers(issue(builds=["22631.1"]))
    assert not covers(issue(builds=["win10-21h2"]))
    assert not covers(issue(scenarios=["upgrade"]))


def test_an_expired_known_issue_is_allowed_and_no_longer_counts() -> None:
    """A matrix does not break on the day; its cells simply fail again."""
    old = "[[known_issues]]\nid = 'i'\nticket = 'T-1'\nreason = 'r'\nexpires = 2020-01-01"
    known = matrix(old).known_issues[0]
    assert not known.applies(CELL, on_lab=True, today=date(2026, 1, 1))
