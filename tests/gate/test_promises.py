"""What the gate promises whatever the run: no failure, no loss and no order of things ever turns hold into ship."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.gate.deciding import decide
from harness.gate.evidence import Artifact, Evidence, Slower, cells_of
from harness.gate.outputs.junit import junit
from harness.gate.policy import Policy
from harness.gate.reading import gather
from harness.gate.waivers import Waiver
from harness.results.journal import Journal
from harness.results.plan import PlannedCell, PlannedIssue
from harness.results.result import Attempt, Fault, Result, Step, Verdict
from harness.results.run import RunFolder
from tests.gate.cases import BEGAN, ISSUE, NOW, OLD_SHA, PRODUCT_SHA, SLUGS, cell, plan, result, waiver

LOOK = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SCENARIOS = ("install", "upgrade", "denied", "rollback")
LAB = "Wine 8.0 presenting as 26100"

# what may be wrong with a result. Most have one flaw at most: a run with many holds anyway, whatever else is done to it
FLAWS: tuple[dict[str, Any], ...] = (
    *({"verdict": verdict} for verdict in ("flaky", "failed", "hung", "blocked", "skipped", "not run")),
    {"verdict": "failed", "known_issue": ISSUE.id},
    {"verdict": "hung", "known_issue": "old"},
    {"verdict": "failed", "fingerprint": "beef123456"},
    {"missed_issue": ISSUE.id},
    {"provenance": LAB},
    {"provenance": ""},
    {"guest": {}},
    {"guest": {"edition": "Professional"}},
    {"guest": {"edition": "IoTEnterpriseS"}},
    {"started": BEGAN - timedelta(days=9)},
    {"started": None},
    {"steps": ()},
    {"attempts": (Attempt(verdict=Verdict.FAILED, fault=Fault.PRODUCT),)},
    {"seconds": 11.0, "steps": (Step(name="install 1.4.0", started=0, seconds=11.0),)},
    {"seconds": float("nan"), "steps": (Step(name="install 1.4.0", started=0, seconds=float("nan")),)},
)
# what a policy may say; a few of these together, for the same reason
WISHES: tuple[dict[str, Any], ...] = (
    {"allow_lab": True},
    {"allow_known_issues": False},
    {"flaky": 1},
    {"blocked": 1},
    {"max_age_hours": 24.0},
    {"evidence_files": True},
    {"artifact_required": True},
    {"tiers": {"edition": "home"}},
    {"tiers": {"supported": "warn", "unsupported": "block"}},
    {"tiers": {"warn": (26200,), "block": (19045,)}},
    *({"coverage": {"share": share}} for share in (0.25, 0.5, 1.0)),
    *({"coverage": {"cells": cells}} for cells in (1, 3)),
    {"coverage": {"builds": 2}},
    {"coverage": {"supported": True}},
    {"required": ({"builds": (26100,), "scenarios": ("install",)},)},
    {"required": ({"products": ("x",)},)},
    {"budgets": ({"step": "install *", "seconds": 10.0},)},
    {"budgets": ({"scenarios": ("denied",), "seconds": 10.0},)},
    {"regressions": {"act": "warn"}},
    {"regressions": {"required": True}},
)
POLICIES = st.lists(st.sampled_from(WISHES), max_size=3).map(
    lambda wishes: Policy.model_validate({key: value for wish in wishes for key, value in wish.items()})
)


@st.composite
def results(draw: st.DrawFn, planned: PlannedCell, flaws: tuple[dict[str, Any], ...] = FLAWS) -> Result:
    """Draw a result of a cell: all is well, or something is wrong with it, seldom two things."""
    found = draw(st.lists(st.sampled_from(flaws), max_size=draw(st.sampled_from((0, 0, 1, 1, 2)))))
    wrong: dict[str, Any] = {key: value for flaw in found for key, value in flaw.items()}
    return result(planned, wrong.pop("verdict", "passed"), **wrong)


@st.composite
def failures(draw: st.DrawFn, planned: PlannedCell) -> Result:
    """Draw a result that did not pass, and may have something else that is wrong with it."""
    verdict = draw(st.sampled_from(("failed", "hung", "blocked", "not run")))
    known = draw(st.sampled_from((None, ISSUE.id)))
    return draw(results(planned)).model_copy(
        update={"verdict": Verdict(verdict), "known_issue": known, "fingerprint": "feed123456"}
    )


WAIVERS = st.lists(
    st.sampled_from(
        (
            waiver(id="pattern", cells=("win11-24h2::*",)),
            waiver(id="all", cells=("*",)),
            waiver(id="failure", fingerprints=("feed123456",)),
            waiver(id="lab", rules=("lab-evidence", "stale", "origin")),
            waiver(id="unsigned", cells=("*",), signed_off=None),
        )
    ),
    unique_by=lambda one: one.id,
    max_size=2,
).map(tuple)


@st.composite
def runs(draw: st.DrawFn) -> Evidence:
    """Draw a run that may have come to pass: a plan, and a result for most of its cells."""
    cells = [
        cell(build, scenario, skip=draw(st.sampled_from((None, None, None, "left out"))))
        for build, scenario in draw(
            st.lists(st.tuples(st.sampled_from(sorted(SLUGS)), st.sampled_from(SCENARIOS)), unique=True, max_size=6)
        )
    ]
    found = [
        result(one, "skipped") if one.skip else draw(results(one))
        for one in cells
        if one.skip or draw(st.integers(0, 9))
    ]
    known = (ISSUE, PlannedIssue(id="old", expires=BEGAN.date().replace(year=2025)))
    sha = draw(st.sampled_from((None, None, PRODUCT_SHA, PRODUCT_SHA, OLD_SHA)))
    return Evidence(
        plan=plan(*cells, known_issues=known, is_lab=draw(st.sampled_from((False, False, False, True)))),
        results=tuple(found),
        slower=draw(st.sampled_from((None, None, (), (Slower("slower", (cell().cell,)),)))),
        artifacts=() if sha is None else (Artifact(name="mytool.msi", sha256=sha),),
        lost_files={one.cell: ("x.log",) for one in found[: draw(st.integers(0, 1))]},
        run="r1",
    )


def ships(evidence: Evidence, policy: Policy, waivers: tuple[Waiver, ...]) -> bool:
    """Decide, and keep the word alone."""
    return decide(evidence, policy, waivers, now=NOW).ships


@LOOK
@given(runs(), POLICIES, WAIVERS, st.data())
def test_a_failing_cell_more_never_turns_hold_into_ship(
    run: Evidence, policy: Policy, waivers: tuple[Waiver, ...], data: st.DataObject
) -> None:
    """Whatever build it is on, whether it is known, waived, slow or only warned of."""
    assert run.plan is not None
    # also what became slower is a cell of the run
    taken = {one.cell for one in run.plan.cells} | {name for one in run.slower or () for name in one.cells}
    more = data.draw(
        st.builds(
            cell, st.sampled_from(sorted(SLUGS)), st.sampled_from(SCENARIOS), st.sampled_from(("mytool", "x"))
        ).filter(lambda one: one.cell not in taken)
    )
    failing = data.draw(failures(more))
    worse = replace(
        run,
        plan=run.plan.model_copy(update={"cells": (*run.plan.cells, more)}),
        results=(*run.results, failing),
    )
    assert ships(run, policy, waivers) or not ships(worse, policy, waivers)


@LOOK
@given(runs(), POLICIES, WAIVERS)
def test_evidence_less_never_turns_hold_into_ship(run: Evidence, policy: Policy, waivers: tuple[Waiver, ...]) -> None:
    """A lost result, plan, package, provenance, history or known issue makes nothing better."""
    if ships(run, policy, waivers) or run.plan is None:
        return
    losses: list[Evidence] = (
        [replace(run, plan=None), replace(run, slower=None)] if not run.slower else [replace(run, plan=None)]
    )
    for name, nothing in {"packages": (), "known_issues": (), "started": None}.items():
        losses.append(replace(run, plan=run.plan.model_copy(update={name: nothing})))
    for place, lost in enumerate(run.results):
        rest = [*run.results[:place], *run.results[place + 1 :]]
        losses.append(replace(run, results=tuple(rest)))
        for name in ("guest", "provenance", "started"):
            less: Any = {"guest": {}, "provenance": "", "started": None}[name]
            losses.append(replace(run, results=(*rest, lost.model_copy(update={name: less}))))
    assert [less for less in losses if ships(less, policy, waivers)] == []


@LOOK
@given(runs(), POLICIES, WAIVERS, st.data())
def test_a_failed_try_more_never_turns_hold_into_ship(
    run: Evidence, policy: Policy, waivers: tuple[Waiver, ...], data: st.DataObject
) -> None:
    """Whatever a cell came to in the end, a try that the product failed speaks for nothing; nor does its verdict."""
    if not run.results:
        return
    place = data.draw(st.integers(0, len(run.results) - 1))
    one = run.results[place]
    tried = Attempt(verdict=data.draw(st.sampled_from((Verdict.FAILED, Verdict.HUNG))), fault=Fault.PRODUCT)
    came: dict[str, Any] = {"attempts": (tried, *one.attempts)}
    if one.verdict is Verdict.PASSED and data.draw(st.booleans()):
        came["verdict"] = Verdict.FLAKY
    worse = replace(run, results=(*run.results[:place], one.model_copy(update=came), *run.results[place + 1 :]))
    assert ships(run, policy, waivers) or not ships(worse, policy, waivers)


@LOOK
@given(runs(), POLICIES, WAIVERS, st.randoms(use_true_random=False))
def test_order_never_matters(run: Evidence, policy: Policy, waivers: tuple[Waiver, ...], random: Any) -> None:
    """Neither of cells, of results, of issues nor of waivers: the answer is the same to the letter."""
    assert run.plan is not None
    before = decide(run, policy, waivers, now=NOW)

    def shuffled(things: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(random.sample(things, len(things)))

    plan_again = run.plan.model_copy(
        update={name: shuffled(getattr(run.plan, name)) for name in ("cells", "known_issues")}
    )
    after = decide(replace(run, plan=plan_again, results=shuffled(run.results)), policy, shuffled(waivers), now=NOW)
    assert {one.id: one for one in after.waivers} == {one.id: one for one in before.waivers}
    assert after.model_copy(update={"waivers": ()}) == before.model_copy(update={"waivers": ()})


@settings(LOOK, max_examples=60)
@given(runs(), POLICIES, WAIVERS, st.data())
def test_an_unreadable_line_never_turns_hold_into_ship(
    run: Evidence, policy: Policy, waivers: tuple[Waiver, ...], data: st.DataObject
) -> None:
    """Whether it was cut off, overwritten or garbled: what it said may have been the failure."""
    assert run.plan is not None
    with TemporaryDirectory() as parent:
        folder = RunFolder.create(Path(parent))
        folder.write_plan(run.plan)
        for one in run.results:
            Journal(folder.journal_file).append(one)
        if not run.results:
            return
        whole = ships(gather(folder, policy), policy, waivers)
        lines = folder.journal_file.read_bytes().splitlines(keepends=True)
        place = data.draw(st.integers(1, len(lines) - 1))
        garbled = data.draw(
            st.sampled_from(
                (lines[place][: len(lines[place]) // 2], b"\x00\xff\n", b"{}\n", b"null\n", b'{"cell":"x"}\n')
            )
        )
        folder.journal_file.write_bytes(b"".join([*lines[:place], garbled, *lines[place + 1 :]]))
        assert whole or not ships(gather(folder, policy), policy, waivers)
        assert not ships(gather(folder, policy), policy, waivers)


@settings(LOOK, max_examples=50)
@given(runs(), POLICIES, WAIVERS)
def test_junit_fails_where_the_gate_holds_and_nowhere_else(
    run: Evidence, policy: Policy, waivers: tuple[Waiver, ...]
) -> None:
    """A CI service that reads only the XML comes to the same answer."""
    decision = decide(run, policy, waivers, now=NOW)
    written = junit(cells_of(run.plan, run.results), decision)
    assert ("<failure" in written or "<error" in written) == (decision.word == "hold")
