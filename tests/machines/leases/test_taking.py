"""One machine belongs to one cell at a time, and whoever waits is served in order."""

from __future__ import annotations

import time

import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import strategies as st

from harness.builds import Build
from harness.errors import LeasesUnreachable, NoMachine
from harness.machines.leases import leased
from harness.machines.leases.line import shares
from harness.machines.leases.store import Store
from harness.machines.leases.waits import AllHeld
from harness.site import Budgets, Site

from .lives import EXPIRES, Clock, held, line_up

WIN10 = Build(19044)
ONLY = Build(22631)


def hurried(site: Site) -> Site:
    """Make a site whose cells do not wait long for a machine."""
    return site.model_copy(update={"budgets": Budgets(lease=0.3)})


def test_two_leases_get_two_machines_and_a_third_waits_in_vain(store: Store, lease_site: Site) -> None:
    """Machines of the build are held one each; past the budget the line names who holds them."""
    with (
        leased(lease_site, WIN10, holder="cell one", store=store) as one,
        leased(lease_site, WIN10, holder="cell two", store=store) as two,
    ):
        assert {one.entry.path, two.entry.path} == {"DC/vm/a", "DC/vm/b"}
        with (
            pytest.raises(NoMachine) as raised,
            leased(hurried(lease_site), WIN10, holder="cell three", store=store),
        ):
            pytest.fail("a third machine came from nowhere")
    line = str(raised.value)
    assert line.startswith("build 19044: no machine came free in 0.3 s: DC/vm/a by cell one since ")
    assert "DC/vm/b by cell two since " in line
    assert " (process " in line


def test_a_build_without_a_machine_is_refused_at_once(store: Store, lease_site: Site) -> None:
    """Nobody waits for a machine that cannot come; the line names the builds that the site has."""

    def never(seconds: float) -> None:
        pytest.fail("it waited")

    with pytest.raises(NoMachine) as raised, leased(lease_site, Build(26100), holder="x", store=store, sleep=never):
        pytest.fail("a machine of another build was given")
    assert str(raised.value) == (
        "build 26100: no machine of site 'test' carries it; "
        "the site has 19044, 22631.4037; add a [[machines]] entry or leave the build out"
    )


@pytest.mark.parametrize(("wanted", "served"), [("22631", True), ("22631.4037", True), ("22631.1", False)])
def test_a_revision_is_honoured(store: Store, lease_site: Site, wanted: str, served: bool) -> None:
    """A build without revision takes any; one with a revision takes that one or a machine that does not say."""
    try:
        with leased(lease_site, Build.parse(wanted), holder="x", store=store) as lease:
            assert lease.entry.path == "DC/vm/c"
            assert served
    except NoMachine:
        assert not served


def test_the_machine_unused_for_longest_is_preferred(store: Store, lease_site: Site, clock: Clock) -> None:
    """Machines wear evenly, and one that misbehaves is not met again at once."""
    order = []
    for name in ("first", "second", "third"):
        with leased(lease_site, WIN10, holder=name, store=store) as lease:
            order.append(lease.entry.path)
        clock.passes(1)
    assert order[0] != order[1]
    assert order[0] == order[2]


def test_a_lease_is_given_back_when_the_cell_fails(store: Store, lease_site: Site) -> None:
    """Whatever happens in the block, the machine is free afterwards."""
    with pytest.raises(ZeroDivisionError), leased(lease_site, ONLY, holder="x", store=store):
        raise ZeroDivisionError
    with leased(lease_site, ONLY, holder="y", store=store) as lease:
        assert lease.entry.path == "DC/vm/c"


def test_tokens_only_grow(store: Store, lease_site: Site) -> None:
    """Each lease of a machine has a greater token than all before it."""
    tokens = []
    for _ in range(4):
        with leased(lease_site, ONLY, holder="x", store=store) as lease:
            tokens.append(lease.token)
    assert tokens == sorted(set(tokens))


def test_machines_are_told_apart_by_their_vcenter(store: Store, lease_site: Site) -> None:
    """The same path on another vCenter is another machine."""
    elsewhere = lease_site.model_copy(update={"vcenter": lease_site.vcenter.model_copy(update={"port": 8443})})
    with leased(lease_site, ONLY, holder="x", store=store), leased(elsewhere, ONLY, holder="y", store=store) as lease:
        assert lease.entry.path == "DC/vm/c"


