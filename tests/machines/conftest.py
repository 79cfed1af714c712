"""What the tests of the vSphere side share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.vcenter.vcenter_served import Served
from tests.machines.standing_in import standing_in


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Run a vCenter with stand-ins."""
    with standing_in(tmp_path) as served:
        yield served
