"""What the run cost beside the same by hand, where the site gave its numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.results import words
from harness.results.costs import Cost, CostOf, Costs, cost
from harness.results.result import Result
from harness.results.text import clipped

_MOST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """One scenario, or all of them: cells that came to an end, what each took, and what a person would have taken."""

    name: str
    cells: str
    each: str
    each_by_hand: str
    hours: str
    by_hand: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CostView:
    """Both in a sentence, their parts of the larger one in percent, the numbers by scenario.

    Any text but the first may be "".
    """

    sentence: str
    money: str
    note: str
    width: float
    by_hand_width: float
    whole: CostRow
    rows: tuple[CostRow, ...]
    more: int


def cost_view(results: Iterable[Result], costs: Costs | None, *, is_lab: bool = False) -> CostView | None:
    """Reckon; None without numbers, and where no cell came to an end. A lab's hours are no measure of Windows'."""
    found = cost(results, costs) if costs is not None else None
    if found is None or not found.cells:
        return None
    longest = max(found.machine_hours, found.hours_by_hand) or 1.0
    parts = sorted((one for one in found.scenarios if one.cells), key=lambda one: -one.hours_by_hand)
    whole = CostOf(
        name="In all", cells=found.cells, machine_hours=found.machine_hours, hours_by_hand=found.hours_by_hand
    )
    return CostView(
        sentence=f"The machines worked {_hours(found.machine_hours)} for {words.count(found.cells, 'cell')} that came "
        f"to an end. By hand the same would take a person {_hours(found.hours_by_hand)}.",
        money=_money(found),
        note="The lab's guests are quicker than Windows: a site's machines would work longer." if is_lab else "",
        width=round(100 * found.machine_hours / longest, 2),
        by_hand_width=round(100 * found.hours_by_hand / longest, 2),
        whole=_row(whole),
        rows=tuple(map(_row, parts[:_MOST])),
        more=max(0, len(parts) - _MOST),
    )


def _row(one: CostOf) -> CostRow:
    return CostRow(
        name=clipped(one.name, 60),
        cells=f"{one.cells:,}",
        each=words.seconds(3600 * one.machine_hours / one.cells),
        each_by_hand=words.seconds(3600 * one.hours_by_hand / one.cells),
        hours=_hours(one.machine_hours),
        by_hand=_hours(one.hours_by_hand),
    )


def _hours(hours: float) -> str:
    return f"{hours:,.1f} hours" if hours >= 10 else words.seconds(3600 * hours)


def _money(found: Cost) -> str:
    if not (found.machines or found.by_hand):
        return ""
    currency = clipped(found.currency, 20)
    return f"{found.machines:,.2f} {currency} of machines against {found.by_hand:,.2f} {currency} of work."
