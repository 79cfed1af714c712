"""What a run cost in hours and money, beside what a person would have taken for the same cells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from harness.authoring import Authored, Text, read
from harness.results.result import Result
from harness.results.trends import JUDGED
from harness.results.words import count, seconds

FILE = Path("fixtures", "costs.toml")
"""Where a project keeps its numbers, from its root."""

Amount = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class Costs(Authored):
    """What this site's people and machines take, by its own numbers: ``[manual]`` minutes of a person for a cell.

    ``scenarios`` names those that take longer or shorter; ``per_hour`` and ``machine_per_hour`` are in ``currency``.
    """

    class Manual(Authored):
        """Minutes that a person needs by hand."""

        minutes_per_cell: Annotated[float, Field(gt=0, le=10_000)]
        minutes_per_machine: Amount = 0.0  # to make a clean one, for each cell
        per_hour: Amount = 0.0
        scenarios: dict[str, Amount] = Field(default_factory=dict)

    manual: Manual
    machine_per_hour: Amount = 0.0
    currency: Text = "EUR"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostOf:
    """A part of a run beside the same by hand: ``cells`` that came to an end, and hours of machines and of a person."""

    name: str
    cells: int
    machine_hours: float
    hours_by_hand: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One run beside the same cells by hand; money is 0 where the site gave no rates.

    ``machine_hours`` are all that the run took, also for cells that came to no end; ``scenarios`` are its parts.
    """

    cells: int
    machine_hours: float
    hours_by_hand: float
    machines: float
    by_hand: float
    currency: str
    scenarios: tuple[CostOf, ...] = ()


def cost(results: Iterable[Result], costs: Costs) -> Cost:
    """Reckon what a run took, and what a person would have taken for those of its cells that came to an end."""
    parts: dict[str, list[Result]] = {}
    for result in results:
        parts.setdefault(result.scenario, []).append(result)
    scenarios = tuple(_part(name, own, costs) for name, own in parts.items())
    hours, by_hand = (sum(getattr(one, name) for one in scenarios) for name in ("machine_hours", "hours_by_hand"))
    return Cost(
        cells=sum(one.cells for one in scenarios),
        machine_hours=hours,
        hours_by_hand=by_hand,
        machines=hours * costs.machine_per_hour,
        by_hand=by_hand * costs.manual.per_hour,
        currency=costs.currency,
        scenarios=scenarios,
    )


def _part(name: str, results: list[Result], costs: Costs) -> CostOf:
    manual = costs.manual
    ended = sum(result.verdict in JUDGED for result in results)
    minutes = manual.scenarios.get(name, manual.minutes_per_cell) + manual.minutes_per_machine
    # a journal is read from disk: what is no duration took no time
    taken = sum(result.seconds for result in results if 0 <= result.seconds < 1e9)
    return CostOf(name=name, cells=ended, machine_hours=taken / 3600, hours_by_hand=ended * minutes / 60)


def numbers_of(root: Path) -> Path | None:
    """Find a project's numbers; None where it gave none."""
    return root / FILE if (root / FILE).is_file() else None


def read_costs(path: Path) -> Costs:
    """Read a site's costs; raises AuthoringError with one line for each mistake."""
    return read(path, Costs)


def cost_in_words(found: Cost) -> str:
    """Say a run's cost in one sentence."""
    if not found.cells:
        return "no cell came to an end: there is nothing to reckon"
    each = seconds(found.machine_hours * 3600 / found.cells)
    money = (
        f" ({found.machines:,.2f} {found.currency} against {found.by_hand:,.2f} {found.currency})"
        if found.by_hand or found.machines
        else ""
    )
    return (
        f"{count(found.cells, 'cell')}: {found.machine_hours:,.2f} machine hours ({each} each); "
        f"by hand {found.hours_by_hand:,.1f} hours{money}"
    )
