"""The terminal's last words: the matrix as a small table, each finding in one sentence, where the report is."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from harness.builds import Build
from harness.plugin.record import WARNING
from harness.plugin.run import Run
from harness.predictions import contradictions
from harness.results.issues import End, standings
from harness.results.narrowed import Narrowed
from harness.results.result import Result, Verdict
from harness.results.text import inert, shown
from harness.results.words import builds_in_words, count, listed, seconds

if TYPE_CHECKING:
    from harness.results.plan import Plan, PlannedCell

# worst first: a square of the table that stands for several cells shows the worst of them
_WORDS = {
    Verdict.HUNG: "HUNG",
    Verdict.FAILED: "FAIL",
    Verdict.BLOCKED: "BLOCKED",
    Verdict.NOT_RUN: "not run",
    None: "known",
    Verdict.FLAKY: "flaky",
    Verdict.PASSED: "pass",
    Verdict.SKIPPED: "skip",
}


class Summary:
    """Registered as a plugin beside the run, to say what it adds up to."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the last words."""
        write_summary(self.run, terminalreporter)


def write_summary(run: Run, terminal: pytest.TerminalReporter) -> None:
    """Write the section "windows builds"."""
    results = [run.results[cell.cell] for cell in run.plan.cells if cell.cell in run.results]
    terminal.section("windows builds")
    for line in table(run.plan.cells, run.results, width=terminal.config.get_terminal_writer().fullwidth):
        terminal.line(line)
    findings = [
        *_findings(results, run.plan),
        *_issues(run.plan, results),
        *_predicted_otherwise(run),
        *(f"! {words}" for words in run.trouble),
    ]
    for line in ["", *findings] if findings else []:
        terminal.line(shown(line))
    for line in [*run.said, *_warnings(results)]:
        terminal.line(shown(line))
    for line in _kept(run.plan, results, terminal.config):
        terminal.line(inert(line))
    terminal.line("")
    terminal.line(verdict_in_words(results, is_lab=run.plan.is_lab))
    if narrowed := Narrowed.of(run.plan):
        terminal.line(f"this run was {narrowed.words}: it says nothing of the cells that it was not asked for")
    terminal.line(f"report: {run.report.resolve().as_uri()}" if run.report else f"run: {run.folder.path.as_uri()}")
    if command := repeat_command(run.plan, results, terminal.config):
        terminal.line(f"repeat what did not pass: {command}")


def table(cells: Sequence[PlannedCell], results: dict[str, Result], *, width: int) -> list[str]:
    """Draw the matrix: a row for each product and scenario, a column for each build."""
    builds = sorted({Build.parse(cell.build) for cell in cells})
    rows: dict[tuple[str, str], dict[Build, list[Result | None]]] = {}
    for cell in cells:
        row = rows.setdefault((cell.product, cell.scenario), {})
        row.setdefault(Build.parse(cell.build), []).append(results.get(cell.cell))
    first = max(len(product) for product, _ in rows)
    second = max(len(scenario) for _, scenario in rows)
    heads = [build.slug if build.revision == 0 else str(build) for build in builds]
    if first + second + 1 + sum(len(head) + 2 for head in heads) > width:
        heads = [str(build) for build in builds]  # numbers are shorter than names
    wide = [max(len(head), 7) for head in heads]
    lines = [" " * (first + second + 1) + "".join(f"  {head:<{room}}" for head, room in zip(heads, wide, strict=True))]
    shown = ""
    for (product, scenario), row in rows.items():
        squares = [_square(row[build]) if build in row else "-" for build in builds]
        name = product if product != shown else ""
        shown = product
        drawn = "".join(f"  {square:<{room}}" for square, room in zip(squares, wide, strict=True))
        lines.append(f"{name:<{first}} {scenario:<{second}}{drawn}")
    return [line.rstrip() for line in lines]


