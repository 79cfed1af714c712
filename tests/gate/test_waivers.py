"""A hold is overridden by a person, for a time, in a file; and never by more than that."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from harness.errors import AuthoringError
from harness.gate.policy import Policy
from harness.gate.waivers import read_waivers
from tests.gate.cases import OLD_SHA, cell, judged, plan, released, result, rules, waiver

FAILED = (result(cell()), result(cell(scenario="upgrade"), "failed"))


@pytest.mark.parametrize("what", [{"cells": ("win11-24h2::mytool::up*",)}, {"fingerprints": ("feed123456",)}])
def test_a_waiver_lets_a_failure_pass_and_says_who_answers_for_it(what: dict[str, tuple[str, ...]]) -> None:
    """By a pattern of cells or by the failure's fingerprint; reason, person and expiry are on the decision."""
    decision = judged(*FAILED, waivers=(waiver(**what),))
    assert decision.ships
    met = decision.waivers[0]
    assert (met.person, met.expires, met.flaw) == ("Ada", date(2026, 12, 1), "")
    assert [(reason.rule, reason.cells) for reason in met.covers] == [("failed", ("win11-24h2::mytool::upgrade",))]
    assert "1 waiver by Ada" in decision.sentence


@pytest.mark.parametrize(
    ("flaw", "said"),
    [
        ({"expires": date(2026, 11, 21)}, "it expired on 2026-11-21"),
        ({"signed_off": None}, "nobody has signed it off"),
        ({"signed_off": date(2026, 11, 23)}, "which is yet to come"),
        ({"person": "Mallory"}, "Mallory is not among the policy's approvers"),
    ],
)
def test_a_waiver_that_does_not_count_is_a_reason_to_hold(flaw: dict[str, object], said: str) -> None:
    """Even where nothing else holds: what was accepted for a time has to be looked at again."""
    bad = waiver(cells=("*",), **flaw)
    policy = Policy(approvers=("Ada",))
    decision = judged(*FAILED, policy=policy, waivers=(bad,))
    assert rules(decision) == ["waiver", "failed"]
    assert said in decision.reasons[0].sentence
    assert rules(judged(result(cell()), policy=policy, waivers=(bad,))) == ["waiver"]


def test_a_waiver_counts_on_its_last_day() -> None:
    """An expiry is the last day, as that of a known issue."""
    assert judged(*FAILED, waivers=(waiver(cells=("*",), expires=date(2026, 11, 22)),)).ships


def test_what_was_not_seen_is_covered_only_where_it_is_named() -> None:
    """Lab evidence, another product's hash and silence need their own word, whatever the cells."""
    everything = waiver(cells=("*",), fingerprints=("feed123456",))
    lab = plan(cell(), is_lab=True)
    assert rules(judged(result(cell()), run=lab, waivers=(everything,))) == ["lab-evidence"]
    assert judged(result(cell()), run=lab, waivers=(waiver(rules=("lab-evidence",)),)).ships
    other: dict[str, Any] = {"artifacts": (released(OLD_SHA),)}
    assert rules(judged(result(cell()), waivers=(everything,), **other)) == ["product-hash"]
    assert judged(result(cell()), waivers=(waiver(rules=("product-hash",)),), **other).ships
    silent: dict[str, Any] = {"cells": (cell(), cell(scenario="denied"))}
    assert rules(judged(result(cell()), waivers=(everything,), **silent)) == ["not-run"]
    named = waiver(cells=("*::denied",), rules=("not-run",))
    assert judged(result(cell()), waivers=(named,), **silent).ships


def test_a_waiver_covers_nothing_that_it_does_not_match() -> None:
    """A failure beside the waived one holds, and a waiver that covers nothing is told to go."""
    other = waiver(cells=("win10-*",))
    decision = judged(*FAILED, waivers=(other,))
    assert rules(decision) == ["failed"]
    assert [one.sentence for one in decision.warnings] == ["waiver REL-1 covers nothing: take it out"]


def test_a_waived_cell_does_not_use_up_a_budget() -> None:
    """Two flaky cells of which one is waived are one."""
    flaky = [result(cell(scenario=name), "flaky") for name in ("install", "upgrade")]
    assert judged(*flaky, policy=Policy(flaky=1), waivers=(waiver(cells=("*::install",)),)).ships


def test_nothing_covers_that_nothing_was_proved() -> None:
    """With everything waived there is still nothing to ship on."""
    assert rules(judged(result(cell(), "failed"), waivers=(waiver(cells=("*",)),))) == ["nothing-proved"]


def test_a_waiver_may_name_one_rule_alone() -> None:
    """A step that became slower is accepted without accepting that the cell fails."""
    narrow = waiver(cells=("*",), rules=("budget",))
    policy = Policy.model_validate({"budgets": [{"seconds": 5}]})
    assert judged(result(cell()), policy=policy, waivers=(narrow,)).ships
    assert rules(judged(*FAILED, policy=policy, waivers=(narrow,))) == ["failed"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('id="a"\nreason="r"\nperson="p"\nexpires=2026-12-01', "covers nothing"),
        ('id="a"\nreason="r"\nexpires=2026-12-01\ncells=["*"]', "the key 'person' is missing"),
        ('id="a"\nreason="r"\nperson="p"\ncells=["*"]', "the key 'expires' is missing"),
        ('id="a"\nperson="p"\nexpires=2026-12-01\ncells=["*"]', "the key 'reason' is missing"),
        ('id="a"\nreason="r"\nperson="p"\nexpires=2026-12-01\nrules=["not-run"]', "names its cells"),
        ('id="a"\nreason="r"\nperson="p"\nexpires=2026-12-01\nrules=["lab-evidnce"]', "lab-evidence"),
        ('id="a"\nreason="r"\nperson="p"\nexpires=2026-12-01\nrules=["failed"]', "names its cells"),
    ],
)
def test_a_mistake_in_a_waiver_is_one_line(tmp_path: Path, written: str, said: str) -> None:
    """A waiver says what, why, who and until when, in the rules' own words."""
    file = tmp_path / "waivers.toml"
    file.write_text(f"[[waivers]]\n{written}\n", "utf-8")
    with pytest.raises(AuthoringError) as caught:
        read_waivers(file)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
