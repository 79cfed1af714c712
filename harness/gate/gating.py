"""One turn of the gate: read, decide, write what was asked for, and give the exit code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from harness.errors import AuthoringError
from harness.gate.deciding import decide
from harness.gate.decision import FILE, Decision
from harness.gate.evidence import Seen, cells_of
from harness.gate.outputs import azure, github, plain
from harness.gate.outputs.ctrf import ctrf
from harness.gate.outputs.gitlab import code_quality
from harness.gate.outputs.junit import junit
from harness.gate.outputs.markdown import markdown
from harness.gate.policy import Policy, read_policy
from harness.gate.reading import gather
from harness.gate.waivers import Waiver, read_waivers
from harness.results.run import RunFolder, write_whole

SHIP, HOLD, MISSING = 0, 1, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for."""

    waivers: Path | None = None
    artifacts: tuple[Path, ...] = ()
    runs: Path = Path("build/runs")
    history: str | None = None
    json_file: Path | None = None
    junit: Path | None = None
    ctrf: Path | None = None
    markdown: Path | None = None
    gitlab: Path | None = None
    github: bool = False
    azure: bool = False
    quiet: bool = False


def gate(run: str, policy_file: Path, wanted: Wanted, *, now: datetime, environment: Mapping[str, str]) -> int:
    """Decide and tell; raises AuthoringError for a wrong policy or waiver, OSError for outputs that cannot be kept."""
    policy = read_policy(policy_file)
    waivers = _waivers(policy, wanted)
    try:
        folder = RunFolder.find(run, parent=wanted.runs)
        evidence = gather(folder, policy, wanted.artifacts, history=wanted.history or "")
    except AuthoringError as error:
        click.echo(str(error), err=True)
        return MISSING
    decision = decide(evidence, policy, waivers, now=now)
    cells = cells_of(evidence.plan, evidence.results)
    _write(folder, cells, decision, wanted)
    _tell(cells, decision, wanted, environment)
    if decision.missing:
        return MISSING
    return SHIP if decision.ships else HOLD


def _waivers(policy: Policy, wanted: Wanted) -> tuple[Waiver, ...]:
    files = dict.fromkeys(file.absolute() for file in (policy.waivers, wanted.waivers) if file is not None)
    waivers = tuple(waiver for file in files for waiver in read_waivers(file))
    ids = [waiver.id for waiver in waivers]
    if twice := [one for one in ids if ids.count(one) > 1]:
        raise AuthoringError(f"waiver {twice[0]!r} is in two files; give each an id of its own")
    return waivers


def _write(folder: RunFolder, cells: tuple[Seen, ...], decision: Decision, wanted: Wanted) -> None:
    makers: list[tuple[Path | None, Callable[[], str]]] = [
        (wanted.junit, lambda: junit(cells, decision)),
        (wanted.ctrf, lambda: ctrf(cells, decision)),
        (wanted.markdown, lambda: markdown(cells, decision)),
        (wanted.gitlab, lambda: code_quality(cells, decision)),
    ]
    target = wanted.json_file or folder.path / FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    decision.write(target)
    for file, make in makers:
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, make())


def _tell(cells: tuple[Seen, ...], decision: Decision, wanted: Wanted, environment: Mapping[str, str]) -> None:
    told = list(plain.lines(decision))
    for line in told[-1:] if wanted.quiet else told:
        click.echo(line)
    if wanted.github:
        for line in github.workflow_commands(cells, decision):
            click.echo(line)
        github.announce(cells, decision, environment)
    if wanted.azure:
        for line in azure.commands(decision, wanted.markdown):
            click.echo(line)