def _square(results: list[Result | None]) -> str:
    ends = Counter(_end(result) for result in results)
    worst = next(end for end in _WORDS if ends[end])
    several = f" {ends[worst]}/{len(results)}" if len(results) > 1 and ends[worst] < len(results) else ""
    return _WORDS[worst] + several


def _end(result: Result | None) -> Verdict | None:
    if result is None:
        return Verdict.NOT_RUN
    return None if result.known_issue is not None else result.verdict


def _issues(plan: Plan, results: Sequence[Result]) -> Iterable[str]:
    """Say which known issues are gone, and which count no more."""
    ends = {result.cell: End.of(result) for result in results}
    for standing in standings(plan, ends, is_lab=plan.is_lab, today=datetime.now().astimezone().date()):
        if standing.how in ("fixed", "expired"):
            issue = standing.issue
            owner = f", owner {issue.owner}" if issue.owner else ""
            yield f"KNOWN ISSUE {issue.id} ({issue.ticket}{owner}) {standing.words}"


def _predicted_otherwise(run: Run) -> Iterable[str]:
    """Say once which reading of a package was contradicted, on however many cells."""
    otherwise: dict[tuple[str, str], list[tuple[Result, str]]] = {}
    for result in run.results.values():
        if (inspected := run.predicted.of(result.cell)) is not None:
            for finding in contradictions(result, inspected):
                otherwise.setdefault((result.product, finding.subject), []).append((result, finding.sentence))
    for seen in otherwise.values():
        yield f"PREDICTED OTHERWISE on {_cells([result for result, _ in seen])}: {seen[0][1]}"


def _findings(results: Sequence[Result], plan: Plan) -> Iterable[str]:
    for verdict in (Verdict.FAILED, Verdict.HUNG):
        yield from _grouped(verdict.upper(), results, verdict, plan)
    yield from (
        f"NOT CLOSED {result.cell}: {note}"
        for result in results
        if result.missed_issue is not None
        for note in result.notes
        if note.startswith(f"known issue {result.missed_issue} ")
    )
    yield from _grouped("FLAKY, passed only when tried again:", results, Verdict.FLAKY, plan)
    yield from _grouped("BLOCKED, not the product's fault:", results, Verdict.BLOCKED, plan)
    yield from _grouped("NOT RUN:", results, Verdict.NOT_RUN, plan)
    known: dict[str, list[Result]] = {}
    for result in results:
        if result.known_issue is not None:
            known.setdefault(result.known_issue, []).append(result)
    for issue, covered in known.items():
        reasons = list(dict.fromkeys(result.reason for result in covered))
        yield f"KNOWN ISSUE {issue} on {_cells(covered)}: {listed(reasons, 2)}"


def _grouped(heading: str, results: Sequence[Result], verdict: Verdict, plan: Plan) -> Iterable[str]:
    """Say a failure once, with its cause, its fingerprint and what was written of it, however many cells it hit."""
    failures: dict[str, list[Result]] = {}
    for result in results:
        if result.verdict is verdict and result.known_issue is None:
            failures.setdefault(result.fingerprint or result.reason, []).append(result)
    for cells in failures.values():
        first = cells[0]
        named = f" [{first.cause} {first.fingerprint}]" if first.fingerprint and verdict is not Verdict.NOT_RUN else ""
        steps = set(map(_at_step, cells))
        yield f"{heading} {_cells(cells)}: {first.reason}{steps.pop() if len(steps) == 1 else ''}{named}"
        if (note := plan.note_of(first.fingerprint)) is not None:
            yield f"  note: {note}"


def _at_step(result: Result) -> str:
    broken = [step.name for step in result.steps if step.error is not None]
    return f" (step: {broken[-1]})" if broken else ""


def _cells(results: Sequence[Result]) -> str:
    if len(results) == 1:
        return results[0].cell
    products = listed(list(dict.fromkeys(result.product for result in results)), 4)
    names = [Build.parse(result.build).name for result in results]
    return f"{count(len(results), 'cell')} ({products} on {builds_in_words(names)})"


