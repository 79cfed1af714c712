"""A lab of the doctor's own: one machine that is up, one that is off, and nobody else's leases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.machines.vcenter import connected
from harness.site import read_site
from tests.doctor.patient import Patient
from tests.lab.running_labs import needs_a_lab, serving
from tests.waiting import until


@pytest.fixture(scope="module")
def lab() -> Iterator[Path]:
    """Start a lab and power on the first of its two machines."""
    needs_a_lab()
    with serving("--build", "22631", "--machines", "2") as (_, site_file):
        site = read_site(site_file)
        with connected(site) as vcenter:
            machine = vcenter.machine(site.machines[0])
            machine.power_on()
            until(lambda: machine.condition().tools == "running")
        yield site_file


@pytest.fixture
def patient(lab: Path, tmp_path: Path) -> Patient:
    """Give the lab's site, to be spoilt, with the machine that is up alone in it."""
    return Patient(lab, tmp_path)
