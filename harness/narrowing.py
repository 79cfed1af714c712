"""A part of a matrix: other versions than the newest, and single revisions of a build of which the matrix wants any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from harness.builds import Build
from harness.matrix import Matrix
from harness.mistakes import nearest, quoted
from harness.products import Product


def narrowed(matrix: Matrix, *, builds: Sequence[Build] = (), versions: Mapping[str, str] | None = None) -> Matrix:
    """Plan a matrix as if these versions were the newest of their products, and with these revisions of its builds.

    A build without a revision, and one that the matrix does not have, changes nothing; nor does a product that the
    matrix does not have. Raises ValueError with the nearest right word for a version that a product does not have.
    """
    versions = versions or {}
    return replace(
        matrix,
        builds=tuple(dict.fromkeys(one for build in matrix.builds for one in _revisions(build, builds))),
        products={
            name: up_to(product, versions[name]) if name in versions else product
            for name, product in matrix.products.items()
        },
    )


def up_to(product: Product, version: str) -> Product:
    """Give a product as it was when a version was its newest; raises ValueError for one that it does not have."""
    known = product.version_texts
    if version not in known:
        raise ValueError(f"{product.id} has no version {quoted(version)}; {nearest(version, known)}")
    there = known[: known.index(version) + 1]
    # a package that fails half-way belongs to one version, and is not there before it
    fails = None if product.rollback is None else product.rollback.version or product.newest
    rollback = product.rollback if fails in there else None
    return product.model_copy(update={"versions": product.versions[: len(there)], "rollback": rollback})


def _revisions(build: Build, asked: Sequence[Build]) -> Iterator[Build]:
    wanted = [one for one in asked if one.number == build.number]
    yield from wanted if wanted and not build.revision else [build]
