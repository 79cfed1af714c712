"""What the page needs, in the words and the order in which it says it: plain values that a template only lays out."""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup

from harness.report.changes import ChangesView
from harness.report.charts.boxes import BoxesView
from harness.report.charts.heat import HeatView
from harness.report.charts.lanes import LanesView
from harness.report.charts.pace import PaceView
from harness.report.charts.trend import TrendView
from harness.report.costs import CostView
from harness.report.coverage import CoverageView
from harness.report.foretold import ForetoldView, PredictionsView


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
    cause: str = ""
    findings: tuple[tuple[str, str], ...] = ()  # code and sentence
    attempts: tuple[tuple[str, str], ...] = ()  # verdict and why
    foretold: tuple[ForetoldView, ...] = ()


@dataclass(frozen=True, slots=True)
class Square:
    """A cell in the plain grid; ``key`` is "" where the page does not tell it in full."""

    style: str
    word: str
    key: str
    seconds: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GridRow:
    """A scenario and leg of a product, and its cell for each build; None where nothing was planned."""

    scenario: str
    leg: str
    squares: tuple[Square | None, ...]


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
    cause: str = ""
    fingerprint: str = ""
    note: str = ""  # what somebody wrote of it
    share: float = 0.0  # percent of the cells that did not pass
    so_far: float = 0.0  # the same with all findings before it


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
class RulingView:
    """Ship or hold in a word and a sentence, and every reason; ``by`` names the policy, "" without one."""

    word: str
    mood: str  # ship, hold or lab
    sentence: str
    by: str
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    waivers: tuple[str, ...]
    accepted: tuple[str, ...] = ()  # known issues, and what stayed within its budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Islands:
    """What the page's script unfolds: the grid's columns, the cells' stories, and files that were packed in."""

    grid: str
    stories: str
    files: tuple[tuple[str, str], ...] = ()  # address as in links, content


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """The whole page."""

    title: str
    run: str
    banner: str  # "" unless it is a lab run
    narrowed: str  # "" unless the run was asked for a part of its matrix alone
    ruling: RulingView
    shares: tuple[Share, ...]
    total: int
    known: int  # cells that failed or hung under a known issue that holds today
    findings: tuple[FindingView, ...]
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    builds: tuple[BuildView, ...]
    grid: tuple[GridGroup, ...]
    issues: tuple[IssueView, ...]
    coverage: CoverageView
    cost: CostView | None  # None where the site gave no numbers
    predictions: PredictionsView | None
    changes: tuple[ChangesView, ...]  # against the last run, and the last release
    trend: TrendView | None
    pace: PaceView | None
    heat: HeatView | None
    boxes: BoxesView | None
    lanes: LanesView | None
    large: bool  # more cells than plain HTML can hold: those that passed are told by the script alone
    untold: int  # how many that did not pass are not told in plain HTML either
    cells: tuple[tuple[str, tuple[CellView, ...]], ...]  # by product
    version: str
