"""The candidates of a bisection, in a row from the one that should be good to the one that should be bad."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness import authoring
from harness.bisect.asked import Asked
from harness.builds import Build
from harness.errors import AuthoringError
from harness.matrix import Cell, Matrix, MatrixFile, read_matrix
from harness.mistakes import nearest, quoted
from harness.narrowing import narrowed
from harness.products import Product
from harness.scenarios import SCENARIOS
from harness.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One version or one build: the cell that tries it, and the words after ``pytest`` that run this cell.

    ``label`` is the version or build as it is written, ``shown`` is it with its name; ``skip`` says why the matrix
    does not run it, or nothing.
    """

    label: str
    shown: str
    cell: str
    words: tuple[str, ...]
    skip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The candidates from the good end to the bad end, ``backwards`` where that is from new to old.

    ``what`` is what they are ("version" or "build"); ``of`` and ``on`` say for people what they are tried with and
    where; ``left_out`` says in sentences what could have been a candidate and is none.
    """

    candidates: tuple[Candidate, ...]
    what: str
    scenario: str
    of: str
    on: str
    backwards: bool = False
    left_out: tuple[str, ...] = ()


def row_of(asked: Asked, site: Site | None, *, started_in: Path) -> Row:
    """Lay out the candidates, with commands to type in the folder that the bisection is started in.

    Raises AuthoringError with the nearest right word for what cannot be bisected.
    """
    matrix = _matrix(asked.matrix)
    product = matrix.products[_one("--product", asked.product, list(matrix.products))]
    runs = [one for one in matrix.scenarios if product.scenarios is None or one in product.scenarios]
    scenario = _one("--scenario", asked.scenario or ("install" if "install" in runs else None), runs)
    if asked.over == "versions":
        if scenario == "rollback":
            raise AuthoringError("--scenario: one version only has a package that fails half-way; try --over builds")
        row = _of_versions(asked, matrix, product, scenario)
    else:
        row = _of_builds(asked, matrix, product, scenario, site)
    candidates = [replace(one, words=_words(one, asked, started_in)) for one in row.candidates]
    good, bad = _ends(candidates, asked, row.what)
    between = candidates[good : bad + 1] if good < bad else candidates[bad : good + 1][::-1]
    return replace(row, candidates=tuple(between), backwards=good > bad)


def _matrix(path: Path) -> Matrix:
    # a team's own scenarios are known to its pytest only, which will refuse what is wrong with them
    own = authoring.read(path, MatrixFile).scenarios
    return read_matrix(path, scenarios=[*SCENARIOS, *own], hashes=False)


def _of_versions(asked: Asked, matrix: Matrix, product: Product, scenario: str) -> Row:
    _refuse("--version", asked.version, "versions are what is searched; give --good and --bad, or --over builds")
    build = _build(asked.build, matrix)
    candidates = [
        _candidate(cell, version, label=version, shown=version, narrow=build not in matrix.builds)
        for version in product.version_texts
        for cell in _cells(narrowed(matrix, builds=[build], versions={product.id: version}), asked, product, scenario)
        if cell.build == build and cell.version == version
    ]
    return Row(
        candidates=tuple(candidates),
        what="version",
        scenario=scenario,
        of=product.name,
        on=named(build),
    )


def _of_builds(asked: Asked, matrix: Matrix, product: Product, scenario: str, site: Site | None) -> Row:
    _refuse("--build", asked.build, "builds are what is searched; give --good and --bad")
    version = _one("--version", asked.version or product.newest, list(product.version_texts))
    builds, left_out = _builds(matrix, site)
    whole = narrowed(matrix, builds=builds, versions={product.id: version})
    candidates = [
        _candidate(
            cell,
            version,
            label=str(cell.build),
            shown=named(cell.build),
            narrow=cell.build not in matrix.builds,
        )
        for cell in _cells(whole, asked, product, scenario)
        if cell.build in builds
    ]
    return Row(
        candidates=tuple(candidates),
        what="build",
        scenario=scenario,
        of=f"{product.name} {version}",
        on="",
        left_out=tuple(left_out),
    )


def _builds(matrix: Matrix, site: Site | None) -> tuple[list[Build], list[str]]:
    """Take the matrix's builds that the site has, each as the revisions that the site names for it."""
    if site is None:
        return sorted(matrix.builds), []
    there = {entry.windows for entry in site.machines}
    builds: set[Build] = set()
    left_out = []
    for build in sorted(matrix.builds):
        carried = {one for one in there if one.number == build.number and build.revision in (0, one.revision)}
        carried |= {build} if Build(build.number) in there and build.revision else set()
        if not carried:
            left_out.append(f"{named(build)}: no machine of site {site.name!r} carries it")
        # an entry that does not tell its revision may be any of them: it is a candidate only where none is named
        builds |= {one for one in carried if one.revision} or carried
    return sorted(builds), left_out


