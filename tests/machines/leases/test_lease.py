"""A lease is ours until it is given back, lost or broken; whoever lost it touches nothing any more."""

from __future__ import annotations

import logging
import threading

import pytest
import sqlalchemy

from harness.builds import Build
from harness.errors import LeaseLost, LeasesUnreachable
from harness.machines.leases import leased
from harness.machines.leases.quarantine import break_lease, release
from harness.machines.leases.register import Key, Standing, key_of, standing
from harness.machines.leases.store import Store
from harness.machines.leases.tables import machines, metadata
from harness.site import Leases, Site
from tests.waiting import until

from .lives import EXPIRES, Clock, held

WIN10 = Build(19044)


def row(store: Store, site: Site) -> Standing:
    """Read how the first machine stands."""
    with store.reading() as turn:
        found = standing(turn, key_of(site, site.machines[0]))
    assert found is not None
    return found


def key(site: Site) -> Key:
    """Name the first machine."""
    return key_of(site, site.machines[0])


def test_an_expired_lease_goes_to_the_next_and_never_back(store: Store, lease_site: Site, clock: Clock) -> None:
    """Who stood still for too long finds out before he touches anything, and cannot renew, keep or give back."""
    late = held(store, lease_site, clock, holder="stood still")
    clock.passes(EXPIRES)
    next_one = held(store, lease_site, clock, holder="the next cell")
    assert next_one.token > late.token
    for touch in (late.check, late.confirm, lambda: late.keep(600, "to look at"), late.give_back):
        with pytest.raises(LeaseLost, match=r"^a: "):
            touch()
    late.quarantine("it does not answer")
    now = row(store, lease_site)
    assert (now.holder, now.token, now.quarantined) == ("the next cell", next_one.token, None)
    next_one.confirm()


def test_the_line_says_who_has_the_machine_now(store: Store, lease_site: Site, clock: Clock) -> None:
    """LeaseLost names the machine, what happened and what to do."""
    late = held(store, lease_site, clock, holder="stood still")
    clock.passes(EXPIRES)
    held(store, lease_site, clock, holder="the next cell")
    with pytest.raises(LeaseLost, match=r"has it now|could not be renewed") as raised:
        late.give_back()
    assert "the next cell has it now (process " in str(raised.value)
    assert "wincompat leases" in raised.value.advice


def test_a_heartbeat_keeps_a_lease(store: Store, lease_site: Site, clock: Clock) -> None:
    """Renewed in time it lasts for ever, and what is asked before a command costs no question to the store."""
    lease = held(store, lease_site, clock, holder="works")
    for _ in range(5):
        clock.passes(EXPIRES * 0.9)
        lease.check()
        lease.beat()
    assert row(store, lease_site).expires == pytest.approx(clock.seconds + EXPIRES)


def test_an_expired_lease_that_nobody_took_may_be_renewed(store: Store, lease_site: Site, clock: Clock) -> None:
    """As long as the token is ours nobody has had the machine since."""
    lease = held(store, lease_site, clock, holder="slept")
    clock.passes(EXPIRES * 3)
    lease.confirm()
    lease.check()
    assert row(store, lease_site).expires == pytest.approx(clock.seconds + EXPIRES)


