"""Where a run's evidence comes from: Windows at a site, or the lab's Wine, which is never Windows evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from harness.results.plan import Plan
from harness.results.result import Result
from harness.results.words import listed

_LAB = re.compile(r"\bwine\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Whether any part of a run came from a lab, and in words what the guests said they are."""

    is_lab: bool
    words: str


def provenance(plan: Plan | None, results: Iterable[Result]) -> Provenance:
    """Tell where a run's evidence comes from; one lab result makes it a lab run, whatever the plan claims."""
    said = list(dict.fromkeys(result.provenance for result in results if result.provenance))
    is_lab = (plan is not None and plan.is_lab) or any(_LAB.search(words) for words in said)
    if not said and plan and plan.provenance:
        said = [plan.provenance]
    # "Wine 8.0 presenting as 19044" and "... as 22631" are one sentence
    systems: dict[str, list[str]] = {}
    for words in said:
        system, joint, shown = words.partition(" presenting as ")
        systems.setdefault(system + joint, []).append(shown)
    sentences = (system + listed(sorted(filter(None, shown), key=_by_number)) for system, shown in systems.items())
    return Provenance(is_lab, "; ".join(sentences))


def _by_number(build: str) -> list[int]:
    """Sort what a guest said of its build as builds sort, whatever text it is."""
    return [int(digits) for digits in re.findall(r"[0-9]{1,9}", build)]
