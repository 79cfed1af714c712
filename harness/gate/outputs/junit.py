"""The gate's answer as JUnit XML: a suite of the gate's own reasons, and one for each build with its cells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from harness.gate.complaint import RULES
from harness.gate.decision import Decision
from harness.gate.evidence import PROVED, Seen
from harness.gate.outputs.standing import Standing, standings
from harness.results.text import clipped, visible

_LONGEST = 20_000


def junit(cells: Sequence[Seen], decision: Decision) -> str:
    """Write JUnit XML that fails where the gate holds, and nowhere else.

    A cell that did not pass and holds nothing is shown as skipped, with the reason for both.
    """
    suites = Element("testsuites", name="wincompat gate")
    _gate_suite(suites, decision)
    by_build: dict[str, list[Standing]] = {}
    for standing in standings(cells, decision):
        by_build.setdefault(standing.cell.build_name, []).append(standing)
    for build, ones in by_build.items():
        suite = _suite(suites, build)
        for standing in ones:
            _case(suite, standing)
        _count(suite)
    for name in ("tests", "failures", "errors", "skipped"):
        suites.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    indent(suites, " ")
    return tostring(suites, encoding="unicode", xml_declaration=False) + "\n"


def _gate_suite(suites: Element, decision: Decision) -> None:
    suite = _suite(suites, "gate")
    if not decision.reasons:
        SubElement(suite, "testcase", classname="gate", name="ship", time="0")
    for rule in RULES:
        met = [reason for reason in decision.reasons if reason.rule == rule]
        if met:
            case = SubElement(suite, "testcase", classname="gate", name=rule, time="0")
            failure = SubElement(case, "failure", message=_text(met[0].sentence), type=rule)
            failure.text = _text("\n".join(one.sentence + "".join(f"\n  {cell}" for cell in one.cells) for one in met))
    _count(suite)


def _case(suite: Element, standing: Standing) -> None:
    cell = standing.cell
    name = f"{cell.scenario}[{cell.leg}]" if cell.leg else cell.scenario
    took = cell.seconds if math.isfinite(cell.seconds) and cell.seconds > 0 else 0.0
    case = SubElement(
        suite,
        "testcase",
        classname=_text(f"{cell.build_name}.{cell.product}"),
        name=_text(name),
        file=_text(standing.place),
        time=f"{took:.3f}",
    )
    words = _text(standing.words)
    if standing.holds:
        kind = "error" if cell.verdict in ("blocked", "not run") else "failure"  # as pytest splits them
        SubElement(case, kind, message=words, type=_text(cell.verdict)).text = words
    elif cell.verdict not in PROVED:
        SubElement(case, "skipped", message=f"{_text(cell.verdict)}; {words}")


def _suite(suites: Element, name: str) -> Element:
    return SubElement(suites, "testsuite", name=_text(name))


def _count(suite: Element) -> None:
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")


def _text(text: str) -> str:
    return visible(clipped(text, _LONGEST))  # XML 1.0 has no place for control characters, not even escaped ones