def verdict_in_words(results: Sequence[Result], *, is_lab: bool) -> str:
    """Say the run's result in one sentence."""
    ends = Counter(result.verdict for result in results if result.known_issue is None)
    known = [result for result in results if result.known_issue is not None]
    held = [f"{ends[verdict]} {verdict}" for verdict in Verdict if verdict.value in _HOLDS and ends[verdict]]
    if unclosed := sum(result.missed_issue is not None for result in results):
        held.append(f"{unclosed} without the known issue that was expected")
    told = f"{ends[Verdict.PASSED]} of {count(len(results), 'cell')} passed"
    if ends[Verdict.FLAKY]:
        told += f", {ends[Verdict.FLAKY]} flaky (passed only when tried again)"
    if ends[Verdict.SKIPPED]:
        told += f", {ends[Verdict.SKIPPED]} skipped on purpose"
    if held:
        told += f"; {listed(held)}" + (f"; {len(known)} under a known issue" if known else "")
    elif known:
        issues = listed(list(dict.fromkeys(result.known_issue or "" for result in known)), 6)
        told += f"; exactly the expected findings were found: {issues} on {count(len(known), 'cell')}"
    elif not ends[Verdict.FLAKY]:
        told += "; nothing unexpected" if ends[Verdict.PASSED] else "; nothing was proved"
    if held and not (
        ends[Verdict.PASSED] or ends[Verdict.FLAKY] or ends[Verdict.FAILED] or ends[Verdict.HUNG] or known
    ):
        told += "; nothing is known of the product"
    took = seconds(sum(result.seconds for result in results))
    where = " on the lab's Wine guests, which is no Windows evidence" if is_lab else ""
    return f"{told}{where} ({took} of machine time)"


_HOLDS = frozenset({"failed", "hung", "blocked", "not run"})


def _warnings(results: Sequence[Result]) -> Iterable[str]:
    """Say a warning once, however many cells it is of."""
    warned: dict[str, list[Result]] = {}
    for result in results:
        for note in result.notes:
            if note.startswith(WARNING):
                warned.setdefault(note.removeprefix(WARNING), []).append(result)
    for words, cells in warned.items():
        yield f"WARNING {_cells(cells)}: {words}"


def _kept(plan: Plan, results: Sequence[Result], config: pytest.Config) -> Iterable[str]:
    nodes = {cell.cell: cell.node for cell in plan.cells}
    for result in results:
        if result.kept is not None:
            snapshot = f", snapshot {result.kept.snapshot}" if result.kept.snapshot else ""
            until = result.kept.until.astimezone()
            yield f"KEPT {result.kept.machine} as {result.cell} left it, until {until:%Y-%m-%d %H:%M}{snapshot}"
            yield f"  look at it:   {result.kept.attach}"
            yield f"  repeat it:    {shlex.join([*_pytest(config), nodes[result.cell]])}"
            yield f"  give it back: {result.kept.release}"


def _pytest(config: pytest.Config) -> list[str]:
    site = config.getoption("--site")
    return ["pytest", f"--site={site}"] if site else ["pytest"]  # in one word: else pytest takes it for a test's place


def repeat_command(plan: Plan, results: Sequence[Result], config: pytest.Config) -> str:
    """Return the command that runs again what did not pass, with the options that matter; nothing when all is well."""
    ends = {result.cell: result for result in results}
    missed = [
        cell.node
        for cell in plan.cells
        if (result := ends.get(cell.cell)) is None or (result.verdict.value in _HOLDS and result.known_issue is None)
    ]
    if not missed:
        return ""
    words = _pytest(config)
    if len(missed) <= 4 or any(result.verdict is Verdict.NOT_RUN for result in results):
        nodes = missed if len(missed) <= 4 else list(dict.fromkeys(node.rpartition("::")[0] for node in missed))
        return shlex.join([*words, *nodes])
    # pytest's own memory of what failed is shorter than a page of node ids
    return shlex.join([*words, "--lf", *dict.fromkeys(node.partition("::")[0] for node in missed)])
