"""Guests of this folder's tests: one image for all, a few guests for each module."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator

import pytest

from harness.lab.guest import LabGuest
from harness.lab.host import lab_home, missing
from harness.lab.image import golden_image

from .wine_guests import Guests


@pytest.fixture(scope="module")
def guests() -> Iterator[Guests]:
    """Make guests, and leave none; skipped where no guest can run."""
    if sentences := missing():
        pytest.skip("the lab cannot run here: " + "; ".join(sentences))
    home = lab_home()
    folder = home / "tests" / uuid.uuid4().hex
    with asyncio.Runner() as runner:
        image = runner.run(golden_image(home))
        folder.mkdir(parents=True)
        made = Guests(runner, image, folder)
        try:
            yield made
        finally:
            made.close()
            folder.rmdir()


@pytest.fixture(scope="module")
def guest(guests: Guests) -> LabGuest:
    """Share one guest, up, among a module's tests."""
    return guests.up(guests.create("shared-guest"))
