"""The client against a vCenter simulator that nobody here wrote; skipped where Debian's govmomi is not installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from harness.errors import MachineMissing, SiteRefused
from harness.machines.machine import Machine
from harness.machines.vcenter import VCenter, connected
from harness.site import Secret, Site, SiteMachine

from .sites import PASSWORD, site
from .sockets import certificate

SOURCE = Path(__file__).parent / "vcsim" / "main.go"
LIBRARY = Path("/usr/share/gocode/src/github.com/vmware/govmomi/simulator")
VM = "DC0/vm/DC0_H0_VM0"


@pytest.fixture(scope="session")
def vcsim(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the simulator once; go keeps what it compiled for the next time."""
    if shutil.which("go") is None or not LIBRARY.is_dir():
        pytest.skip("vcsim needs Debian's golang-go and golang-github-vmware-govmomi-dev")
    cache = getattr(pytestconfig, "cache", None)  # somebody may run without it
    program = (cache.mkdir("vcsim") if cache is not None else tmp_path_factory.mktemp("vcsim")) / "vcsim"
    with FileLock(program.with_suffix(".lock")):
        if not program.exists() or program.stat().st_mtime < SOURCE.stat().st_mtime:
            surroundings = os.environ | {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}
            subprocess.run(["go", "build", "-o", str(program), str(SOURCE)], env=surroundings, check=True)
    return program


@pytest.fixture
def simulated(vcsim: Path, tmp_path: Path) -> Iterator[Site]:
    """Start a simulator of its own for each test, with a certificate that is verified."""
    pem = certificate(tmp_path)
    with subprocess.Popen(
        [vcsim, pem], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline().rpartition(":")[2])
            wanted = site(tmp_path, port=port, ca_file=pem, machines=((VM, 19044),))
            (tmp_path / "vcenter.secret").write_text("secret")
            yield wanted
        finally:
            process.kill()


def snapshot(machine: Machine, name: str) -> None:
    """Take a snapshot, which the harness itself never does."""
    task = machine._vm.CreateSnapshot_Task(name, "", False, False)
    machine._tasks.wait(task, within=10)


def spent(vcenter: VCenter, work: Any) -> Counter[str]:
    """Count the SOAP calls of a piece of work."""
    before = vcenter.calls
    work()
    return vcenter.calls - before


def test_a_machine_is_reverted_and_powered_on(simulated: Site) -> None:
    """Revert and power on wait for their tasks, with at most four calls each besides one look at the machine."""
    with connected(simulated) as vcenter:
        assert not vcenter.about.is_lab
        machine = vcenter.machine(simulated.machines[0])
        snapshot(machine, "clean")
        assert spent(vcenter, machine.revert).total() <= 6
        machine.power_off()
        assert not machine.power().on
        calls = spent(vcenter, machine.revert)
        assert machine.power().on
    assert calls["RevertToSnapshot_Task"] == calls["PowerOnVM_Task"] == 1
    assert calls.total() <= 10


def test_collectors_are_renewed_and_many_tasks_leave_nothing_behind(simulated: Site) -> None:
    """A long session keeps few filters on the vCenter."""
    with connected(simulated) as vcenter:
        machine = vcenter.machine(simulated.machines[0])
        for _ in range(25):
            machine.power_off()
            machine.power_on()
        assert vcenter.calls["CreateFilter"] == 50
        assert vcenter.calls["CreatePropertyCollector"] == vcenter.calls["DestroyPropertyCollector"] + 1 == 3


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("DC0/vm/DC0_H0_VM7", "no such machine in the inventory; did you mean DC0/vm/"),
        ("DC0_H0_VM7", "no such machine in the inventory; did you mean DC0/vm/"),
        ("Q", "no such machine in the inventory; the inventory has DC0/vm/DC0_C0_RP0_VM0, "),
        (VM, "it has no snapshot; take one named 'clean' in vSphere"),
    ],
)
def test_what_is_missing_is_named_with_what_is_there(simulated: Site, path: str, words: str) -> None:
    """A wrong path or snapshot is answered with the nearest right ones."""
    entry = SiteMachine(path=path, build=19044, snapshot="clean", address="127.0.0.9")
    with connected(simulated) as vcenter, pytest.raises(MachineMissing) as raised:
        vcenter.machine(entry).revert()
    assert words in str(raised.value)


def test_a_plain_name_is_enough_when_only_one_machine_has_it(simulated: Site) -> None:
    """The full path is found out, because the screenshot needs the datacenter."""
    with connected(simulated) as vcenter:
        entry = simulated.machines[0].model_copy(update={"path": "DC0_C0_RP0_VM1"})
        assert vcenter.machine(entry).path == "DC0/vm/DC0_C0_RP0_VM1"


def test_a_session_that_was_ended_is_renewed(simulated: Site) -> None:
    """An idle session dies on the vCenter; the next call logs in again and no task is asked for twice."""
    with connected(simulated) as vcenter:
        machine = vcenter.machine(simulated.machines[0])
        machine.power_off()
        machine._session.content.sessionManager.Logout()
        machine.power_on()
        assert machine.power().on
        machine._session.content.sessionManager.Logout()
        assert machine.power().on
        assert vcenter.calls["Login"] == 3


def test_a_refused_log_in_says_where_the_password_is(simulated: Site, tmp_path: Path) -> None:
    """The line names the user and the place of the secret, never the secret."""
    nobody = simulated.vcenter.model_copy(update={"user": " ", "password": Secret(file=tmp_path / "vcenter.secret")})
    (tmp_path / "vcenter.secret").write_text(PASSWORD)
    with pytest.raises(SiteRefused) as raised, connected(simulated.model_copy(update={"vcenter": nobody})):
        pytest.fail("it connected")
    assert f"check vcenter.user and the password in {tmp_path / 'vcenter.secret'}" in str(raised.value)
    assert PASSWORD not in str(raised.value)
