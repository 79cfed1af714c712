"""What to prove: a matrix file, read and checked, planned into cells."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import Field

from harness import authoring
from harness.authoring import Authored, BuildName, LocalPath, Seconds, Text, shown
from harness.builds import Build
from harness.environment import Demands
from harness.errors import AuthoringError
from harness.known_issues import KnownIssue, Scope, Skip
from harness.mistakes import nearest, quoted
from harness.products import Product, read_product

DEFAULT_DEADLINE = 120.0
TRIAGE_FILE = "triage.toml"  # beside the matrix, unless that names another


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One product's scenario on one build: the unit that is planned, run, judged and reported."""

    build: Build
    product: str
    kind: str
    scenario: str
    version: str
    from_version: str | None = None
    skip: str | None = None

    @property
    def leg(self) -> str:
        """The way between two versions, ``1.10.2->1.13.0``, or nothing."""
        return f"{self.from_version}->{self.version}" if self.from_version is not None else ""

    @property
    def name(self) -> str:
        """The scenario with its leg: ``upgrade[1.10.2->1.13.0]``."""
        return f"{self.scenario}[{self.leg}]" if self.leg else self.scenario

    @property
    def id(self) -> str:
        """The cell's name in the plan, the journal and the report."""
        return f"{self.build.slug}::{self.product}::{self.name}"


class MatrixFile(Authored):
    """A matrix as a person writes it."""

    name: Text
    builds: tuple[BuildName, ...] = Field(min_length=1)
    products: tuple[Text, ...] = Field(min_length=1)
    scenarios: tuple[Text, ...] = Field(min_length=1)
    product_dirs: tuple[LocalPath, ...] | None = None
    deadline: Seconds = DEFAULT_DEADLINE
    environment: Demands = Demands()
    skips: tuple[Skip, ...] = ()
    known_issues: tuple[KnownIssue, ...] = ()
    triage: LocalPath | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Builds x products x scenarios, and what is skipped or known; every product's ``deadline`` is filled in.

    ``triage`` is the file of notes about failures; it need not be there.
    """

    path: Path
    name: str
    builds: tuple[Build, ...]
    products: Mapping[str, Product]
    scenarios: tuple[str, ...]
    environment: Demands = field(default_factory=Demands)
    skips: tuple[Skip, ...] = ()
    known_issues: tuple[KnownIssue, ...] = ()
    triage: Path = Path(TRIAGE_FILE)

    def cells(self) -> Iterator[Cell]:
        """Every cell, skipped ones included so that a report can name them: oldest build first, else as written."""
        for build in sorted(self.builds):
            for product in self.products.values():
                for scenario in self.scenarios:
                    if product.scenarios is None or scenario in product.scenarios:
                        yield from self._cells(build, product, scenario)

    def _cells(self, build: Build, product: Product, scenario: str) -> Iterator[Cell]:
        for from_version, version, lacking in legs(product, scenario):
            cell = Cell(
                build=build,
                product=product.id,
                kind=product.kind,
                scenario=scenario,
                version=version,
                from_version=from_version,
                skip=lacking,
            )
            reasons = (skip.reason for skip in self.skips if skip.holds(cell))
            yield replace(cell, skip=next(reasons, lacking))


def legs(product: Product, scenario: str) -> Iterator[tuple[str | None, str, str | None]]:
    """Give a scenario's legs for a product: the version before, the version, and what is lacking to run it."""
    if scenario == "upgrade":
        for older in product.older:
            yield older, product.newest, None
        if not product.older:
            yield None, product.newest, f"{product.id} has one version only: there is nothing to upgrade from"
    elif scenario == "rollback":
        if product.rollback_leg is None:
            yield None, product.newest, f"{product.id} has no package that fails half-way ([rollback])"
        else:
            yield *product.rollback_leg, None
    elif scenario == "downgrade":
        if product.downgrade_leg is None:
            yield None, product.newest, f"{product.id} has one version only: there is nothing to go back to"
        elif product.kind == "zip" and product.downgrade == "refused":
            lacking = f'{product.id} is a zip, which cannot refuse anything (downgrade = "allowed" proves it)'
            yield *product.downgrade_leg, lacking
        else:
            yield *product.downgrade_leg, None
    else:
        yield None, product.newest, None