def _cells(matrix: Matrix, asked: Asked, product: Product, scenario: str) -> Iterator[Cell]:
    """Take one cell of each build: of several ways to upgrade, the one from ``--from`` or from the oldest version."""
    begin = asked.from_version or (product.version_texts[0] if scenario == "upgrade" else None)
    if asked.from_version is not None:
        if scenario != "upgrade":
            raise AuthoringError(f"--from: only 'upgrade' starts from a version, not {scenario!r}")
        _one("--from", begin, list(product.version_texts))
    for cell in matrix.cells():
        fits = scenario != "upgrade" or (cell.from_version == begin)
        if cell.product == product.id and cell.scenario == scenario and fits:
            yield cell


def _candidate(cell: Cell, version: str, *, label: str, shown: str, narrow: bool) -> Candidate:
    words = ["--product-version", f"{cell.product}={version}", *(["--build", str(cell.build)] if narrow else [])]
    return Candidate(label=label, shown=shown, cell=cell.id, words=tuple(words), skip=cell.skip or "")


def _words(candidate: Candidate, asked: Asked, folder: Path) -> tuple[str, ...]:
    site = [] if asked.site is None else ["--site", asked.site if asked.site == "lab" else _from(folder, asked.site)]
    return (f"{_from(folder, asked.matrix)}::{candidate.cell}", *candidate.words, *site)


def _from(folder: Path, place: Path | str) -> str:
    path = Path(place)
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def named(build: Build) -> str:
    """Name a build as people do, with its number where it has a revision."""
    return f"{build.name} ({build})" if build.revision else build.name


def _ends(row: Sequence[Candidate], asked: Asked, what: str) -> tuple[int, int]:
    labels = {one.label: index for index, one in enumerate(row)}
    runs = [index for index, one in enumerate(row) if not one.skip]
    if len(runs) < 2:
        only = f"only {row[runs[0]].shown}" if runs else "none"
        raise AuthoringError(f"{authoring.shown(asked.matrix)}: {only} to try: there is nothing to search between")
    ends = {option: _end(option, word, what, labels) for option, word in (("--good", asked.good), ("--bad", asked.bad))}
    good, bad = ends["--good"], ends["--bad"]
    if good is None:
        good = runs[0] if bad != runs[0] else runs[-1]
    if bad is None:
        bad = runs[-1] if good != runs[-1] else runs[0]
    for option, end in (("--good", good), ("--bad", bad)):
        if row[end].skip:
            raise AuthoringError(f"{option}: {row[end].shown} is skipped by the matrix: {row[end].skip}")
    if good == bad:
        raise AuthoringError(f"--good and --bad are both {row[good].label}: there is nothing to search between")
    return good, bad


def _end(option: str, word: str | None, what: str, labels: dict[str, int]) -> int | None:
    if word is None:
        return None
    label = str(_parsed(option, word)) if what == "build" else word
    if label not in labels:
        raise AuthoringError(f"{option}: no {what} {quoted(word)} to try; {nearest(label, labels)}")
    return labels[label]


def _build(word: str | None, matrix: Matrix) -> Build:
    if word is None:
        return Build.parse(_one("--build", None, [str(build) for build in matrix.builds]))
    build = _parsed("--build", word)
    if not any(one in (build, Build(build.number)) for one in matrix.builds):
        raise AuthoringError(f"--build: no build {quoted(word)} in the matrix; {nearest(str(build), matrix.builds)}")
    return build


def _parsed(option: str, word: str) -> Build:
    try:
        build = Build.parse(word)
        build.release  # noqa: B018 - asking is the check: the catalog refuses what it does not know
    except ValueError as error:
        raise AuthoringError(f"{option}: {error}") from error
    return build


def _one(option: str, word: str | None, known: Sequence[str]) -> str:
    if word is None and len(known) == 1:
        return known[0]
    if word is None:
        raise AuthoringError(f"{option}: is missing; choose from {', '.join(known)}")
    if word not in known:
        raise AuthoringError(f"{option}: no {quoted(word)} here; {nearest(word, known)}")
    return word


def _refuse(option: str, word: str | None, why: str) -> None:
    if word is not None:
        raise AuthoringError(f"{option}: {why}")
