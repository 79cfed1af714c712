"""The fixtures: the site's work is done here, so that what fails in a test's body is the product's doing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from harness.errors import AuthoringError, GuestUnreachable, ProductFailed, SiteError
from harness.plugin.evidence import EvidenceFolder
from harness.plugin.exchange import exchange_of, worker_of
from harness.plugin.record import Record, record_key
from harness.plugin.restarts import Fence, why_lost
from harness.plugin.settings import settings_key
from harness.scenarios.steps import Steps

if TYPE_CHECKING:
    from harness.guest.guest import Guest
    from harness.guest.state import Scope
    from harness.guest.state.baseline import Baseline
    from harness.machines.machine import Machine
    from harness.machines.vcenter import VCenter
    from harness.matrix import Cell
    from harness.products import Product
    from harness.scenarios.installation import Installation
    from harness.site import Site


@pytest.fixture(scope="session")
def site(pytestconfig: pytest.Config) -> Site:
    """Read where the machines come from: the site file of ``--site``, or the embedded lab's."""
    from harness.site import read_site

    posted = exchange_of(pytestconfig).posted()
    if posted is None:
        raise AuthoringError(_NO_CELLS.format("site"))
    return read_site(posted.site)


@pytest.fixture(scope="session")
def vcenter(site: Site) -> Iterator[VCenter]:
    """Connect this process to the site's vCenter, once."""
    from harness.machines.vcenter import connected

    with connected(site) as vcenter:
        yield vcenter


@pytest.fixture
def cell(request: pytest.FixtureRequest) -> Cell:
    """Tell what this test is to prove: build, product, scenario and versions."""
    return _record(request).cell


@pytest.fixture
def product(request: pytest.FixtureRequest) -> Product:
    """Give the product under test."""
    record = _record(request)
    return record.matrix.products[record.cell.product]


@pytest.fixture
def step(request: pytest.FixtureRequest) -> Steps:
    """Name and time the parts of the test.

    Write ``with step("install 1.10.2"):`` around each.
    """
    return _record(request).steps


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> EvidenceFolder:
    """Keep what proves the verdict, as in ``evidence.keep("install.log", text, kind="log")``."""
    from harness.results.run import RunFolder

    record = _record(request)
    posted = exchange_of(request.config).posted()
    assert posted is not None  # noqa: S101 - the controller posts before the first cell begins
    return EvidenceFolder(RunFolder(posted.run), record)


@pytest.fixture
def machine(request: pytest.FixtureRequest, vcenter: VCenter, step: Steps) -> Iterator[Machine]:
    """Have a clean machine of the cell's build until the test ends, by the strategy that the site file names."""
    from harness.machines.supply import Wanted, name_of_run, supplied

    record = _record(request)
    record.on_lab = vcenter.about.is_lab
    posted = exchange_of(request.config).posted()
    assert posted is not None  # noqa: S101 - the controller posts before the first cell begins
    wanted = Wanted(
        build=record.cell.build,
        run=name_of_run(posted.run),
        holder=f"{worker_of(request.config) or 'pytest'} for {record.name}",
        step=step,
        leased=record.leased,
        tell=record.notes.append,
        warn=record.warn,
    )
    with supplied(vcenter, wanted) as (ready, lease):
        machine = ready.machine
        record.machine, record.supplied = machine.name, ready.how
        since = record.powered_since = machine.power().since or vcenter.now()

        def doubt() -> str:
            lease.confirm()  # what was seen on a machine that is another's proves nothing
            return str(machine.disturbance(since) or "")

        record.doubts.append(doubt)
        yield machine

        def hold(seconds: float, reason: str) -> None:
            lease.keep(seconds, reason)
            ready.keep(seconds, reason)

        _keep(request.config, record, machine, hold)


