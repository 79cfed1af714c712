"""A clean machine for a cell: leased, brought about as the site file says, with a fallback only where one is named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.builds import Build
from harness.errors import MachineFailed, SiteUnreachable
from harness.machines.leases import Lease
from harness.machines.supply import Wanted, supplied
from harness.machines.vcenter import connected
from harness.site import Site
from tests.lab.vcenter.vcenter_served import Served

from .impatience import when_sent
from .sockets import Cutter, listening
from .standing_in import FOLDER, cloning, names, site_of


class Cell:
    """What a cell hears while it is supplied."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.leases: list[Lease] = []
        self.warnings: list[str] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Note a step."""
        self.steps.append(name)
        yield

    def wanted(self, build: int = 19044) -> Wanted:
        """Want a machine."""
        return Wanted(
            build=Build(build),
            run="run",
            holder="a cell",
            step=self.step,
            leased=self.leases.append,
            tell=lambda _: None,
            warn=self.warnings.append,
        )


@pytest.fixture(autouse=True)
def _leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the leases of each test apart."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_a_clone_is_leased_by_its_number(served: Served, tmp_path: Path) -> None:
    """As many cells as clones are allowed have one each, and no two the same."""
    first, second = Cell(), Cell()
    with (
        connected(site_of(served, tmp_path, cloning(clones={"at_most": 2}))) as vcenter,
        supplied(vcenter, first.wanted()) as (one, lease),
        supplied(vcenter, second.wanted()) as (other, _),
    ):
        assert {one.machine.name, other.machine.name} == {"wincompat-a-1", "wincompat-a-2"}
        assert lease.entry.lease_name == f"{FOLDER}/a clone {one.machine.name[-1]}"
        assert first.steps == ["lease a machine", "clone from the snapshot"]
        assert first.warnings == []


def test_a_lost_strategy_falls_back_only_when_told_to(served: Served, tmp_path: Path) -> None:
    """The source of instant clones is off: without a fallback that is the reason, with one it is a warning."""
    alone, told = Cell(), Cell()
    with connected(site_of(served, tmp_path, cloning("instant-clone"))) as vcenter:
        with pytest.raises(MachineFailed, match="is not powered on"), supplied(vcenter, alone.wanted()):
            pytest.fail("it fell back")
        assert alone.warnings == []
    with connected(site_of(served, tmp_path, cloning("instant-clone", fallback="linked-clone"))) as vcenter:
        with supplied(vcenter, told.wanted()) as (ready, lease):
            assert ready.how.startswith("cloned from 'clean' of a as wincompat-a-1")
            assert lease.entry.strategy == "linked-clone"
        assert len(told.warnings) == 1
        assert told.warnings[0].startswith("instant-clone failed, fell back on linked-clone: a: it is the source of")
        assert told.steps == [
            "lease a machine",
            "clone the running source",
            "lease a machine",
            "clone from the snapshot",
        ]


def test_a_clone_falls_back_on_the_machine_itself(served: Served, tmp_path: Path) -> None:
    """A vCenter that refuses the clone still lets the machine be reverted, which is leased as itself."""
    cell = Cell()
    served.fault("privilege-refused", machine="a", times=1)
    entry = cloning(fallback="revert", clones={"at_most": 2})
    with (
        connected(site_of(served, tmp_path, entry)) as vcenter,
        supplied(vcenter, cell.wanted()) as (ready, lease),
    ):
        assert lease.entry.lease_name == f"{FOLDER}/a"
        assert ready.machine.name == "a"
        assert ready.how.startswith("reverted to 'clean'")
        assert cell.warnings[0].startswith("linked-clone failed, fell back on revert: ")
        assert names(vcenter) == ["a", "b"]


def test_a_vcenter_that_is_away_is_no_reason_to_fall_back(served: Served, tmp_path: Path) -> None:
    """Another strategy would find it away just the same."""
    cell = Cell()
    cutter = Cutter("127.0.0.1", served.port)
    site: Site = site_of(served, tmp_path, cloning(fallback="revert"))
    with listening(cutter.serve) as port:
        away: dict[str, Any] = {"vcenter": site.vcenter.model_copy(update={"port": port})}
        with connected(site.model_copy(update=away)) as vcenter:
            when_sent(vcenter, "FindByInventoryPath", cutter.armed.set, nth=None)
            when_sent(vcenter, "CurrentTime", cutter.armed.set, nth=None)
            with pytest.raises(SiteUnreachable), supplied(vcenter, cell.wanted()):
                pytest.fail("it fell back")
    assert cell.warnings == []
