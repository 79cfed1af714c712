"""Whatever goes wrong with the lab, at whichever step of a cell: it is never the product's doing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.results.cause import Cause
from harness.results.result import Fault, Finding, Result, Verdict
from tests.corpus.building import WHEELS, missing_tools
from tests.corpus.injected import KINDS, Injected, run_injected, troubles


def test_the_troubles_are_of_every_kind_and_always_the_same() -> None:
    """Two hundred, as many of each kind as its share says; the first few have every kind, too."""
    of_all = troubles(200)
    assert {kind: sum(one.kind == kind for one in of_all) for kind in KINDS} == {k: n for k, (n, _) in KINDS.items()}
    assert {one.kind for one in troubles(len(KINDS))} == set(KINDS)
    assert troubles(30) == troubles(30)


@pytest.mark.slow
def test_no_fault_of_the_lab_is_blamed_on_the_product(tmp_path: Path) -> None:
    """A clean installer passes or is blocked: no failure, no finding, no cause of the product's."""
    host = pytest.importorskip("harness.lab.host", reason="the lab needs pip install pytest-wincompat[lab]")
    if missing := [*host.missing(), *missing_tools()]:
        pytest.skip("; ".join(missing))
    if not (WHEELS / "ninja-1.13.0").exists() or shutil.which("bwrap") is None:
        pytest.skip("fetch the real programs first: python -m fixtures.payloads ninja")
    met = run_injected(tmp_path, troubles(28))
    assert [str(one) for one in met if one.blames_the_product] == []
    assert sum(bool(one.struck) for one in met) > 0.8 * len(met), "the faults did not come about"


@pytest.mark.parametrize(
    ("changed", "blamed"),
    [
        ({"verdict": Verdict.BLOCKED, "fault": Fault.SITE, "cause": Cause.LAB}, False),
        ({"verdict": Verdict.PASSED}, False),
        ({"verdict": Verdict.FAILED, "fault": Fault.PRODUCT}, True),
        ({"verdict": Verdict.HUNG, "fault": Fault.PRODUCT}, True),
        ({"verdict": Verdict.BLOCKED, "fault": Fault.SITE, "cause": Cause.LEFTOVER}, True),
        ({"findings": (Finding(code="left-behind", cause="leftover", sentence=""),)}, True),
    ],
)
def test_a_blame_is_seen_in_verdict_cause_and_findings(changed: dict[str, object], blamed: bool) -> None:
    """Also a finding that stands beside a blocked verdict says something of the product."""
    known = {"cell": "c", "build": "22631", "product": "p", "kind": "exe", "scenario": "s", "verdict": Verdict.BLOCKED}
    result = Result.model_validate({**known, **changed})
    assert Injected(troubles(1)[0], result, 1).blames_the_product is blamed
