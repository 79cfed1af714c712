"""Revert, linked clone and instant clone on the lab's vCenter: how a machine comes about, and what is left of it."""

from __future__ import annotations

import gc
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from harness.errors import MachineFailed, MachineMissing, NoMachine, SiteUnreachable
from harness.machines.clones import clones_of
from harness.machines.strategies import Asked, Supplied, supplying
from harness.machines.vcenter import VCenter, connected
from harness.site import Site
from tests.lab.vcenter.vcenter_served import Served, vim

from .impatience import looking_briefly, when_sent
from .sockets import Cutter, listening
from .standing_in import FOLDER, cloning, names, site_of


@contextmanager
def supplied(
    vcenter: VCenter, *, clone: int = 1, told: list[str] | None = None, run: str = "run"
) -> Iterator[Supplied]:
    """Have the clean machine of the site's first entry, or one of the clones that it allows."""
    offered = vcenter.offering(vcenter.site.machines[0].windows).machines
    heard = [] if told is None else told
    entry = offered[clone - 1]
    with supplying(Asked(vcenter=vcenter, entry=entry, run=run, holder="a test", tell=heard.append)) as machine:
        yield machine
    assert told is not None or not heard


def test_a_linked_clone_is_used_once_and_destroyed(served: Served, tmp_path: Path) -> None:
    """It stands on the source's snapshot, is on, has its own address, and leaves nothing; the source stays off."""
    site = site_of(served, tmp_path, cloning(clones={"at_most": 2, "guestinfo": {"guestinfo.name": "{name}/{number}"}}))
    with connected(site) as vcenter:
        with supplied(vcenter, clone=2) as ready:
            machine = ready.machine
            assert machine.path == f"{FOLDER}/wincompat-a-2"
            assert machine.power().on
            assert machine.entry.address == "127.0.0.99"
            assert ready.how == "cloned from 'clean' of a as wincompat-a-2"
            settings = machine._session.read(machine._vm, "config.extraConfig", "config.hardware.device")
            words = {one.key: one.value for one in settings["config.extraConfig"]}
            assert words["guestinfo.name"] == "wincompat-a-2/2"
            assert (words["wincompat.run"], words["wincompat.holder"]) == ("run", "a test")
            disks = [one for one in settings["config.hardware.device"] if isinstance(one, vim.vm.device.VirtualDisk)]
            assert disks[0].backing.parent is not None
            assert not vcenter.machine(site.machines[0]).power().on
        assert names(vcenter) == ["a", "b"]
        assert vcenter.calls["CloneVM_Task"] == vcenter.calls["Destroy_Task"] == 1


@pytest.mark.parametrize("strategy", ["linked-clone", "instant-clone"])
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_whatever_happens_the_clone_goes(
    served: Served, tmp_path: Path, strategy: str, error: type[BaseException]
) -> None:
    """A test that fails and a person who stops the run leave as little behind as one that passes."""
    served.do(served.guests["a"].power_on())
    with connected(site_of(served, tmp_path, cloning(strategy))) as vcenter:

        def use() -> None:
            with supplied(vcenter):
                assert names(vcenter) == ["a", "b", "wincompat-a-1"]
                raise error

        with pytest.raises(error):
            use()
        assert names(vcenter) == ["a", "b"]


# pyVmomi drops the connection that an interrupt leaves in the middle of an answer, without closing it
@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
def test_a_run_that_is_stopped_while_a_clone_comes_about_destroys_it(served: Served, tmp_path: Path) -> None:
    """Ctrl-C in the middle of the clone task: the task is seen to its end, and its clone destroyed."""
    source = served.guests["a"]
    source.is_held = True
    site = site_of(served, tmp_path, cloning())
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def stop() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        source.is_held = False

    stopping = threading.Timer(0.2, stop)
    try:
        with connected(site) as vcenter:
            when_sent(vcenter, "WaitForUpdatesEx", stopping.start)
            with pytest.raises(KeyboardInterrupt), supplied(vcenter):
                pytest.fail("it was not stopped")
            assert vcenter.calls["CloneVM_Task"] == 1
            assert names(vcenter) == ["a", "b"]
    finally:
        stopping.cancel()
        signal.signal(signal.SIGINT, before)
        gc.collect()  # what is dropped without being closed is complained of here, and not in another test