def test_one_who_waits_gets_the_machine_that_comes_free(store: Store, lease_site: Site) -> None:
    """The wait ends as soon as a machine is given back."""
    holding = leased(lease_site, ONLY, holder="x", store=store)
    holding.__enter__()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            holding.__exit__(None, None, None)

    with leased(lease_site, ONLY, holder="y", store=store, sleep=sleep) as lease:
        assert lease.entry.path == "DC/vm/c"
    assert len(slept) == 3


def test_who_came_first_is_served_first(store: Store, lease_site: Site, clock: Clock) -> None:
    """One who gives a machine back and asks again, and one who asks oftener, line up behind those who wait."""
    first = held(store, lease_site, clock, holder="had it")
    waits = line_up(store, lease_site, clock, holder="waits")
    again = line_up(store, lease_site, clock, holder="had it")
    for place in (waits, again):
        with pytest.raises(AllHeld):
            place.attempt()
    first.give_back()
    for _ in range(3):
        with pytest.raises(AllHeld):
            again.attempt()
    assert waits.attempt().token > first.token


def test_a_place_in_line_lapses(store: Store, lease_site: Site, clock: Clock) -> None:
    """A waiting controller that died holds nobody up for longer than a lease lasts; one that lives keeps its place."""
    first = held(store, lease_site, clock, holder="had it")
    dead = line_up(store, lease_site, clock, holder="dies while it waits")
    alive = line_up(store, lease_site, clock, holder="asks now and then")
    for place in (dead, alive):
        with pytest.raises(AllHeld):
            place.attempt()
    first.give_back()
    clock.passes(EXPIRES / 2)
    with pytest.raises(AllHeld):
        alive.attempt()
    clock.passes(EXPIRES / 2)
    assert alive.attempt().token > first.token


def test_one_who_gives_up_leaves_the_line(store: Store, lease_site: Site, clock: Clock) -> None:
    """After a wait in vain nobody waits behind it."""
    first = held(store, lease_site, clock, holder="has it", entry=lease_site.machines[2])
    with pytest.raises(NoMachine), leased(hurried(lease_site), ONLY, holder="gives up", store=store):
        pytest.fail("two have it")
    first.give_back()
    with leased(hurried(lease_site), ONLY, holder="next", store=store) as lease:
        assert lease.entry.path == "DC/vm/c"


def test_the_hosts_time_is_never_asked(url: sqlalchemy.URL, lease_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Controllers' clocks may differ: times come from the database, and lengths from a clock that nobody sets."""

    def never() -> float:
        pytest.fail("the time of this host was asked")

    store = Store(url)
    monkeypatch.setattr(time, "time", never)
    with leased(lease_site, ONLY, holder="x", store=store) as lease:
        lease.confirm()
    store.close()


def test_a_store_that_comes_back_is_waited_for(
    store: Store, lease_site: Site, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a wait a silence of the store is ridden out, for as long as the place in the line lasts."""
    first = held(store, lease_site, clock, holder="has it", entry=lease_site.machines[2])
    slept: list[float] = []

    def silence() -> None:
        raise LeasesUnreachable("restarts", machine="lease store", advice="wait")

    def sleep(_: float) -> None:
        slept.append(clock.seconds)
        if len(slept) == 1:
            monkeypatch.setattr(store, "reading", silence)
        if len(slept) == 3:
            monkeypatch.undo()
            first.give_back()

    with leased(lease_site, ONLY, holder="waits", store=store, clock=clock, sleep=sleep) as lease:
        assert lease.token > first.token
    assert len(slept) == 3


@given(
    st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True), max_size=8),
    st.lists(st.sampled_from("abcdef"), unique=True),
)
def test_shares_are_fair(wants: list[list[str]], free: list[str]) -> None:
    """Nobody gets what he does not want, nothing is given twice, and nobody is passed over for a later one."""
    waiting = dict(enumerate(wants, 1))
    given_to = shares(waiting, free)
    assert all(machine in waiting[ticket] and machine in free for ticket, machine in given_to.items())
    assert len(set(given_to.values())) == len(given_to)
    for ticket, wanted in waiting.items():
        if ticket not in given_to:
            earlier = {machine for other, machine in given_to.items() if other < ticket}
            assert set(wanted) & set(free) <= earlier
