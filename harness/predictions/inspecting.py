"""Reading each package of a run once, before or while it is run; what cannot be read is a sentence, never an error."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.builds import Build
from harness.predictions.inspected import Inspected, Said
from harness.products import Product
from harness.products.declared import DEFAULT_SWITCHES
from harness.products.packages import PackageSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A package to be read, as the upgrade of a previous one or alone, for some builds."""

    product: Product
    version: str
    source: PackageSource
    previous: PackageSource | None = None
    previous_version: str = ""
    builds: tuple[Build, ...] = ()

    @property
    def key(self) -> str:
        """The same for the same files, read in the same way; raises ValueError where a hash is not known."""
        hashes = [self.source.expected_sha256(), self.previous.expected_sha256() if self.previous else ""]
        read_as = [self.product.kind, self.version, *map(str, self.builds)]
        return hashlib.sha256("|".join([*hashes, *read_as]).encode()).hexdigest()[:16]


def wanted(product: Product, scenario: str, leg: str, builds: Iterable[Build]) -> Wanted:
    """Name the package that a cell is about: what is installed last, as the upgrade of what was there before."""
    old, _, new = leg.partition("->")
    versions = {one.version: one for one in product.versions}
    asked = tuple(sorted(set(builds)))
    source: PackageSource = versions.get(new) or product.versions[-1]
    if scenario == "rollback" and product.rollback is not None:
        source = product.rollback
    if scenario == "downgrade":
        old = ""  # what is installed over a newer version is no upgrade of it
    elif not old and len(product.versions) > 1:
        # the upgrade from the version before says all that the package alone does
        old = product.versions[-2].version
    return Wanted(
        product=product,
        version=new or product.newest,
        source=source,
        previous=versions.get(old),
        previous_version=old if old in versions else "",
        builds=asked,
    )


def inspected(one: Wanted) -> Inspected:
    """Read a package; whatever goes wrong is the sentence ``trouble``, for a run must not break for it."""
    known: dict[str, str] = {
        "product": one.product.id,
        "version": one.version,
        "previous": one.previous_version,
        "file": one.source.file_name,
    }
    try:
        known["sha256"] = one.source.expected_sha256()
        here = one.source.at_hand()
        if here is None:
            return Inspected.model_validate(known | {"trouble": "it is not on this machine yet"})
        kind, findings = _read(one, here)
    except Exception as error:  # noqa: BLE001 - packages come from anywhere, and the run has more important work
        words = str(error).strip().splitlines()
        trouble = f"it could not be inspected: {type(error).__name__}: {words[0] if words else ''}"
        return Inspected.model_validate(known | {"trouble": trouble[:300]})
    return Inspected.model_validate(known | {"kind": kind, "findings": findings})


def _read(one: Wanted, here: Path) -> tuple[str, Sequence[Said]]:
    # imported here: readers of packages are no small import, and only a run that begins wants them
    from harness.packages.declared import Declared
    from harness.packages.inspection import inspect

    product = one.product
    switches = DEFAULT_SWITCHES[product.kind] if product.install.switches is None else product.install.switches
    seen = inspect(
        here,
        previous=one.previous.at_hand() if one.previous is not None else None,
        builds=one.builds,
        declared=Declared(version=one.version, switches=switches if product.kind == "exe" else None),
        install_dir=product.install_dir,
    )
    return seen.kind, [Said.model_validate(found.as_json()) for found in seen.findings]