def read_matrix(path: Path, *, scenarios: Collection[str], files: bool = True, hashes: bool = True) -> Matrix:
    """Read a matrix and its products and check it all; with ``files`` the packages too, with ``hashes`` their SHA-256.

    Raises AuthoringError with one line: file, key, the nearest right word, and how many mistakes there are besides.
    """
    written = authoring.read(path, MatrixFile)
    mistakes = list(_twice("builds", [Build.parse(one) for one in written.builds]))
    mistakes += _twice("products", written.products)
    mistakes += _twice("scenarios", written.scenarios)
    mistakes += _unknown("scenarios", written.scenarios, "scenario", scenarios)
    if written.triage is not None and not written.triage.is_file():
        mistakes.append(f"triage: no file {shown(written.triage)}")
    elsewhere: list[str] = []  # mistakes of product files
    products: dict[str, Product] = {}
    for index, word in enumerate(written.products):
        try:
            file = _product_file(path, written, word)
            product = read_product(file)
        except LookupError as error:
            mistakes.append(f"products[{index}]: {error.args[0]}")
        except AuthoringError as error:
            elsewhere += error.mistakes
        else:
            if product.id in products and word not in written.products[:index]:
                mistakes.append(f"products[{index}]: {quoted(word)} is {product.id!r} again")
            found = [*_broken_promises(product, scenarios), *(product.check_files(hashes=hashes) if files else ())]
            elsewhere += (f"{shown(file)}: {mistake}" for mistake in found)
            if not found and product.scenarios is not None and not set(product.scenarios) & set(written.scenarios):
                mistakes.append(f"products[{index}]: {word} supports only {', '.join(product.scenarios)}")
            deadline = written.deadline if product.deadline is None else product.deadline
            products[product.id] = product.model_copy(update={"deadline": deadline})
    matrix = Matrix(
        path=path,
        name=written.name,
        builds=tuple(Build.parse(one) for one in written.builds),
        products=products,
        scenarios=written.scenarios,
        environment=written.environment,
        skips=written.skips,
        known_issues=written.known_issues,
        triage=written.triage or path.absolute().with_name(TRIAGE_FILE),
    )
    # a wrong word above would make others of it below
    mistakes += () if mistakes or elsewhere else _idle(matrix)
    if mistakes or elsewhere:
        raise authoring.refusal_of([*(f"{shown(path)}: {mistake}" for mistake in mistakes), *elsewhere])
    return matrix


def _product_file(matrix: Path, written: MatrixFile, word: str) -> Path:
    if word.endswith(".toml"):
        return matrix.absolute().parent / word
    folders = written.product_dirs if written.product_dirs is not None else _folders_above(matrix)
    if not folders:
        raise LookupError(f"no product {quoted(word)}: there is no folder fixtures/products beside or above the matrix")
    for folder in folders:
        file = folder / f"{word}.toml"
        if "/" not in word and "\\" not in word and file.is_file():
            return file
    known = sorted({file.stem for folder in folders if folder.is_dir() for file in folder.glob("*.toml")})
    where = "" if known else f" in {', '.join(shown(folder) for folder in folders)}"
    raise LookupError(f"no product {quoted(word)}{where}; {nearest(word, known)}")


def _folders_above(matrix: Path) -> tuple[Path, ...]:
    for folder in matrix.absolute().parents:
        if (folder / "fixtures" / "products").is_dir():
            return (folder / "fixtures" / "products",)
    return ()


def _twice(key: str, values: Iterable[object]) -> Iterator[str]:
    seen: set[object] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield f"{key}[{index}]: {quoted(value)} is there twice"
        seen.add(value)


def _unknown(key: str, words: Iterable[str], what: str, known: Collection[str]) -> Iterator[str]:
    for index, word in enumerate(words):
        if word not in known:
            yield f"{key}[{index}]: no {what} {quoted(word)}; {nearest(word, known)}"


def _broken_promises(product: Product, known: Collection[str]) -> Iterator[str]:
    """Name what a product's own list of scenarios promises and cannot keep."""
    for index, word in enumerate(product.scenarios or ()):
        if word not in known:
            yield f"scenarios[{index}]: no scenario {quoted(word)}; {nearest(word, known)}"
        elif lacking := next(legs(product, word))[2]:
            yield f"scenarios[{index}]: {word!r} cannot be run: {lacking}"


def _idle(matrix: Matrix) -> Iterator[str]:
    """Name skips and known issues that mean nothing, most often through a slip of the pen."""
    cells = list(matrix.cells())
    running = [cell for cell in cells if cell.skip is None]
    for index, skip in enumerate(matrix.skips):
        wrong = list(_wrong_words(f"skips[{index}]", skip, matrix))
        yield from wrong
        if not wrong and not any(map(skip.holds, cells)):
            yield f"skips[{index}]: matches no cell of the matrix"
    for index, issue in enumerate(matrix.known_issues):
        wrong = list(_wrong_words(f"known_issues[{index}]", issue, matrix))
        yield from wrong
        if not wrong and not any(map(issue.holds, running)):
            yield f"known_issues[{index}]: {quoted(issue.id)} matches no cell that is run"
    yield from _twice("known_issues", [issue.id for issue in matrix.known_issues])
    if not cells:
        yield "plans no cell at all"


def _wrong_words(place: str, scope: Scope, matrix: Matrix) -> Iterator[str]:
    builds = {one.number for one in matrix.builds}
    for index, word in enumerate(scope.builds):
        if Build.parse(word).number not in builds:
            yield f"{place}.builds[{index}]: no build {quoted(word)} in the matrix; {nearest(str(word), matrix.builds)}"
    yield from _unknown(f"{place}.products", scope.products, "product", matrix.products)
    yield from _unknown(f"{place}.scenarios", scope.scenarios, "scenario", matrix.scenarios)


__all__ = ["Cell", "KnownIssue", "Matrix", "MatrixFile", "Skip", "read_matrix"]