@pytest.fixture
def guest(
    request: pytest.FixtureRequest, site: Site, machine: Machine, step: Steps, evidence: EvidenceFolder
) -> Iterator[Guest]:
    """Give the Windows in the machine, ready, as the administrator; the other is ``guest.as_account("standard")``."""
    from harness.guest.guest import Guest
    from harness.machines.leases import on_trial
    from harness.plugin.verdicts import PASSED

    record = _record(request)
    lease = record.lease
    assert lease is not None  # noqa: S101 - the machine was leased

    def photograph() -> None:
        """Keep the console's picture at a deadline: what the installer waited for."""
        try:
            evidence.keep("console.png", machine.screenshot(), kind="screenshot")
        except SiteError as error:
            evidence.note(f"no picture of the console: {error}")

    courier = machine.files(site.accounts["administrator"])
    fence = Fence(lease.check, machine, record.powered_since)
    guest = Guest.of(site, machine.entry, courier=courier, at_deadline=photograph, fence=fence)
    try:
        with (
            step("wait until the guest answers"),
            fence.waiting(),
            on_trial(lease, tell=record.notes.append),
            _the_site_is_to_blame(machine.name),
        ):
            guest.wait_until_ready(site.budgets.ready, reverted=True)
        with (
            step("compare the guest with what was declared"),
            on_trial(lease, tell=record.notes.append),
            _the_site_is_to_blame(machine.name),
        ):
            _attest(record, guest, machine, evidence)

        def doubt() -> str:
            with _the_site_is_to_blame(machine.name):
                guest.run("ver", deadline=_ANSWER)
            return ""

        record.doubts.append(doubt)
        since = record.powered_since
        record.explain = partial(why_lost, machine, guest, since=since, within=site.budgets.restart)
        yield guest
        if guest.forgot and record.judgement == PASSED and (cause := record.explain()) is not None:
            raise cause  # it went well, and the machine was restarted under it
    finally:
        record.explain = lambda: None
        record.doubts[1:] = []  # the guest is not to be asked once its shell is closed
        guest.close()


@pytest.fixture
def installation(machine: Machine, guest: Guest, product: Product, evidence: EvidenceFolder) -> Installation:
    """Give the product's life on the guest in verbs: install, prove, uninstall, each judged, with its log kept."""
    from harness.guest.state.baseline import Baselines
    from harness.scenarios.installation import Installation

    baselines = Baselines(tell=evidence.note)

    def begins(guest: Guest, scope: Scope) -> Baseline:
        with _the_site_is_to_blame(machine.name):
            return baselines.of(guest, machine.origin, scope=scope)

    return Installation(guest, product, evidence, begins)


@contextmanager
def _the_site_is_to_blame(machine: str) -> Iterator[None]:
    """Before the product is there, a command that hangs or fails is the guest's fault."""
    try:
        yield
    except ProductFailed as error:
        raise GuestUnreachable(
            f"answers, but not to a plain command: {error}", machine=machine, advice="look at its console in vSphere"
        ) from error


def _attest(record: Record, guest: Guest, machine: Machine, evidence: EvidenceFolder) -> None:
    """Keep what the guest is as evidence; raises Drifted when that is not what the cell is to be judged on."""
    from harness.guest.attesting import attest

    attested = attest(
        guest,
        wanted=record.cell.build,
        said=machine.entry.windows,
        matrix=record.matrix.environment,
        site=machine.entry.environment,
    )
    record.provenance = guest.facts().provenance
    record.guest = dict(attested.text) | {"machine": record.supplied}
    if (seen := machine.came_from) is not None:
        record.guest["snapshot"] = f"{seen.path} ({seen.moid}), taken {seen.taken:%Y-%m-%d %H:%M:%S}"
    evidence.keep("guest.json", json.dumps(record.guest, indent=1), kind="facts")
    attested.check(machine.name)


def _keep(config: pytest.Config, record: Record, machine: Machine, holds: Callable[[float, str], None]) -> None:
    """Leave the machine as the cell left it, when that was asked for."""
    from harness.plugin import keeping

    settings, posted = config.stash[settings_key], exchange_of(config).posted()
    if keeping.is_wanted(settings.keep, record) and posted is not None:
        keeping.keep_machine(record, machine, posted, settings.keep_for, holds)


_ANSWER = 15.0  # seconds: a guest that takes longer for "ver" is not at work

_NO_CELLS = (
    "the fixture {!r} serves cells of a matrix, and this test stands for none: "
    'mark it with @pytest.mark.matrix("matrices/NAME.toml")'
)


def _record(request: pytest.FixtureRequest) -> Record:
    record: Record | None = request.node.stash.get(record_key, None)
    if record is None:
        pytest.fail(_NO_CELLS.format(request.fixturename), pytrace=False)
    return record
