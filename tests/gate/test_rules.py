"""Each rule of the gate: what it holds for, whom it names, and what it lets pass."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from harness.gate.evidence import Slower
from harness.gate.policy import Policy
from harness.results.plan import Plan, PlannedIssue
from harness.results.result import Attempt, Fault, Step, Verdict
from tests.gate.cases import (
    BEGAN,
    ENDED,
    ISSUE,
    NOW,
    OLD_SHA,
    SERVED,
    cell,
    judged,
    plan,
    released,
    result,
    rules,
    waiver,
)


def test_a_run_without_anything_against_it_ships() -> None:
    """The sentence says what was proved, and nothing holds."""
    decision = judged(result(cell()), result(cell(scenario="upgrade")))
    assert decision.word == "ship"
    assert decision.reasons == ()
    assert decision.sentence == "Ship: 2 of 2 planned cells passed; nothing speaks against it."


@pytest.mark.parametrize(("verdict", "rule"), [("failed", "failed"), ("hung", "hung"), ("blocked", "blocked")])
def test_a_cell_that_did_not_pass_holds_and_is_named(verdict: str, rule: str) -> None:
    """Failed, hung and blocked cells are reasons of their own, each with its cells."""
    decision = judged(result(cell()), result(cell(scenario="upgrade"), verdict))
    assert decision.word == "hold"
    assert [(reason.rule, reason.cells) for reason in decision.reasons] == [(rule, ("win11-24h2::mytool::upgrade",))]


def test_one_failure_on_many_cells_is_one_reason() -> None:
    """What has one fingerprint is said once, with all of its cells."""
    decision = judged(*(result(cell(build), "failed") for build in (SERVED, "26200")), result(cell("26200", "denied")))
    assert [len(reason.cells) for reason in decision.reasons] == [2]
    assert "Windows 11 24H2 and 25H2" in decision.reasons[0].sentence


def test_a_planned_cell_without_a_result_holds() -> None:
    """Silence is no proof."""
    decision = judged(result(cell()), cells=(cell(), cell(scenario="denied")))
    assert rules(decision) == ["not-run"]


def test_a_skip_of_the_matrix_holds_nothing_and_any_other_skip_does() -> None:
    """Only what is written down and reviewed is left out on purpose."""
    left_out = cell(scenario="denied", skip="it has no installer")
    assert judged(result(cell()), result(left_out, "skipped"), cells=(cell(), left_out)).ships
    assert judged(result(cell()), cells=(cell(), left_out)).ships
    assert rules(judged(result(cell()), result(cell(scenario="denied"), "skipped"))) == ["not-run"]


def test_unsupported_builds_warn_and_supported_ones_block() -> None:
    """Windows 10 22H2 is out of service for Enterprise, so its failures are told and hold nothing."""
    decision = judged(result(cell()), result(cell(ENDED), "failed"))
    assert decision.word == "ship"
    assert [reason.rule for reason in decision.warnings] == ["failed"]
    assert {line.build: line.act for line in decision.builds} == {ENDED: "warn", SERVED: "block"}


def test_the_guests_edition_says_whose_end_of_service_counts() -> None:
    """Windows 11 23H2 ended on the 10th for Enterprise; a guest that never said its edition is judged most strictly."""
    late = NOW.replace(year=2026, month=11, day=5)
    enterprise, home = ({"edition": words} for words in ("Enterprise", "Professional"))
    assert not judged(result(cell()), result(cell("22631"), "failed", guest=enterprise), now=late).ships
    assert judged(result(cell()), result(cell("22631"), "failed", guest=home), now=late).ships
    assert not judged(result(cell()), result(cell("22631"), "failed", guest={}), now=late).ships


def test_a_policy_overrides_the_catalog() -> None:
    """A team may support what Microsoft does not, and the other way round."""
    blocks = Policy.model_validate({"tiers": {"block": ["win10-22h2"]}})
    warns = Policy.model_validate({"tiers": {"warn": [26100]}})
    assert not judged(result(cell()), result(cell(ENDED), "failed"), policy=blocks).ships
    assert judged(result(cell("26200")), result(cell(), "failed"), policy=warns).ships


def test_a_known_issue_is_accepted_until_the_day_it_expires() -> None:
    """It counts on its last day, holds from the next one on, and its ticket is named."""
    known = result(cell(scenario="upgrade"), "failed", known_issue=ISSUE.id)
    last = NOW.replace(year=2027, month=1, day=31)
    decision = judged(result(cell()), known, now=last)
    assert decision.ships
    assert "TOOL-1" in decision.accepted[0].sentence
    expired = judged(result(cell()), known, now=last + timedelta(days=1))
    assert rules(expired) == ["failed", "known-issue"]
    assert "expired on 2027-01-31" in expired.reasons[1].sentence


@pytest.mark.parametrize(
    "issues",
    [(), (PlannedIssue(id="reboot"),), (PlannedIssue(id="another", expires=date(2030, 1, 1)),)],
    ids=["none", "without a date", "another"],
)
def test_a_known_issue_that_the_plan_does_not_have_excuses_nothing(issues: tuple[PlannedIssue, ...]) -> None:
    """A journal alone cannot excuse a cell: the matrix must, with a date."""
    planned = (cell(), cell(scenario="upgrade"))
    run = plan(*planned, known_issues=issues)
    assert not judged(result(planned[0]), result(planned[1], "failed", known_issue=ISSUE.id), run=run).ships


def test_a_known_issue_never_excuses_a_blocked_cell_or_one_out_of_its_scope() -> None:
    """It is laid over the product's faults, where the matrix says."""
    assert rules(judged(result(cell()), result(cell(scenario="denied"), "blocked", known_issue=ISSUE.id))) == [
        "blocked"
    ]
    outside = cell(scenario="denied").model_copy(update={"issues": ()})
    decision = judged(result(cell()), result(outside, "failed", known_issue=ISSUE.id), cells=(cell(), outside))
    assert "is not about this cell" in decision.reasons[1].sentence


