"""A prediction beside what was seen: agreed, contradicted, or never put to the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.packages.finding import Outcome
from harness.predictions import Inspected, Standing, compare, contradictions
from harness.predictions.comparing import signs
from harness.predictions.inspected import Predicted, Said
from harness.predictions.inspecting import inspected, wanted
from harness.products import read_product
from harness.results.result import Ending, Finding, Result

PRODUCT = """
id = "demo"
name = "Demo"
kind = "msi"
install_dir = 'C:\\Program Files\\Demo'
[[versions]]
version = "1.0"
file = "demo-1.msi"
sha256 = "{zeros}"
[[versions]]
version = "2.0"
url = "https://example.com/demo-2.msi"
sha256 = "{zeros}"
[proofs]
files = ['{{install_dir}}\\demo.exe']
"""


def predicted(
    outcome: str, scenario: str = "install", *, surely: bool = True, builds: tuple[int, ...] | None = None
) -> Inspected:
    """Make a package of which one thing is predicted."""
    one = Predicted(scenario=scenario, outcome=outcome, surely=surely, builds=builds)
    said = Said(code="a-defect", severity="error", sentence="it is wrong", predicts=(one,))
    return Inspected(product="demo", version="1.0", file="demo.msi", findings=(said,))


def seen(verdict: str = "passed", **known: Any) -> Result:
    """Make a result; one that failed is the product's."""
    fault = {"passed": "nobody", "blocked": "site", "not run": "harness"}.get(verdict, "product")
    cell = {"cell": "c", "build": "22631", "product": "demo", "kind": "msi", "scenario": "install"}
    return Result.model_validate({**cell, "verdict": verdict, "fault": fault, **known})


def finding(code: str) -> Finding:
    """Make a finding of the guest's state."""
    return Finding(code=code, cause="packaging", sentence="so it is")


@pytest.mark.parametrize(
    ("outcome", "result", "standing"),
    [
        ("fails", seen("failed", code="not-installed", reason="1603"), "as predicted"),
        ("fails", seen(), "contradicted"),
        ("fails", seen("failed", code="not-proven", reason="no file"), "contradicted"),
        ("hangs", seen("hung", code="hung"), "as predicted"),
        ("hangs", seen("failed", code="not-installed"), "contradicted"),
        ("hangs", seen("blocked"), "not decided"),
        ("hangs", seen("not run"), "not decided"),
        ("leaves-remains", seen("failed", code="broke-rules", findings=(finding("left-behind"),)), "as predicted"),
        ("leaves-remains", seen("failed", code="not-installed"), "not decided"),
        ("leaves-remains", seen(), "contradicted"),
        ("damages-path", seen("failed", code="broke-rules", findings=(finding("path-order"),)), "as predicted"),
        ("exits-3010", seen(endings=(Ending(what="install-1.0", success=True, reboot=True),)), "as predicted"),
        ("exits-3010", seen(endings=(Ending(what="install-1.0", success=True),)), "contradicted"),
        ("does-not-start", seen("failed", code="not-proven", cause="crash"), "as predicted"),
        ("not-refused", seen(), "as predicted"),
        ("not-refused", seen("failed", code="not-installed"), "contradicted"),
        ("wrong-user", seen(), "not decided"),
    ],
)
def test_a_sure_prediction_agrees_or_is_contradicted(outcome: str, result: Result, standing: str) -> None:
    """What came about agrees, what a cell came to and did not show contradicts, and what it did not reach is open."""
    (one,) = compare(result, predicted(outcome))
    assert one.standing == standing
    assert [found.code for found in contradictions(result, predicted(outcome))] == (
        ["pre-flight-contradicted"] if standing == "contradicted" else []
    )


def test_a_contradiction_is_a_finding_about_the_harness() -> None:
    """It names the package, the finding and what was seen, and says nothing against the product."""
    (found,) = contradictions(seen(), predicted("fails"))
    assert (found.cause, found.subject) == ("harness", "a-defect")
    assert found.sentence == "demo.msi: a-defect predicted that install fails, and the cell passed"


def test_what_may_happen_is_not_contradicted() -> None:
    """Only a sure prediction can be wrong; the others did not happen."""
    (one,) = compare(seen(), predicted("fails", surely=False))
    assert one.standing is Standing.DID_NOT_HAPPEN
    assert contradictions(seen(), predicted("fails", surely=False)) == ()


def test_a_prediction_is_of_its_scenario_and_builds() -> None:
    """What is said of another scenario or another build says nothing here."""
    assert compare(seen(), predicted("fails", "upgrade")) == ()
    assert compare(seen(), predicted("fails", builds=(19044,))) == ()
    assert len(compare(seen(), predicted("fails", builds=(22631,)))) == 1


def test_every_outcome_that_can_be_predicted_has_its_sign() -> None:
    """The table knows every word that a finding about a package can predict, and no other."""
    assert set(signs()) == {outcome.value for outcome in Outcome}


def test_a_package_that_is_not_here_or_cannot_be_read_is_told_in_a_sentence(tmp_path: Path) -> None:
    """Nothing is downloaded for a prediction, and no package breaks a run."""
    file = tmp_path / "demo.toml"
    file.write_text(PRODUCT.format(zeros="0" * 64))
    product = read_product(file)
    (tmp_path / "demo-1.msi").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 100)
    newest = wanted(product, "install", "", [])
    assert (newest.version, newest.previous_version) == ("2.0", "1.0")
    assert inspected(newest).trouble == "it is not on this machine yet"
    old = inspected(wanted(product, "install", "->1.0", []))
    assert [one.code for one in old.findings][:1] == ["unreadable"]


def test_the_same_files_are_read_once(tmp_path: Path) -> None:
    """Cells of one package share a key, a cell that upgrades from another version has its own."""
    file = tmp_path / "demo.toml"
    file.write_text(PRODUCT.format(zeros="0" * 64).replace("0" * 64, "1" * 64, 1))
    product = read_product(file)
    keys = [
        wanted(product, scenario, leg, []).key
        for scenario, leg in (("install", ""), ("denied", ""), ("upgrade", "1.0->2.0"))
    ]
    assert len(set(keys)) == 1
    assert wanted(product, "install", "->1.0", []).key not in keys


@pytest.mark.parametrize(
    ("tried", "standing"),
    [
        ((Ending(what="downgrade-1.0", exit_code="0", success=True),), Standing.AGREED),
        ((Ending(what="downgrade-1.0", exit_code="1603"),), Standing.CONTRADICTED),
        ((), Standing.UNDECIDED),
    ],
)
def test_a_downgrade_is_judged_by_how_it_ended(tried: tuple[Ending, ...], standing: Standing) -> None:
    """A package that is said to replace newer versions does, or is refused, or was never tried."""
    result = seen(scenario="downgrade", endings=tried)
    (one,) = compare(result, predicted("not-refused", "downgrade"))
    assert one.standing is standing


def test_a_downgrade_reads_its_package_alone(tmp_path: Path) -> None:
    """An older version over a newer one is no upgrade of it, and is not read as one."""
    file = tmp_path / "demo.toml"
    file.write_text(PRODUCT.format(zeros="0" * 64), "utf-8")
    asked = wanted(read_product(file), "downgrade", "2.0->1.0", ())
    assert (asked.version, asked.source.file_name, asked.previous) == ("1.0", "demo-1.msi", None)
