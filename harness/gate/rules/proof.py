"""Whether enough was proved: required cells, coverage, and anything at all."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from harness.builds import Build, catalog
from harness.gate.case import Case
from harness.gate.complaint import Complaint
from harness.gate.evidence import PROVED
from harness.gate.policy import Required
from harness.gate.tiers import supported
from harness.results.words import count, listed, skipped_in_words


def nothing_proved(case: Case) -> Iterator[Complaint]:
    """Complain of a run in which no cell passed on a build that blocks a release."""
    if not case.cells:
        yield Complaint(rule="nothing-proved", words="nothing was planned")
    elif all(cell.is_skipped for cell in case.cells):
        yield Complaint(rule="nothing-proved", words=f"{skipped_in_words(len(case.cells))} on purpose")
    elif not case.proved:
        yield Complaint(rule="nothing-proved", words="no cell passed on a build that blocks a release")


def required(case: Case) -> Iterator[Complaint]:
    """Complain of required cells that did not pass or do not exist; a known issue is no excuse for them."""
    for entry in case.policy.required:
        for scope in _combinations(entry):
            cells = [cell for cell in case.cells if scope.holds(cell)]
            if not cells:
                words = f"no cell {_named(scope)} is in the plan"
                yield Complaint(rule="required", words=words, about=words)
            for cell in cells:
                if cell.verdict not in PROVED:
                    said = cell.skip or cell.reason.strip().split("\n", 1)[0]
                    words = f"required, and {cell.verdict}{f': {said}' if said else ''}"
                    yield Complaint(rule="required", words=words, cell=cell, about=cell.cell)


def coverage(case: Case) -> Iterator[Complaint]:
    """Complain where too few cells or builds passed; what did not pass is never counted in favour of a release."""
    wanted = case.policy.coverage
    passed = case.proved
    builds = {cell.build.number for cell in passed}
    planned = [cell for cell in case.cells if not cell.is_skipped and case.act(cell) == "block"]
    if wanted.share is not None and len(passed) < wanted.share * len(planned):
        words = f"{len(passed):,} of {count(len(planned), 'planned cell')} passed, {wanted.share:.4g} of them must"
        yield Complaint(
            rule="coverage", words=words, limit=f"{wanted.share:.4g}", seen=_share(len(passed), len(planned))
        )
    if len(passed) < wanted.cells:
        words = f"{count(len(passed), 'cell')} passed, at least {wanted.cells:,} must"
        yield Complaint(rule="coverage", words=words, limit=f"{wanted.cells}", seen=f"{len(passed)}")
    if len(builds) < wanted.builds:
        words = f"something passed on {count(len(builds), 'build')}, on at least {wanted.builds:,} it must"
        yield Complaint(rule="coverage", words=words, limit=f"{wanted.builds}", seen=f"{len(builds)}")
    if wanted.supported:
        served = [release for release in catalog().values() if supported(release, case.policy.tiers, case.today)]
        if lacking := [release.name for release in served if release.build not in builds]:
            words = f"nothing passed on {listed(lacking)}, still supported"
            yield Complaint(rule="coverage", words=words, limit=f"{len(served)}", seen=f"{len(served) - len(lacking)}")


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.4g}" if whole else "0"


def _combinations(entry: Required) -> Iterator[Required]:
    """Take a scope apart: of each build, product and scenario that is listed there must be a cell."""
    for build, what, scenario in product(
        entry.builds or (None,), entry.products or (None,), entry.scenarios or (None,)
    ):
        yield Required(
            builds=() if build is None else (build,),
            products=() if what is None else (what,),
            scenarios=() if scenario is None else (scenario,),
        )


def _named(scope: Required) -> str:
    words = [*scope.products, *scope.scenarios]
    on = [Build.parse(build).name for build in scope.builds]
    return " ".join(filter(None, [" ".join(words), f"on {listed(on)}" if on else ""])) or "at all"