def test_a_strict_known_issue_that_did_not_occur_holds() -> None:
    """What the matrix says of the product is no longer true."""
    assert rules(judged(result(cell(), missed_issue=ISSUE.id))) == ["missed-issue"]


def test_flaky_and_blocked_cells_have_a_budget_each() -> None:
    """So many and no more; what is within the budget is still told."""
    flaky = [result(cell(scenario=name), "flaky") for name in ("install", "upgrade")]
    assert rules(judged(*flaky)) == ["flaky"]
    within = judged(*flaky, policy=Policy(flaky=2))
    assert within.ships
    assert within.accepted[0].sentence == "2 cells flaky, 2 allowed"
    assert rules(judged(*flaky, policy=Policy(flaky=1))) == ["flaky"]
    blocked = result(cell(scenario="denied"), "blocked")
    assert judged(result(cell()), blocked, policy=Policy(blocked=1)).ships


def test_a_pass_after_a_failure_is_flaky_whatever_it_is_called() -> None:
    """Passing on a second try is no proof of its own: it counts against the budget, and a site's fault does not."""
    failure = Attempt(verdict=Verdict.FAILED, fault=Fault.PRODUCT, reason="it did not start")
    again = Attempt(verdict=Verdict.PASSED)
    called_passed = result(cell(), "passed", attempts=(failure, again))
    decision = judged(called_passed)
    assert rules(decision) == ["flaky"]
    assert "it did not start" in decision.reasons[0].sentence
    assert judged(called_passed, policy=Policy(flaky=1)).ships
    lost = Attempt(verdict=Verdict.BLOCKED, fault=Fault.SITE, reason="no machine")
    assert judged(result(cell(), "passed", attempts=(lost, again))).ships


def test_the_worse_of_two_results_of_a_cell_counts() -> None:
    """A second try that passed is no pass, wherever it stands in the journal."""
    both = (result(cell(), "failed"), result(cell()))
    for order in (both, both[::-1]):
        assert rules(judged(*order, cells=(cell(),))) == ["nothing-proved", "failed"]


