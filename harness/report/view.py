"""What the page needs, in the words and the order in which it says it: plain values that a template only lays out."""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceView:
    """One piece of evidence: a link to the whole of it, and what of it stands on the page."""

    name: str
    link: str  # relative address of the file, "" when it cannot be reached from the page
    size: str
    excerpt: str = ""
    whole: bool = False
    image: Markup = field(default_factory=Markup)  # a data: address, made of base64 alone
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """A step and its bar: ``left`` and ``width`` in percent of the cell's time."""

    name: str
    seconds: str
    left: float
    width: float
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CellView:
    """One cell, from its square in the grid to the last piece of evidence."""

    key: str  # "c12": its address on the page
    verdict: str
    style: str  # one letter for the verdict, "k" added where a known issue covers it
    opened: bool
    product: str
    story: str  # scenario and leg
    build: str
    build_name: str
    seconds: str
    reason: str
    headline: str  # the reason's first line, short
    fault: str
    issue: str
    steps: tuple[StepView, ...]
    evidence: tuple[EvidenceView, ...]
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    repeat: str
    kept: tuple[tuple[str, str], ...]  # what to type for a machine that was kept, each with what it does
    filters: str  # "f 0 2": verdict letter, build's and product's place


@dataclass(frozen=True, slots=True, kw_only=True)
class GridRow:
    """A scenario and leg of a product, and its cell for each build; None where nothing was planned."""

    scenario: str
    leg: str
    cells: tuple[CellView | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GridGroup:
    """A product's rows."""

    product: str
    kind: str
    rows: tuple[GridRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A verdict's part of a whole: ``left`` and ``width`` in percent."""

    style: str
    name: str
    number: int
    left: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildView:
    """A Windows build: its names, how long Microsoft serves it, and how its cells came out."""

    number: str
    name: str
    system: str
    release: str
    support: str
    served: bool
    seen: str
    passed: str
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """One cause, whom it hits, and the first cell to look at."""

    style: str
    verdict: str
    what: str
    reason: str
    number: str
    key: str
    issue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueView:
    """A known issue: what is accepted, until when, and how often this run showed it."""

    id: str
    ticket: str
    reason: str
    expires: str
    expired: bool
    shown: str
    key: str  # the first cell to look at, "" where there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One cell on a scale of seconds: ``at`` in percent."""

    at: float
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StripRow:
    """The cells of a scenario on a build, and the numbers that the dots show."""

    build_name: str
    dots: tuple[Dot, ...]
    median: str
    slowest: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StripGroup:
    """A scenario's rows."""

    scenario: str
    rows: tuple[StripRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSum:
    """A step over all cells that took it: where the time of a run goes; ``width`` in percent of the longest."""

    name: str
    number: int
    median: str
    total: str
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TimesView:
    """Seconds by scenario and build on one logarithmic scale, and by step."""

    ticks: tuple[tuple[float, str], ...]
    groups: tuple[StripGroup, ...]
    steps: tuple[StepSum, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """The whole page."""

    title: str
    run: str
    banner: str  # "" unless it is a lab run
    word: str
    mood: str  # ship, hold or lab
    sentence: str
    reasons: tuple[str, ...]
    shares: tuple[Share, ...]
    total: int
    findings: tuple[FindingView, ...]
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    builds: tuple[BuildView, ...]
    grid: tuple[GridGroup, ...]
    issues: tuple[IssueView, ...]
    times: TimesView
    cells: tuple[tuple[str, tuple[CellView, ...]], ...]  # by product
    verdicts: tuple[tuple[str, str], ...]  # for the filters: letter and word of those that occur
    filter_builds: tuple[tuple[int, str], ...]  # and places and names, as in CellView.filters
    filter_products: tuple[tuple[int, str], ...]
    version: str