def test_a_silent_store_is_ridden_out_until_the_lease_expires(
    store: Store, lease_site: Site, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was last heard holds for as long as the lease lasts, and not a moment longer."""
    lease = held(store, lease_site, clock, holder="works")
    clock.passes(EXPIRES / 2)
    lease.beat()

    def silence() -> None:
        raise LeasesUnreachable("no answer", machine="lease store", advice="look at it")

    monkeypatch.setattr(store, "changing", silence)
    with caplog.at_level(logging.WARNING):
        clock.passes(EXPIRES * 0.9)
        lease.confirm()
    assert "no answer" in caplog.text
    clock.passes(EXPIRES * 0.1)
    for touch in (lease.check, lease.confirm, lease.give_back):
        with pytest.raises(LeaseLost, match="could not be renewed for 60 s"):
            touch()


def test_a_database_that_was_restarted_costs_no_lease(
    postgresql: sqlalchemy.URL, lease_site: Site, clock: Clock
) -> None:
    """Connections from before are found dead and made anew; what was under way is undone and told."""
    store = Store(postgresql, now=clock.of_the_store)
    other = sqlalchemy.create_engine(postgresql, poolclass=sqlalchemy.NullPool)

    def end_connections() -> None:
        with other.connect() as connection:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'wincompat'"
            assert connection.exec_driver_sql(ended).all()

    def cut_off() -> None:
        with store.changing() as turn:
            turn.connection.execute(machines.update().values(holder="nobody"))
            end_connections()
            turn.connection.execute(machines.select())

    try:
        lease = held(store, lease_site, clock, holder="works")
        for _ in range(2):
            end_connections()
            clock.passes(EXPIRES / 2)
            lease.beat()
        with pytest.raises(LeasesUnreachable, match="check leases"):
            cut_off()
        lease.beat()
        assert row(store, lease_site).holder == "works"
        lease.give_back()
    finally:
        metadata.drop_all(other)
        store.close()


def test_the_heartbeat_beats_by_itself(store: Store, lease_site: Site, clock: Clock) -> None:
    """While the block runs, the store hears of the lease again and again; afterwards no more."""
    short = lease_site.model_copy(update={"leases": Leases(expires=0.3)})

    def renewed() -> bool:
        return row(store, short).expires == clock.seconds + 0.3

    # it beats every tenth of a second, and is lost by the test's clock alone
    with leased(short, WIN10, holder="works", entries=short.machines[:1], store=store, clock=clock):
        for _ in range(3):
            clock.passes(1)
            until(renewed, else_say="nobody renewed it")
    until(lambda: not any(thread.name.startswith("lease of") for thread in threading.enumerate()))


def test_a_kept_machine_outlives_the_run(store: Store, lease_site: Site, clock: Clock) -> None:
    """It stays ours for the time, is shown with its reason, and comes free by itself or by release."""
    lease = held(store, lease_site, clock, holder="failed")
    lease.keep(3600, "kept to be looked at")
    lease.give_back()
    clock.passes(EXPIRES * 2)
    lease.beat()
    lease.check()
    assert row(store, lease_site).told(clock.seconds).endswith(": kept to be looked at")
    assert release(store, key(lease_site)) == "kept to be looked at"
    held(store, lease_site, clock, holder="next").keep(3600, "again")
    clock.passes(3600)
    held(store, lease_site, clock, holder="the one after that")


def test_a_broken_lease_is_lost_at_once(store: Store, lease_site: Site, clock: Clock) -> None:
    """Who breaks a lease is told whose it was; its holder finds out at the next question to the store."""
    lease = held(store, lease_site, clock, holder="cell one")
    told = break_lease(store, key(lease_site))
    assert told is not None
    assert told.startswith("cell one (process ")
    with pytest.raises(LeaseLost, match="its lease was broken"):
        lease.confirm()
    with pytest.raises(LeaseLost):
        lease.check()
    assert break_lease(store, key(lease_site)) is None


def fails_after(_: object) -> None:
    """Fail, for another reason."""
    raise ZeroDivisionError


def test_a_cell_that_lost_its_lease_does_not_pass(store: Store, lease_site: Site) -> None:
    """At the end of the block a lost lease is an error; beside another error it is a note."""
    build = lease_site.machines[2].windows
    with pytest.raises(LeaseLost), leased(lease_site, build, holder="x", store=store) as lease:
        break_lease(store, key_of(lease_site, lease.entry))
    with pytest.raises(ZeroDivisionError) as raised, leased(lease_site, build, holder="x", store=store) as lease:
        fails_after(break_lease(store, key_of(lease_site, lease.entry)))
    assert "its lease was broken" in "".join(raised.value.__notes__)
