"""Runs for the gate, made by hand: a plan with its results on Windows builds, and what can be said of them."""

from __future__ import annotations

from datetime import UTC, date, datetime

from harness.gate.deciding import decide
from harness.gate.decision import Decision
from harness.gate.evidence import Artifact, Evidence
from harness.gate.policy import Policy
from harness.gate.waivers import Waiver
from harness.results.plan import Plan, PlannedCell, PlannedIssue, PlannedPackage
from harness.results.result import Fault, Result, Step, Verdict

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
BEGAN = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
SLUGS = {"22631": "win11-23h2", "26100": "win11-24h2", "26200": "win11-25h2", "19045": "win10-22h2"}
SERVED, ENDED = "26100", "19045"  # on that day, for Enterprise
PRODUCT_SHA = "ab" * 32
OLD_SHA = "cd" * 32
ISSUE = PlannedIssue(id="reboot", ticket="TOOL-1", reason="asks for a restart", expires=date(2027, 1, 31))


def cell(
    build: str = SERVED, scenario: str = "install", product: str = "mytool", *, skip: str | None = None
) -> PlannedCell:
    """Plan a cell."""
    name = f"{SLUGS[build]}::{product}::{scenario}"
    return PlannedCell(
        cell=name,
        build=build,
        product=product,
        kind="msi",
        scenario=scenario,
        skip=skip,
        node=f"matrices/release.toml::{name}",
        issues=(ISSUE.id,),
    )


def result(planned: PlannedCell, verdict: Verdict | str = "passed", **more: object) -> Result:
    """Let a cell come out some way, on a guest that said what it is."""
    own = {name: getattr(planned, name) for name in ("cell", "build", "product", "kind", "scenario", "leg")}
    blamed = str(verdict) in ("failed", "hung")
    usual: dict[str, object] = {
        "verdict": verdict,
        "fault": Fault.PRODUCT if blamed else Fault.NOBODY,
        "reason": "it did not work" if blamed else "",
        "fingerprint": "feed123456" if blamed else "",
        "provenance": "Windows",
        "guest": {"edition": "Enterprise"},
        "started": BEGAN,
        "seconds": 12.0,
        "steps": (Step(name="install 1.4.0", started=0.5, seconds=9.0),),
    }
    return Result.model_validate({**own, **usual, **more})


def plan(*cells: PlannedCell, **more: object) -> Plan:
    """Plan a run of a product whose newest version is 1.4.0."""
    packages = (
        PlannedPackage(product="mytool", version="1.3.0", file="mytool-1.3.0.msi", sha256=OLD_SHA),
        PlannedPackage(product="mytool", version="1.4.0", file="mytool-1.4.0.msi", sha256=PRODUCT_SHA, newest=True),
    )
    usual = {"run": "r1", "matrix": "release", "started": BEGAN, "packages": packages, "known_issues": (ISSUE,)}
    return Plan.model_validate({**usual, "cells": cells, **more})


def released(sha256: str = PRODUCT_SHA) -> Artifact:
    """Name a file that is being released."""
    return Artifact(name="mytool-1.4.0.msi", sha256=sha256)


def judged(
    *results: Result,
    cells: tuple[PlannedCell, ...] | None = None,
    policy: Policy | None = None,
    waivers: tuple[Waiver, ...] = (),
    now: datetime = NOW,
    run: Plan | None = None,
    **evidence: object,
) -> Decision:
    """Hold a run before the gate; without ``cells``, just what has a result was planned."""
    if run is None:
        planned = cells if cells is not None else tuple(_planned(one) for one in results)
        run = plan(*planned)
    found = Evidence(plan=run, results=results, run=run.run, **evidence)  # type: ignore[arg-type]  # what a test names
    return decide(found, policy or Policy(), waivers, now=now)


def waiver(**more: object) -> Waiver:
    """Write a waiver that counts."""
    usual: dict[str, object] = {
        "id": "REL-1",
        "reason": "the customer has no such machines",
        "person": "Ada",
        "signed_off": date(2026, 11, 20),
        "expires": date(2026, 12, 1),
    }
    return Waiver.model_validate({**usual, **more})


def rules(decision: Decision) -> list[str]:
    """Name the rules that hold."""
    return [reason.rule for reason in decision.reasons]


def _planned(one: Result) -> PlannedCell:
    return cell(one.build, one.scenario, one.product)
