"""What was predicted of the packages beside what was seen: of each cell, and of the run as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from harness.predictions import Comparison, Inspected, Preflight, Standing, compare
from harness.results import words
from harness.results.plan import Plan
from harness.results.result import Result
from harness.results.text import clipped

_MOST = 12  # predictions of one cell
_MOST_ROWS = 30
_STYLES = {
    Standing.CONTRADICTED: "b",
    Standing.AGREED: "p",
    Standing.DID_NOT_HAPPEN: "s",
    Standing.UNDECIDED: "n",
}


@dataclass(frozen=True, slots=True)
class ForetoldView:
    """One prediction of one cell: how it stands, the finding that made it, what was to come and what came."""

    style: str
    standing: str
    code: str
    predicted: str
    seen: str


@dataclass(frozen=True, slots=True)
class EndView:
    """How many cells a prediction came out on in one way, and the first of them."""

    style: str
    standing: str
    number: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionView:
    """One prediction of one package over all cells it speaks of."""

    package: str
    code: str
    sentence: str
    predicted: str
    ends: tuple[EndView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionsView:
    """Every prediction of a run, what was contradicted first; ``troubles`` are packages that could not be read."""

    sentence: str
    rows: tuple[PredictionView, ...]
    more: int
    troubles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Foretold:
    """What was said of the packages before they were run, and how that stands for each cell of which something was."""

    preflight: Preflight
    compared: Mapping[str, tuple[Comparison, ...]]

    @classmethod
    def of(cls, results: Iterable[Result], preflight: Preflight) -> Self:
        """Hold every result against what was said of its package."""
        speaking = {key: one for key, one in preflight.packages.items() if any(said.predicts for said in one.findings)}
        found = {
            result.cell: compare(result, speaking[key])
            for result in results
            if (key := preflight.cells.get(result.cell, "")) in speaking
        }
        return cls(preflight, {cell: comparisons for cell, comparisons in found.items() if comparisons})

    @property
    def contradicted(self) -> frozenset[str]:
        """The cells that contradict a prediction."""
        standing = Standing.CONTRADICTED
        return frozenset(
            cell for cell, those in self.compared.items() if any(one.standing is standing for one in those)
        )

    def trouble(self, cell: str) -> str:
        """Say why there is nothing to say of a cell's package; "" where there is, or where nobody looked."""
        package = self.preflight.of(cell)
        return package.trouble if package is not None else ""


def foretold_views(those: Iterable[Comparison]) -> tuple[ForetoldView, ...]:
    """Lay out the predictions of one cell, what was contradicted first."""
    order = list(_STYLES)
    return tuple(
        ForetoldView(
            _STYLES[one.standing],
            one.standing.value,
            clipped(one.said.code, 80),
            _outcome(one),
            clipped(one.seen.strip().split("\n", 1)[0], 400),
        )
        for one in sorted(those, key=lambda one: order.index(one.standing))[:_MOST]
    )


def predictions_view(foretold: Foretold, keys: Mapping[str, str]) -> PredictionsView | None:
    """Add up how each prediction came out; None where no package was read before it was run."""
    preflight = foretold.preflight
    if not preflight.packages:
        return None
    groups: dict[tuple[str, ...], tuple[Comparison, dict[Standing, list[str]]]] = {}
    for cell, those in foretold.compared.items():
        package = preflight.of(cell)
        for one in those:
            name = _name(package) if package is not None else ""
            alike = (name, one.said.code, one.predicted.scenario, _outcome(one))
            groups.setdefault(alike, (one, {}))[1].setdefault(one.standing, []).append(cell)
    rows = [_row(name, one, ends, keys) for (name, *_), (one, ends) in groups.items()]
    order = list(_STYLES.values())
    rows.sort(key=lambda row: (order.index(row.ends[0].style), row.package, row.code))
    # what was read and lets nobody foresee anything, or speaks of cells that this run does not have
    foreseen = {(name, code) for name, code, *_ in groups}
    rows += [_unseen(*alike) for alike in dict.fromkeys(_read(preflight)) if alike[:2] not in foreseen]
    total = {standing: sum(len(ends.get(standing, ())) for _, ends in groups.values()) for standing in _STYLES}
    said = [f"{number:,} {standing}" for standing, number in total.items() if number]
    packages = words.count(len({_name(one) for one in preflight.packages.values()}), "package")
    foretold_of = words.count(sum(total.values()), "prediction for a cell", "predictions for cells")
    troubles = dict.fromkeys(f"{_name(one)}: {one.trouble}" for one in preflight.packages.values() if one.trouble)
    return PredictionsView(
        sentence=f"{packages} read before the run, {foretold_of}{': ' + words.listed(said) if said else ''}.",
        rows=tuple(rows[:_MOST_ROWS]),
        more=max(0, len(rows) - _MOST_ROWS),
        troubles=tuple(clipped(trouble, 300) for trouble in troubles)[:_MOST_ROWS],
    )


def _read(preflight: Preflight) -> Iterator[tuple[str, str, str]]:
    for package in preflight.packages.values():
        for said in package.findings:
            yield _name(package), said.code, said.sentence


def _name(package: Inspected) -> str:
    return package.file or package.product


def _unseen(name: str, code: str, sentence: str) -> PredictionView:
    return PredictionView(
        package=clipped(name, 200),
        code=clipped(code, 80),
        sentence=clipped(sentence, 300),
        predicted="nothing",
        ends=(),
    )


def told_of(result: Result | None, plan: Plan | None, trouble: str = "") -> tuple[str, ...]:
    """Give sentences beside a cell's result, each of which says first what it is about."""
    if result is None:
        return ()
    note = plan.note_of(result.fingerprint) if plan is not None and result.fingerprint else None
    told = [
        ("fingerprint", result.fingerprint),
        ("at fault", result.at_fault),
        ("note", str(note or "")),
        ("prediction", f"none: {trouble}" if trouble else ""),
    ]
    return tuple(clipped(f"{name}: {words}", 600) for name, words in told if words)


def _row(name: str, one: Comparison, ends: Mapping[Standing, list[str]], keys: Mapping[str, str]) -> PredictionView:
    return PredictionView(
        package=clipped(name, 200),
        code=clipped(one.said.code, 80),
        sentence=clipped(one.said.sentence, 300),
        predicted=f"{clipped(one.predicted.scenario, 60)} {_outcome(one)}",
        ends=tuple(
            EndView(style, standing.value, words.count(len(ends[standing]), "cell"), keys.get(ends[standing][0], ""))
            for standing, style in _STYLES.items()
            if standing in ends
        ),
    )


def _outcome(one: Comparison) -> str:
    return clipped(f"{'' if one.predicted.surely else 'possibly '}{one.predicted.outcome}", 80)