def test_an_instant_clone_goes_on_from_its_running_source(served: Served, tmp_path: Path) -> None:
    """It is up at once; whether the source was frozen is told, and the source's own address is never believed."""
    served.do(served.guests["a"].power_on())
    with connected(site_of(served, tmp_path, cloning("instant-clone"))) as vcenter:
        with supplied(vcenter) as ready:
            assert ready.how == "cloned instantly from a (running, not frozen) as wincompat-a-1"
            assert ready.machine.power().on
            assert ready.machine.entry.address == "127.0.0.99"
        served.do(served.guests["a"].freeze())
        with supplied(vcenter) as ready:
            assert ready.how == "cloned instantly from a (frozen) as wincompat-a-1"
        assert vcenter.calls["InstantClone_Task"] == 2


def test_the_source_of_instant_clones_has_to_run(served: Served, tmp_path: Path) -> None:
    """The line names the source, and what to do."""
    with (
        connected(site_of(served, tmp_path, cloning("instant-clone"))) as vcenter,
        pytest.raises(MachineFailed, match=r"^a: it is the source of instant clones, and is not powered on; power it"),
        supplied(vcenter),
    ):
        pytest.fail("it was cloned")


def test_a_source_without_the_snapshot_is_one_line(served: Served, tmp_path: Path) -> None:
    """The line names the source and the snapshots that it has; nothing is asked of the vCenter."""
    with connected(site_of(served, tmp_path, {**cloning(), "snapshot": "cleam"})) as vcenter:
        with pytest.raises(MachineMissing, match=r"^a: no snapshot 'cleam'; it has clean"), supplied(vcenter):
            pytest.fail("it was cloned")
        assert vcenter.calls["CloneVM_Task"] == 0


def test_a_clone_goes_where_the_site_file_says(served: Served, tmp_path: Path) -> None:
    """Folder, datastore, pool and host by path or name; a wrong one is answered with the nearest."""
    where = {"folder": "Lab/vm", "datastore": "lab", "pool": "Lab/host/lab-host/Resources", "host": "lab-host"}
    with connected(site_of(served, tmp_path, cloning(clones=where))) as vcenter, supplied(vcenter) as ready:
        assert ready.machine.path == "Lab/vm/wincompat-a-1"
    with (
        connected(site_of(served, tmp_path, cloning(clones={"datastore": "lap"}))) as vcenter,
        pytest.raises(MachineMissing, match=r"clones.datastore lap: no such datastore in the inventory; did you mean"),
        supplied(vcenter),
    ):
        pytest.fail("it was cloned")


def specified(vcenter: VCenter, name: str) -> None:
    """Make a customisation specification, as a person does in vSphere."""
    custom = vim.vm.customization
    windows = custom.Sysprep(
        guiUnattended=custom.GuiUnattended(timeZone=110, autoLogon=False, autoLogonCount=0),
        userData=custom.UserData(
            fullName="QA", orgName="QA", computerName=custom.VirtualMachineNameGenerator(), productId=""
        ),
        identification=custom.Identification(),
    )
    adapter = custom.IPSettings(ip=custom.DhcpIpGenerator(), subnetMask="255.255.255.0")
    spec = custom.Specification(
        identity=windows,
        globalIPSettings=custom.GlobalIPSettings(),
        nicSettingMap=[custom.AdapterMapping(adapter=adapter)],
    )
    info = vim.CustomizationSpecInfo(name=name, description="", type="Windows")
    item = vim.CustomizationSpecItem(info=info, spec=spec)
    vcenter._session.content.customizationSpecManager.CreateCustomizationSpec(item)


