"""The scenarios: each file is one story that a product must survive on a build."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from harness.scenarios.denied import denied
from harness.scenarios.downgrade import downgrade
from harness.scenarios.install import install
from harness.scenarios.rollback import rollback
from harness.scenarios.uninstall import uninstall
from harness.scenarios.upgrade import upgrade

SCENARIOS: Mapping[str, Callable[..., None]] = MappingProxyType(
    {scenario.__name__: scenario for scenario in (install, upgrade, downgrade, denied, rollback, uninstall)}
)
