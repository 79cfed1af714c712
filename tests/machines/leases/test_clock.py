"""Leases last by the time that passes, whatever is done to the clock of the host meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy

from harness.errors import LeaseLost
from harness.machines.leases import clock as host
from harness.machines.leases.line import AllQuarantined
from harness.machines.leases.quarantine import put_away
from harness.machines.leases.register import key_of, standing
from harness.machines.leases.store import Store
from harness.machines.leases.tables import clock
from harness.machines.leases.waits import AllHeld
from harness.site import Site

from .lives import EXPIRES, Clock, held, line_up

HOUR = 3600.0


class Host:
    """A host with a clock that can be set, one that nobody sets, and an identity of its boot."""

    def __init__(self) -> None:
        self.up = Clock()
        self.set = 0.0
        self.boot: str | None = "first"

    def wall(self, _: sqlalchemy.Connection) -> float:
        """Tell the time as it was set."""
        return self.up() + self.set


@pytest.fixture
def computer(monkeypatch: pytest.MonkeyPatch) -> Host:
    """Have a host whose clocks the test moves."""
    computer = Host()
    monkeypatch.setattr(host, "wall", computer.wall)
    monkeypatch.setattr(host, "uptime", lambda: computer.up())
    monkeypatch.setattr(host, "boot", lambda: computer.boot)
    return computer


@pytest.fixture
def file(tmp_path: Path, computer: Host) -> Iterator[Store]:
    """Open a store that is a file, on that host's clocks."""
    store = Store(sqlalchemy.URL.create("sqlite", database=str(tmp_path / "leases.sqlite3")))
    yield store
    store.close()


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 365 * 24 * HOUR, 5.0])
def test_a_lease_lasts_as_long_as_it_should(file: Store, lease_site: Site, computer: Host, jump: float) -> None:
    """Who has a machine keeps it for its minute and no longer, for those who were in line and for those who come."""
    ours = held(file, lease_site, computer.up, holder="ours")
    waits = line_up(file, lease_site, computer.up, holder="waits")
    with pytest.raises(AllHeld):
        waits.attempt()
    computer.up.passes(EXPIRES / 2)
    computer.set = jump
    late = line_up(file, lease_site, computer.up, holder="late")
    for other in (late, waits):
        with pytest.raises(AllHeld):
            other.attempt()
    ours.confirm()
    computer.up.passes(EXPIRES / 2)
    with pytest.raises(AllHeld):
        waits.attempt()
    computer.up.passes(EXPIRES / 2 + 1)
    with pytest.raises(AllHeld):
        late.attempt()  # who came first is still first
    assert waits.attempt().token > ours.token
    with pytest.raises(LeaseLost):
        ours.confirm()


def test_people_read_times_by_the_clock_that_they_see(file: Store, lease_site: Site, computer: Host) -> None:
    """What is written down moves with the clock; a length of a quarantine stays one, and what never was stays so."""
    key = key_of(lease_site, lease_site.machines[0])
    put_away(file, key, "a disk is replaced", 2 * HOUR)
    computer.set = -HOUR
    computer.up.passes(HOUR)
    with file.reading() as turn:
        before = standing(turn, key)
    with file.changing() as turn:
        now, after = turn.now, standing(turn, key)
    assert before is not None
    assert after is not None
    assert now == pytest.approx(computer.up() - HOUR, abs=0.01)
    assert after.quarantined_until == pytest.approx(now + HOUR, abs=0.01)
    assert after.quarantined_until == pytest.approx((before.quarantined_until or 0) - HOUR, abs=0.01)
    assert after.used == 0.0
    place = line_up(file, lease_site, computer.up, holder="comes")
    with pytest.raises(AllQuarantined):
        place.attempt()
    computer.up.passes(HOUR + 1)
    place.attempt()


@pytest.mark.parametrize("boot", ["second", None])
def test_after_a_restart_of_the_host_its_clock_counts(
    file: Store, lease_site: Site, computer: Host, boot: str | None
) -> None:
    """What an uptime counts from is known for one boot only; a host that cannot tell it has its clock alone."""
    held(file, lease_site, computer.up, holder="of the first boot")
    computer.boot = boot
    computer.set, computer.up.seconds = computer.up() + EXPIRES + 1, 100.0
    line_up(file, lease_site, computer.up, holder="comes later").attempt()


def test_a_file_of_an_earlier_version_is_taken_on(tmp_path: Path, lease_site: Site, computer: Host) -> None:
    """The leases in it hold, and from now on they outlast a clock that is set."""
    url = sqlalchemy.URL.create("sqlite", database=str(tmp_path / "leases.sqlite3"))
    old = Store(url)
    held(old, lease_site, computer.up, holder="runs on")
    with old.changing() as turn:
        clock.drop(turn.connection)
    old.close()
    new = Store(url)
    with new.changing():
        pass
    computer.set = HOUR
    with pytest.raises(AllHeld):
        line_up(new, lease_site, computer.up, holder="comes").attempt()
    new.close()