def test_a_clone_is_customised_where_the_site_file_says_so(served: Served, tmp_path: Path) -> None:
    """The specification is fetched by its name, the clone's own address put into it, and its end waited for."""
    clones = {"at_most": 2, "customization": "compat", "addresses": ["127.0.0.31", "127.0.0.32"]}
    with connected(site_of(served, tmp_path, cloning(clones=clones))) as vcenter:
        line = r"clones.customization compat: no such customisation specification; "
        with pytest.raises(MachineMissing, match=line), supplied(vcenter):
            pytest.fail("it was cloned")
        specified(vcenter, "compat")
        with supplied(vcenter, clone=2) as ready:
            machine = ready.machine
            assert machine.entry.address == "127.0.0.32"
            seen = machine._session.read(machine._vm, "guest")["guest"]
            assert seen.customizationInfo.customizationStatus == "TOOLSDEPLOYPKG_SUCCEEDED"
            assert seen.ipAddress == "127.0.0.32"
            assert seen.hostName == "WINCOMPAT-A-2"


def through(site: Site, port: int) -> Site:
    """Go to the vCenter by way of a relay."""
    return site.model_copy(update={"vcenter": site.vcenter.model_copy(update={"port": port})})


@pytest.mark.parametrize(
    ("strategy", "method"), [("linked-clone", "CloneVM_Task"), ("instant-clone", "InstantClone_Task")]
)
@pytest.mark.parametrize("takes", [0.0, 0.6], ids=["done at once", "takes a while"])
def test_a_clone_whose_answer_was_lost_is_adopted(
    served: Served, tmp_path: Path, strategy: str, method: str, takes: float
) -> None:
    """The connection breaks after the question: it is not asked again, what came into being is used and destroyed."""
    served.do(served.guests["a"].power_on())
    served.guests["a"].takes = takes
    cutter = Cutter("127.0.0.1", served.port)
    with (
        listening(cutter.serve) as port,
        connected(through(site_of(served, tmp_path, cloning(strategy)), port)) as vcenter,
    ):
        when_sent(vcenter, method, cutter.armed.set)
        with supplied(vcenter) as ready:
            assert cutter.cut.is_set()
            assert ready.machine.power().on
            assert names(vcenter) == ["a", "b", "wincompat-a-1"]
        assert names(vcenter) == ["a", "b"]
        assert vcenter.calls[method] == 1


def test_of_two_clones_that_come_about_at_once_each_run_finds_its_own(served: Served, tmp_path: Path) -> None:
    """Another run clones the same source meanwhile: its task is not taken for ours."""
    served.guests["a"].takes = 0.4
    cutter = Cutter("127.0.0.1", served.port)
    site = site_of(served, tmp_path, cloning(clones={"at_most": 2}))
    with (
        listening(cutter.serve) as port,
        connected(site) as other,
        connected(through(site, port)) as vcenter,
        ExitStack() as theirs,
    ):
        when_sent(vcenter, "CloneVM_Task", cutter.armed.set)
        thread = threading.Thread(target=lambda: theirs.enter_context(supplied(other, clone=2)))
        thread.start()
        with supplied(vcenter, clone=1) as ready:
            thread.join()
            assert ready.machine.name == "wincompat-a-1"
            assert names(vcenter) == ["a", "b", "wincompat-a-1", "wincompat-a-2"]
        assert names(vcenter) == ["a", "b", "wincompat-a-2"]
        assert vcenter.calls["CloneVM_Task"] == 1


def test_a_clone_that_never_shows_is_not_asked_for_again(served: Served, tmp_path: Path) -> None:
    """The request was lost on its way to the vCenter: the line says so, and that nothing was asked twice."""
    lost = Lost("127.0.0.1", served.port)
    with (
        listening(lost.serve) as port,
        connected(through(site_of(served, tmp_path, cloning()), port)) as vcenter,
    ):
        when_sent(vcenter, "CloneVM_Task", lost.armed.set)
        looking_briefly(vcenter, request=2)
        with (
            pytest.raises(MachineFailed, match=r"^a: cloning it: the connection broke while asking; neither the clone"),
            supplied(vcenter),
        ):
            pytest.fail("it was cloned")
        assert vcenter.calls["CloneVM_Task"] == 1
        assert names(vcenter) == ["a", "b"]


def test_another_runs_clone_of_our_name_is_not_adopted(served: Served, tmp_path: Path) -> None:
    """Our request was lost on its way, and somebody else has the clone of that name: it is theirs by its mark."""
    lost = Lost("127.0.0.1", served.port)
    site = site_of(served, tmp_path, cloning())
    with (
        listening(lost.serve) as port,
        connected(site) as other,
        connected(through(site, port)) as vcenter,
        supplied(other, run="theirs"),
    ):
        when_sent(vcenter, "CloneVM_Task", lost.armed.set)
        looking_briefly(vcenter, request=2)
        with pytest.raises(MachineFailed, match="neither the clone nor a task of it shows"), supplied(vcenter):
            pytest.fail("it was adopted")
        assert [clone.mark.run for clone in clones_of(other)] == ["theirs"]


