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
from harness.results.result import Result, Step
from harness.results.run import RunFolder
from tests.gate.cases import BEGAN, ISSUE, NOW, OLD_SHA, PRODUCT_SHA, SLUGS, cell, plan, result, waiver

LOOK = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SCENARIOS = ("install", "upgrade", "denied", "rollback")
VERDICTS = ("passed", "passed", "passed", "flaky", "failed", "hung", "blocked", "skipped", "not run")
GUESTS: tuple[dict[str, str], ...] = (
    {},
    {"edition": "Enterprise"},
    {"edition": "Professional"},
    {"edition": "IoTEnterpriseS"},
)


@st.composite
def results(draw: st.DrawFn, planned: PlannedCell, verdicts: tuple[str, ...] = VERDICTS) -> Result:
    """Draw a result of a cell, as good or bad and as complete as it may be."""
    took = draw(st.sampled_from((1.0, 9.0, 11.0, float("nan"))))
    return result(
        planned,
        draw(st.sampled_from(verdicts)),
        known_issue=draw(st.sampled_from((None, None, ISSUE.id, "gone", "old"))),
        missed_issue=draw(st.sampled_from((None, None, None, ISSUE.id))),
        fingerprint=draw(st.sampled_from(("", "feed123456", "beef123456"))),
        provenance=draw(st.sampled_from(("Windows", "Windows", "Windows", "Wine 8.0 presenting as 26100", ""))),
        guest=draw(st.sampled_from(GUESTS)),
        started=draw(st.sampled_from((BEGAN, BEGAN, BEGAN - timedelta(days=9), None))),
        seconds=took,
        steps=draw(st.sampled_from(((), (Step(name="install 1.4.0", started=0, seconds=took),)))),
    )


POLICIES = st.builds(
    lambda written: Policy.model_validate(written),
    st.fixed_dictionaries(
        {
            "allow_lab": st.booleans(),
            "allow_known_issues": st.booleans(),
            "flaky": st.integers(0, 2),
            "blocked": st.integers(0, 2),
            "max_age_hours": st.sampled_from((None, 24.0)),
            "evidence_files": st.booleans(),
            "artifact_required": st.booleans(),
            "tiers": st.fixed_dictionaries(
                {
                    "edition": st.sampled_from((None, "home", "enterprise")),
                    "supported": st.sampled_from(("block", "block", "warn")),
                    "unsupported": st.sampled_from(("warn", "block")),
                    "warn": st.sampled_from(((), (26200,))),
                    "block": st.sampled_from(((), (19045,))),
                }
            ),
            "coverage": st.fixed_dictionaries(
                {
                    "share": st.sampled_from((None, 0.25, 0.5, 1.0)),
                    "cells": st.integers(0, 3),
                    "builds": st.integers(0, 2),
                    "supported": st.sampled_from((False, False, True)),
                }
            ),
            "required": st.sampled_from(
                ((), ({"builds": (26100,), "scenarios": ("install",)},), ({"products": ("x",)},))
            ),
            "budgets": st.sampled_from(((), ({"step": "install *", "seconds": 10.0},), ({"seconds": 10.0},))),
            "regressions": st.sampled_from(({}, {"act": "warn"}, {"required": True})),
        }
    ),
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
        draw(results(one, ("skipped",) if one.skip else VERDICTS))
        for one in cells
        if draw(st.integers(0, 9)) or one.skip
    ]
    known = (ISSUE, PlannedIssue(id="old", expires=BEGAN.date().replace(year=2025)))
    sha = draw(st.sampled_from((None, None, PRODUCT_SHA, OLD_SHA)))
    return Evidence(
        plan=plan(*cells, known_issues=known, is_lab=draw(st.sampled_from((False, False, True)))),
        results=tuple(found),
        slower=draw(st.sampled_from((None, (), (Slower("slower", (cell().cell,)),)))),
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
    taken = {one.cell for one in run.plan.cells}
    more = data.draw(
        st.builds(
            cell, st.sampled_from(sorted(SLUGS)), st.sampled_from(SCENARIOS), st.sampled_from(("mytool", "x"))
        ).filter(lambda one: one.cell not in taken)
    )
    failing = data.draw(results(more, ("failed", "hung", "blocked", "not run")))
    worse = replace(
        run,
        plan=run.plan.model_copy(update={"cells": (*run.plan.cells, more)}),
        results=(*run.results, failing),
    )
    assert ships(run, policy, waivers) or not ships(worse, policy, waivers)


@LOOK
@given(runs(), POLICIES, WAIVERS, st.data())
def test_evidence_less_never_turns_hold_into_ship(
    run: Evidence, policy: Policy, waivers: tuple[Waiver, ...], data: st.DataObject
) -> None:
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
    assert not ships(data.draw(st.sampled_from(losses)), policy, waivers)


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


@settings(LOOK, max_examples=30)
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
