"""Where the evidence comes from, and whether it is about what is being released."""

from __future__ import annotations

from collections.abc import Iterator

from harness.gate.case import Case
from harness.gate.complaint import Complaint
from harness.gate.evidence import PROVED, Artifact
from harness.results.plan import PlannedPackage
from harness.results.provenance import provenance

_JUDGED = PROVED | {"failed", "hung"}


def lab_evidence(case: Case) -> Iterator[Complaint]:
    """Complain of evidence from the lab, which is not Windows, unless the policy allows it."""
    if case.policy.allow_lab:
        return
    plan = case.evidence.plan
    if plan is not None and plan.is_lab:
        words = "this is a lab run: its guests are no Windows (allow_lab = true would take it)"
        yield Complaint(rule="lab-evidence", words=words, about="run")
    from_the_lab = {result.cell for result in case.evidence.results if provenance(None, [result]).is_lab}
    for cell in case.cells:
        if cell.cell in from_the_lab:
            words = "evidence of the lab's guests, which are no Windows"
            yield Complaint(rule="lab-evidence", words=words, cell=cell, act=case.act(cell), about="cells")


def unknown_origin(case: Case) -> Iterator[Complaint]:
    """Complain of verdicts from a guest that never said what it is: a failure may be excused, and is evidence then."""
    for cell in case.cells:
        if cell.verdict in _JUDGED and not cell.provenance:
            words = f"{cell.verdict}, and no guest said that it was Windows"
            yield Complaint(rule="origin", words=words, cell=cell, act=case.act(cell))


def artifacts(case: Case) -> Iterator[Complaint]:
    """Complain when what is released is not, byte for byte, the newest version of a product that passed."""
    if not case.evidence.artifacts and case.policy.artifact_required:
        words = "nobody says what is being released (--artifact, or artifacts in the policy)"
        yield Complaint(rule="product-hash", words=words, about=words)
    packages = case.evidence.plan.packages if case.evidence.plan else ()
    passed = {cell.product for cell in case.proved}
    for artifact in case.evidence.artifacts:
        words = _unlike(artifact, packages, passed)
        if words:
            seen = ", ".join(package.sha256[:16] for package in packages if package.newest)
            yield Complaint(rule="product-hash", words=words, about=words, limit=artifact.sha256, seen=seen)


def _unlike(artifact: Artifact, packages: tuple[PlannedPackage, ...], passed: set[str]) -> str:
    same = [package for package in packages if package.sha256.lower() == artifact.sha256.lower()]
    if any(package.newest and package.product in passed for package in same):
        return ""
    name = f"{artifact.name} (SHA-256 {artifact.sha256[:16]}...)"
    if not packages:
        return f"{name}: the plan does not say which packages were run"
    if newest := [package for package in same if package.newest]:
        return f"{name} is {newest[0].product} {newest[0].version}, and no cell of it passed on a build that blocks"
    if same:
        return f"{name} is {same[0].product} {same[0].version}, in this run only an older version to upgrade from"
    ran = ", ".join(f"{one.product} {one.version} {one.sha256[:16]}..." for one in packages if one.newest)
    return f"{name} was not run; this run is about {ran or 'no package'}"
