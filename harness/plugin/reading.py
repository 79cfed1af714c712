"""Matrices are read once, and checked before anything starts, so that a mistake is one line and not a failed run."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import AuthoringError
from harness.plugin.exchange import is_worker
from harness.plugin.settings import settings_key

if TYPE_CHECKING:
    from harness.builds import Build
    from harness.matrix import Matrix

scenarios_key = pytest.StashKey[Mapping[str, Callable[..., None]]]()
_read_key = pytest.StashKey[dict[Path, "Matrix"]]()

FOLDER = "matrices"
NOTES = "triage.toml"


def gather_scenarios(config: pytest.Config) -> dict[str, Callable[..., None]]:
    """Return the scenarios by name: the built-in ones and what a team's hooks add to them."""
    from harness.scenarios import SCENARIOS

    found = dict(SCENARIOS)
    for more in reversed(config.hook.pytest_wincompat_scenarios(config=config)):
        found.update(more)
    return found


def may_be_matrix(path: Path) -> bool:
    """Whether a file is to be collected as a matrix: TOML, and not the notes that lie beside matrices."""
    return path.suffix == ".toml" and path.name != NOTES


def scenarios_of(config: pytest.Config) -> Mapping[str, Callable[..., None]]:
    """Return the scenarios that were gathered when pytest was configured."""
    return config.stash[scenarios_key]


def matrix_at(config: pytest.Config, path: Path) -> Matrix:
    """Read a matrix once in this process; raises AuthoringError.

    Packages are hashed on the controller only, and not where it only looks; before its use each is verified anyway.
    """
    from harness.matrix import read_matrix
    from harness.narrowing import narrowed

    read = config.stash.setdefault(_read_key, {})
    if path not in read:
        controls = not is_worker(config)
        matrix = read_matrix(
            path,
            scenarios=list(scenarios_of(config)),
            files=controls,
            hashes=controls and not only_looks(config),
        )
        settings = config.stash[settings_key]
        try:
            read[path] = narrowed(matrix, builds=settings.builds, versions=settings.versions)
        except ValueError as error:
            raise AuthoringError(f"--product-version: {error}") from error
    return read[path]


def only_looks(config: pytest.Config) -> bool:
    """Whether pytest was asked what it would do, and not to do it."""
    return any(config.getoption(option, False) for option in ("collectonly", "setupplan"))


def check_what_is_asked_for(config: pytest.Config) -> None:
    """Read every matrix that this run will collect and hold the options against them.

    Raises pytest.UsageError (exit code 4) with one line for the first mistake. Runs on the controller before xdist's
    workers start their work, each of which would only repeat it.
    """
    settings = config.stash[settings_key]
    _known("--scenario", settings.scenarios, scenarios_of(config))
    matrices = [(path, parts, _read(config, path)) for path, parts in _matrices_named(config)]
    for path, parts, matrix in matrices:
        _check_node(config, path, parts, matrix)
    if not matrices:
        return
    cells = [cell for _, _, matrix in matrices for cell in matrix.cells()]
    _known("--product", settings.products, {cell.product for cell in cells})
    _known("--product-version", settings.versions, {cell.product for cell in cells})
    for build in settings.builds:
        if not any(serves(cell.build, build) for cell in cells):
            have = ", ".join(sorted({cell.build.slug for cell in cells}))
            raise pytest.UsageError(f"--build: no matrix here has {build.slug} ({build}); choose from {have}")


def serves(build: Build, asked: Build) -> bool:
    """Whether a cell's build is the one that was asked for; a build without a revision means any revision."""
    return build.number == asked.number and asked.revision in (0, build.revision)


def _read(config: pytest.Config, path: Path) -> Matrix:
    try:
        return matrix_at(config, path)
    except AuthoringError as error:
        raise pytest.UsageError(str(error)) from error


def _matrices_named(config: pytest.Config) -> Iterator[tuple[Path, list[str]]]:
    """Find the matrices that pytest is about to collect, with what a node id names inside them."""
    for argument in config.args:
        # a node id's last part may hold "::" or brackets of its own: pytest splits before the first bracket, so do we
        before, bracket, rest = argument.partition("[")
        name, *parts = before.split("::")
        if bracket and parts:
            parts[-1] += bracket + rest
        elif bracket:
            name += bracket + rest
        path = Path(config.invocation_params.dir, name).resolve()
        if path.is_dir():
            yield from ((matrix, []) for matrix in _matrices_below(path, config))
        elif path.suffix == ".toml":
            if not path.exists():
                near = difflib.get_close_matches(path.name, [file.name for file in path.parent.glob("*.toml")], n=1)
                raise pytest.UsageError(f"{name}: no such file" + (f"; did you mean {near[0]!r}?" if near else ""))
            yield path, parts


def _matrices_below(folder: Path, config: pytest.Config) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_symlink() and path.is_dir():
            continue  # pytest would follow it; a matrix is reached by its own place or by its name
        wanted = path.is_dir() or (may_be_matrix(path) and folder.name == FOLDER)
        if wanted and not config.hook.pytest_ignore_collect(collection_path=path, config=config):
            if path.is_dir():
                yield from _matrices_below(path, config)
            else:
                yield path


def _check_node(config: pytest.Config, path: Path, parts: list[str], matrix: Matrix) -> None:
    place = [path.relative_to(config.rootpath).as_posix() if path.is_relative_to(config.rootpath) else str(path)]
    rows = {(cell.build.slug, cell.product, cell.name) for cell in matrix.cells()}
    for depth, part in enumerate(parts):
        here = {row for row in rows if depth < 3 and part in (row[depth], row[depth].split("[")[0])}
        if not here:
            _known("::".join(place), [part], {row[depth] for row in rows if depth < 3})
            raise pytest.UsageError(f"{'::'.join([*place, part])}: there is nothing below a cell")
        rows = here
        place.append(part)


def _known(where: str, asked: Iterable[str], known: Iterable[str]) -> None:
    choices = sorted(known)
    for word in asked:
        if word not in choices and choices:
            from harness.mistakes import nearest, quoted  # late: pydantic is too heavy for a plugin to begin with

            raise pytest.UsageError(f"{where}: no {quoted(word)}; {nearest(word, choices)}")
