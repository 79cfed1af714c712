"""A run as a terminal shows it. Everything that a guest or a file said is made harmless first."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from io import StringIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harness.results.text import visible
from harness.results.words import seconds
from harness.watch.view import View
from harness.watch.waits import until_the_next_look

STYLES = {
    "passed": "green",
    "flaky": "yellow",
    "failed": "bold red",
    "hung": "bold red",
    "blocked": "magenta",
    "known issue": "cyan",
    "not run": "magenta",
    "skipped": "dim",
}


def show(
    view: View,
    look: Callable[[], View],
    *,
    console: Console | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Show a run on a terminal, look after look, until it is over; whoever watches may end it before by Ctrl-C."""
    with Live(screen(view), console=console, refresh_per_second=4) as live:
        while view.state == "running":
            until_the_next_look(sleep=sleep)
            view = look()
            live.update(screen(view))


def screen(view: View) -> Group:
    """Draw a run: how far it is, what every machine does, and what ended last."""
    parts: list[Text | Table | ProgressBar] = [
        _heading(view),
        ProgressBar(total=max(1, view.planned), completed=view.done),
    ]
    if view.machines or view.running:
        parts.append(_machines(view))
    if view.latest:
        parts.append(_latest(view))
    parts += [Text(note, style="yellow") for note in view.notes]
    return Group(*parts)


def lines(view: View, *, width: int, colour: bool = False) -> list[str]:
    """Draw a run as lines of text, with or without a terminal's colours."""
    console = Console(
        file=StringIO(),
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
    )
    with console.capture() as drawn:
        console.print(screen(view))
    return drawn.get().splitlines()


def _heading(view: View) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(_harmless(view.matrix or view.run), "bold")
    text.append(f"  {view.state}", {"running": "green", "killed": "bold red"}.get(view.state, "yellow"))
    text.append(f"  {view.done:,} of {view.planned:,} cells  ")
    text.append_text(_ends(view.ends))
    text.append(f"  {seconds(view.elapsed)}")
    if view.eta is not None:
        text.append(f", about {seconds(view.eta)} to go (by {view.eta_from})")
    if view.is_lab:
        text.append("  lab: not Windows evidence", "bold yellow")
    return text


def _machines(view: View) -> Table:
    table = Table("machine", "cells", "cell", "step", box=None, padding=(0, 2, 0, 0), header_style="dim")
    for machine in view.machines:
        now = machine.now
        step = f"{_harmless(now.step)} ({now.step_seconds:.0f} s)" if now else ""
        table.add_row(
            Text(_harmless(machine.name)), _ends(machine.ends), Text(_harmless(now.cell) if now else "-"), Text(step)
        )
    for now in view.running:
        if not now.machine:  # it waits for one
            step = f"{_harmless(now.step)} ({now.step_seconds:.0f} s)"
            table.add_row(Text(_harmless(now.worker or "-"), "dim"), "", Text(_harmless(now.cell)), Text(step))
    return table


def _latest(view: View) -> Table:
    table = Table("ended", "", "took", "", box=None, padding=(0, 2, 0, 0), header_style="dim")
    for ended in view.latest:
        reason = Text(_harmless(ended.reason), "dim", no_wrap=True, overflow="ellipsis")
        table.add_row(
            Text(_harmless(ended.cell)),
            Text(ended.verdict, STYLES.get(ended.verdict, "")),
            seconds(ended.seconds),
            reason,
        )
    return table


def _ends(ends: Mapping[str, int]) -> Text:
    text = Text()
    for verdict, number in sorted(ends.items(), key=lambda it: list(STYLES).index(it[0]) if it[0] in STYLES else 99):
        text.append(f"{' ' if text else ''}{number:,} {verdict}", STYLES.get(verdict, ""))
    return text


def _harmless(text: str) -> str:
    return visible(text).replace("\n", " ")[:300]