class Lost(Cutter):
    """Breaks off before the request has reached the server."""

    def _move(self, here: socket.socket, there: socket.socket) -> None:  # type: ignore[override]  # it looks at itself
        while piece := here.recv(1 << 16):
            if self.armed.is_set():
                self.armed.clear()
                self.cut.set()
                there.shutdown(socket.SHUT_RDWR)
                return
            there.sendall(piece)


def test_no_more_clones_than_allowed_whoever_asks(served: Served, tmp_path: Path) -> None:
    """A second run without our leases finds the clone in use, waits for it, and is told whose it is."""
    site = site_of(served, tmp_path, cloning(), lease=1)
    with connected(site) as vcenter, connected(site) as other, supplied(vcenter):
        with (
            pytest.raises(NoMachine, match="clone 1 of it is in the hands of another run after 1 s; give both"),
            supplied(other, run="another"),
        ):
            pytest.fail("there are two")
        assert [clone.mark.run for clone in clones_of(vcenter)] == ["run"]


def test_a_persons_machine_is_not_taken_for_a_clone(served: Served, tmp_path: Path) -> None:
    """A machine without our mark is never destroyed, whatever its name."""
    with connected(site_of(served, tmp_path, cloning())) as vcenter:
        theirs = vcenter.machine(vcenter.site.machines[0].model_copy(update={"path": f"{FOLDER}/b"}))
        theirs._tasks.wait(theirs._vm.Rename_Task("wincompat-a-1"), within=60)
        with pytest.raises(MachineFailed, match="a machine that is no clone of ours is called"), supplied(vcenter):
            pytest.fail("it was cloned")
        assert names(vcenter) == ["a", "wincompat-a-1"]


def test_a_vcenter_that_goes_away_leaves_a_clone_to_the_reaper(served: Served, tmp_path: Path) -> None:
    """The cell's own verdict stands; that the clone is left is told, with the time when it is reaped."""
    cutter = Cutter("127.0.0.1", served.port)
    told: list[str] = []
    site = site_of(served, tmp_path, cloning())
    with ExitStack() as relay:
        port = relay.enter_context(listening(cutter.serve))
        with connected(through(site, port)) as vcenter, supplied(vcenter, told=told):
            relay.close()
    assert len(told) == 1
    assert "destroying the clone" in told[0]
    assert "it is reaped after" in told[0]
    with connected(site) as again:
        assert names(again) == ["a", "b", "wincompat-a-1"]
    assert SiteUnreachable.__name__ not in told[0]


def test_a_revert_says_whether_windows_went_on_or_boots(served: Served, tmp_path: Path) -> None:
    """A snapshot with memory needs no power-on; one without does. Which it was is told by what happened."""
    with connected(site_of(served, tmp_path)) as vcenter:
        with supplied(vcenter) as ready:
            assert ready.how == "reverted to 'clean' and powered on; Windows boots"
            ready.machine.snapshot("warm", memory=True)
        warm = vcenter.site.machines[0].model_copy(update={"snapshot": "warm"})
        before = vcenter.calls["PowerOnVM_Task"]
        with supplying(Asked(vcenter=vcenter, entry=warm, run="run", holder="a test")) as ready:
            assert ready.how == "reverted to 'warm' with its memory; Windows goes on"
            assert ready.machine.power().on
        assert vcenter.calls["PowerOnVM_Task"] == before


def test_an_address_from_tools_is_asked_after_the_revert(served: Served, tmp_path: Path) -> None:
    """The guest's address need not be known beforehand."""
    entry = {"path": f"{FOLDER}/a", "build": 19044, "snapshot": "clean", "address": "from-tools"}
    with connected(site_of(served, tmp_path, entry)) as vcenter, supplied(vcenter) as ready:
        assert ready.machine.entry.address == "127.0.0.11"
