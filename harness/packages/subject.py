"""What checks look at: one package, the one before it, and what it should be good for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from harness.builds import Build
from harness.packages.declared import Declared
from harness.packages.finding import Finding
from harness.packages.msi.product import Msi


@dataclass(frozen=True, slots=True, kw_only=True)
class MsiSubject:
    """An MSI under examination; ``old`` is the package that it will replace, where one was named."""

    msi: Msi
    old: Msi | None = None
    builds: Sequence[Build] = ()
    declared: Declared = field(default_factory=Declared)


MsiCheck = Callable[[MsiSubject], Iterator[Finding]]