def test_lab_evidence_is_refused_unless_the_policy_allows_it() -> None:
    """One guest that says it is Wine is enough, whatever the plan claims."""
    lab = result(cell(scenario="upgrade"), provenance="Wine 8.0 presenting as 26100")
    assert rules(judged(result(cell()), lab)) == ["lab-evidence"]
    assert rules(judged(result(cell()), run=plan(cell(), is_lab=True))) == ["lab-evidence"]
    allowed = judged(result(cell()), lab, policy=Policy(allow_lab=True))
    assert allowed.ships
    assert allowed.is_lab


def test_a_pass_in_a_guest_that_never_said_what_it_is_holds() -> None:
    """Evidence of unknown origin may be anything, also the lab's."""
    assert rules(judged(result(cell(), provenance=""))) == ["origin"]
    failed = result(cell(scenario="denied"), "failed", provenance="")
    excused = judged(result(cell()), failed, waivers=(waiver(cells=(failed.cell,)),))
    assert rules(excused) == ["origin"]


def test_what_is_released_must_be_what_was_run() -> None:
    """By its SHA-256, in the newest version, and with a pass on a build that blocks."""
    assert judged(result(cell()), artifacts=(released(),)).ships
    older = judged(result(cell()), artifacts=(released(OLD_SHA),))
    assert "only an older version to upgrade from" in older.reasons[0].sentence
    other = judged(result(cell()), artifacts=(released("ef" * 32),))
    assert "was not run; this run is about mytool 1.4.0" in other.reasons[0].sentence
    silent = judged(result(cell()), run=plan(cell(), packages=()), artifacts=(released(),))
    assert "does not say which packages" in silent.reasons[0].sentence
    elsewhere = judged(result(cell(product="other")), artifacts=(released(),))
    assert "no cell of it passed" in elsewhere.reasons[0].sentence
    assert rules(judged(result(cell()), policy=Policy(artifact_required=True))) == ["product-hash"]


def test_a_required_cell_must_exist_and_pass_on_whatever_build() -> None:
    """Neither a known issue nor a tier excuses it, and each combination of what is listed is looked for."""
    policy = Policy.model_validate({"required": [{"builds": [26100, 19045], "scenarios": ["install", "upgrade"]}]})
    full = [result(cell(build, scenario)) for build in (SERVED, ENDED) for scenario in ("install", "upgrade")]
    assert judged(*full, policy=policy).ships
    absent = judged(*full[:3], policy=policy)
    assert absent.reasons[0].sentence == "no cell upgrade on Windows 10 22H2 is in the plan"
    known = result(cell(ENDED, "upgrade"), "failed", known_issue=ISSUE.id)
    assert rules(judged(*full[:3], known, policy=policy)) == ["required"]


def test_coverage_counts_what_passed_on_builds_that_block() -> None:
    """In shares, cells, builds, and against the catalog's supported builds."""
    two = (result(cell()), result(cell(scenario="upgrade"), "failed", known_issue=ISSUE.id), result(cell(ENDED)))
    for coverage, holds in (
        ({"share": 0.5}, False),
        ({"share": 0.51}, True),
        ({"cells": 1}, False),
        ({"cells": 2}, True),
        ({"builds": 2}, True),
        ({"supported": True}, True),
    ):
        decision = judged(*two, policy=Policy.model_validate({"coverage": coverage}))
        assert rules(decision) == (["coverage"] if holds else []), coverage
    served = Policy.model_validate({"coverage": {"supported": True}})
    assert judged(result(cell()), result(cell("26200")), policy=served).ships


def test_a_budget_of_seconds_holds_for_what_took_longer_or_cannot_be_told() -> None:
    """The slowest step is named with its limit; a budget that nothing was held against is a slip of the pen."""
    policy = Policy.model_validate({"budgets": [{"step": "install *", "scenarios": ["install"], "seconds": 10}]})
    assert judged(result(cell()), policy=policy).ships
    for took in (10.01, float("nan"), float("inf")):
        slow = result(cell(), steps=(Step(name="install 1.4.0", started=0, seconds=took),))
        decision = judged(slow, policy=policy)
        assert rules(decision) == ["budget"], took
    assert judged(result(cell()), policy=Policy.model_validate({"budgets": [{"seconds": 12}]})).ships
    assert rules(judged(result(cell(scenario="denied")), policy=policy)) == ["coverage"]
    warned = result(cell(ENDED), "failed")  # what did not pass is no proof that a budget is kept
    assert rules(judged(result(cell(scenario="denied")), warned, policy=policy)) == ["coverage"]


