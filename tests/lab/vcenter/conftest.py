"""A vCenter with two machines, and sessions of the real client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.machines.standing_in import standing_in

from .vcenter_served import Served, disconnect


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Run a vCenter with two machines, a and b."""
    with standing_in(tmp_path) as running:
        yield running


@pytest.fixture
def connect(served: Served) -> Iterator[Callable[..., Any]]:
    """Log in as somebody; log out at the end."""
    opened: list[Any] = []

    def log_in(*who: str) -> Any:
        opened.append(served.connect(*who))
        return opened[-1]

    yield log_in
    for each in opened:
        disconnect(each)


@pytest.fixture
def si(connect: Callable[..., Any]) -> Any:
    """Log in as the administrator."""
    return connect()


@pytest.fixture
def vm(si: Any) -> Any:
    """Find the machine a."""
    return si.content.searchIndex.FindByInventoryPath("Lab/vm/Windows/a")