def test_a_regression_holds_warns_or_is_let_be() -> None:
    """As the policy says; without runs to compare with it holds only where the policy demands them."""
    slower = (Slower("install is slower by 18 % to 25 %", (cell().cell,)),)
    policies = {act: Policy.model_validate({"regressions": {"act": act}}) for act in ("block", "warn", "ignore")}
    assert rules(judged(result(cell()), slower=slower)) == ["regression"]
    assert [one.rule for one in judged(result(cell()), policy=policies["warn"], slower=slower).warnings] == [
        "regression"
    ]
    assert judged(result(cell()), policy=policies["ignore"], slower=slower).warnings == ()
    demanded = Policy.model_validate({"regressions": {"required": True}})
    assert rules(judged(result(cell()), policy=demanded)) == ["regressions-unknown"]
    assert judged(result(cell()), policy=demanded, slower=()).ships


def test_a_run_that_is_too_old_or_in_the_future_holds() -> None:
    """Also single cells of it: a merged run is as old as its parts."""
    policy = Policy(max_age_hours=4)
    assert judged(result(cell()), policy=policy).ships
    assert rules(judged(result(cell()), policy=policy, now=BEGAN + timedelta(hours=4, seconds=1))) == ["stale", "stale"]
    assert rules(judged(result(cell()), policy=policy, now=BEGAN - timedelta(hours=1))) == ["stale", "stale"]
    old = result(cell(scenario="denied"), started=BEGAN - timedelta(days=2))
    assert judged(result(cell()), old, policy=policy).reasons[0].cells == (old.cell,)
    undated = Plan.model_validate(plan(cell()).model_dump() | {"started": None})
    assert rules(judged(result(cell()), policy=policy, run=undated)) == ["stale"]
    assert rules(judged(result(cell(), started=None), policy=policy)) == ["stale"]


def test_records_that_are_damaged_or_do_not_belong_together_hold() -> None:
    """A line that cannot be read may have been the one that failed."""
    damaged = judged(result(cell()), damaged=("Line 3 of the journal is not a result and is left out.",))
    assert rules(damaged) == ["journal"]
    assert damaged.missing
    assert rules(judged(result(cell()), result(cell(scenario="denied")), cells=(cell(),))) == ["unplanned"]
    gone = {cell().cell: ("install.log",)}
    assert judged(result(cell()), lost_files=gone).ships
    assert rules(judged(result(cell()), lost_files=gone, policy=Policy(evidence_files=True))) == ["evidence-files"]


def test_nothing_proved_is_nothing_to_ship() -> None:
    """No plan, no cell, nothing but skips, and passes on builds that only warn are no proof."""
    assert rules(judged(cells=())) == ["nothing-proved"]
    assert rules(judged(cells=(cell(skip="not today"),))) == ["nothing-proved"]
    assert rules(judged(result(cell(ENDED)))) == ["nothing-proved"]


def test_a_part_of_a_matrix_does_not_ship() -> None:
    """What was not asked for may be what fails: it holds unless the policy takes parts, and an old plan only warns."""
    cells = (cell(), cell(scenario="denied"))
    part = plan(*cells, whole=55, command="pytest matrices/release.toml -k 'not upgrade'")
    held = judged(*map(result, cells), run=part)
    assert rules(held) == ["narrowed"]
    assert "the run was narrowed to 2 of the 55 cells of its matrix (-k 'not upgrade')" in held.reasons[0].sentence
    assert (held.reasons[0].limit, held.reasons[0].seen) == ("55", "2")
    assert judged(*map(result, cells), run=part, policy=Policy(allow_narrowed=True)).ships
    assert judged(*map(result, cells), run=plan(*cells, whole=2)).ships
    old = judged(*map(result, cells), run=plan(*cells, command="pytest matrices/release.toml --lf"))
    assert (old.word, [one.rule for one in old.warnings]) == ("ship", ["narrowed"])
