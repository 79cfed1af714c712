"""Real guests through the vCenter, with the real client: what a revert, a clone, a picture and a file really do."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from harness.lab import host
from harness.lab.folder import LabFolder
from harness.site import Site, read_site
from tests.waiting import until

from .running_labs import serving, session, vim, vmodl, wait_for

pytestmark = pytest.mark.skipif(bool(host.missing()), reason="; ".join(host.missing()))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Run a lab with one machine."""
    with serving("--build", "19045", "--machines", "1") as (_, site_file):
        yield read_site(site_file)


@pytest.fixture
def si(site: Site) -> Iterator[Any]:
    """Log in."""
    with session(site) as open_session:
        yield open_session


@pytest.fixture
def vm(site: Site, si: Any) -> Any:
    """Revert the machine to its clean snapshot, which was taken while Windows was up."""
    found = si.content.searchIndex.FindByInventoryPath(site.machines[0].path)
    wait_for(found.snapshot.rootSnapshotList[0].snapshot.Revert())
    assert found.guest.toolsRunningStatus == "guestToolsRunning"
    return found


class Files:
    """Files of a guest with the rights of one account."""

    def __init__(self, site: Site, si: Any, vm: Any, level: Any = "administrator") -> None:
        account = site.accounts[level]
        self.vm = vm
        self.files = si.content.guestOperationsManager.fileManager
        password = account.password.read().get_secret_value()
        self.auth = vim.vm.guest.NamePasswordAuthentication(username=account.user, password=password)
        self.trust = str(site.vcenter.ca_file)

    def put(self, path: str, content: bytes, *, announced: int | None = None, overwrite: bool = True) -> str:
        """Send a file; give the address that was used."""
        size = len(content) if announced is None else announced
        attributes = vim.vm.guest.FileManager.WindowsFileAttributes()
        url = self.files.InitiateFileTransferToGuest(self.vm, self.auth, path, attributes, size, overwrite)
        self.send(url, content)
        return str(url)

    def send(self, url: str, content: bytes) -> None:
        """Use an address."""
        requests.put(url, data=content, verify=self.trust, timeout=120).raise_for_status()

    def get(self, path: str) -> bytes:
        """Fetch a file, whose size was announced."""
        offered = self.files.InitiateFileTransferFromGuest(self.vm, self.auth, path)
        answer = requests.get(offered.url, verify=self.trust, timeout=120)
        answer.raise_for_status()
        assert len(answer.content) == offered.size
        return answer.content


@pytest.fixture
def files(site: Site, si: Any, vm: Any) -> Files:
    """Files as the administrator."""
    return Files(site, si, vm)


def test_a_file_goes_in_and_out(files: Files) -> None:
    """What was sent comes back byte by byte, an address works once, and a wrong size is refused."""
    content = bytes(range(256)) * 5000
    url = files.put(r"C:\Windows\Temp\a file.bin", content)
    assert files.get(r"C:\Windows\Temp\A File.bin") == content
    with pytest.raises(requests.HTTPError, match="404"):
        files.send(url, content)
    with pytest.raises(requests.HTTPError, match="400"):
        files.put(r"C:\Windows\Temp\b.bin", b"12345", announced=4)
    with pytest.raises(vim.fault.FileAlreadyExists):
        files.put(r"C:\Windows\Temp\a file.bin", b"", overwrite=False)
    with pytest.raises(vim.fault.FileNotFound):
        files.get(r"C:\Windows\Temp\b.bin")
    with pytest.raises(vmodl.fault.InvalidArgument):
        files.get("relative.txt")


def test_folders_are_made_listed_and_files_deleted(files: Files) -> None:
    """Directories are made with their parents only when asked, listings tell sizes and kinds, deleting is once."""
    inside, vm, auth = files.files, files.vm, files.auth
    with pytest.raises(vim.fault.FileNotFound):
        inside.MakeDirectoryInGuest(vm, auth, r"C:\one\two", False)
    inside.MakeDirectoryInGuest(vm, auth, r"C:\one\two", True)
    with pytest.raises(vim.fault.FileAlreadyExists):
        inside.MakeDirectoryInGuest(vm, auth, r"C:\one\two", True)
    files.put(r"C:\one\some file.txt", b"12345")
    listed = inside.ListFilesInGuest(vm, auth, r"C:\one", None, None, None)
    found = {each.path: (each.type, each.size) for each in listed.files}
    assert found["some file.txt"] == ("file", 5)
    assert found["two"] == ("directory", 0)
    first = inside.ListFilesInGuest(vm, auth, r"C:\one", 0, 1, r"\.txt$")
    assert ([each.path for each in first.files], first.remaining) == (["some file.txt"], 0)
    inside.DeleteFileInGuest(vm, auth, r"C:\one\some file.txt")
    with pytest.raises(vim.fault.FileNotFound):
        inside.DeleteFileInGuest(vm, auth, r"C:\one\some file.txt")
    with pytest.raises(vim.fault.FileNotFound):
        inside.ListFilesInGuest(vm, auth, r"C:\nothing", None, None, None)


def test_a_standard_user_is_refused_machine_wide_places(site: Site, si: Any, vm: Any) -> None:
    """The operating system's refusal comes back as GuestPermissionDenied, and as a failed transfer."""
    files = Files(site, si, vm, "standard")
    files.put(r"C:\users\Public\mine.txt", b"x")
    with pytest.raises(vim.fault.GuestPermissionDenied):
        files.files.MakeDirectoryInGuest(vm, files.auth, r"C:\Program Files\mine", True)
    with pytest.raises(requests.HTTPError, match="500"):
        files.put(r"C:\Program Files\mine.txt", b"x")


def test_a_wrong_account_and_a_guest_that_is_off(site: Site, si: Any, vm: Any, files: Files) -> None:
    """A wrong password is InvalidGuestLogin; a machine that is off says so."""
    check = si.content.guestOperationsManager.authManager.ValidateCredentialsInGuest
    check(vm, files.auth)
    wrong = vim.vm.guest.NamePasswordAuthentication(username=site.accounts["standard"].user, password="guess")
    with pytest.raises(vim.fault.InvalidGuestLogin):
        check(vm, wrong)
    wait_for(vm.PowerOff())
    with pytest.raises(vim.fault.InvalidPowerState):
        check(vm, files.auth)


def test_a_revert_takes_back_what_was_written(site: Site, files: Files, vm: Any) -> None:
    """After a revert the file is gone; the WinRM port closes with the power and opens with Windows."""
    files.put(r"C:\written.txt", b"x")
    address = (site.machines[0].address, 5985)
    socket.create_connection(address, timeout=60).close()
    wait_for(vm.snapshot.currentSnapshot.Revert(suppressPowerOn=True))
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(address, timeout=60)
    wait_for(vm.PowerOn())
    until(lambda: vm.guest.toolsRunningStatus == "guestToolsRunning")
    with pytest.raises(vim.fault.FileNotFound):
        files.get(r"C:\written.txt")
    socket.create_connection(address, timeout=60).close()


def test_a_snapshot_of_a_running_machine_holds_its_disk(files: Files, vm: Any) -> None:
    """A snapshot taken while Windows runs has what was written before it and not what came after."""
    files.put(r"C:\before.txt", b"x")
    wait_for(vm.CreateSnapshot("between", "", False, False))
    files.put(r"C:\after.txt", b"x")
    between = vm.snapshot.currentSnapshot
    wait_for(between.Revert())
    wait_for(vm.PowerOn())
    until(lambda: vm.guest.toolsRunningStatus == "guestToolsRunning")
    assert files.get(r"C:\before.txt") == b"x"
    with pytest.raises(vim.fault.FileNotFound):
        files.get(r"C:\after.txt")
    wait_for(between.Remove(removeChildren=True))


def test_a_clone_has_an_address_of_its_own(site: Site, si: Any, vm: Any, files: Files) -> None:
    """A clone of the running machine boots beside it, answers WinRM at another address, and goes without a trace."""
    files.put(r"C:\cloned.txt", b"x")
    spec = vim.vm.CloneSpec(location=vim.vm.RelocateSpec(), template=False, powerOn=True)
    task = vm.Clone(vm.parent, "a clone", spec)
    wait_for(task)
    clone = task.info.result
    until(lambda: clone.guest.ipAddress)
    assert clone.guest.ipAddress != vm.guest.ipAddress
    socket.create_connection((clone.guest.ipAddress, 5986), timeout=60).close()
    assert Files(site, si, clone).get(r"C:\cloned.txt") == b"x"
    wait_for(clone.PowerOff())
    wait_for(clone.Destroy())
    assert [each.name for each in vm.parent.childEntity] == [vm.name]


def test_a_snapshot_with_memory_finds_windows_up(files: Files, vm: Any) -> None:
    """A revert to it is all there is to do: the disk is that of the moment, and Windows is up when the task ends."""
    files.put(r"C:\before.txt", b"x")
    wait_for(vm.CreateSnapshot("live", "", True, False))
    live = vm.snapshot.currentSnapshot
    files.put(r"C:\after.txt", b"x")
    wait_for(live.Revert())
    assert vm.guest.toolsRunningStatus == "guestToolsRunning"
    assert files.get(r"C:\before.txt") == b"x"
    with pytest.raises(vim.fault.FileNotFound):
        files.get(r"C:\after.txt")
    wait_for(live.Remove(removeChildren=True))


def test_an_instant_clone_of_a_frozen_machine(site: Site, si: Any, vm: Any, files: Files) -> None:
    """The source is held still, the clone has its disk, answers WinRM at once, and the source goes on afterwards."""
    files.put(r"C:\source.txt", b"x")
    lab = LabFolder(host.lab_home(), Path(site.vcenter.ca_file or "").parent.name)
    lab.ask("POST", "freeze", machine=vm.name)
    assert vm.runtime.instantCloneFrozen
    task = vm.InstantClone(vim.vm.InstantCloneSpec(name="instant", location=vim.vm.RelocateSpec()))
    wait_for(task)
    clone = task.info.result
    socket.create_connection((clone.guest.ipAddress, 5986), timeout=60).close()
    assert Files(site, si, clone).get(r"C:\source.txt") == b"x"
    lab.ask("POST", "thaw", machine=vm.name)
    assert files.get(r"C:\source.txt") == b"x"
    wait_for(clone.PowerOff())
    wait_for(clone.Destroy())


def test_a_picture_of_the_console(site: Site, si: Any, vm: Any) -> None:
    """The screenshot's result is a path on the datastore, where a real PNG lies."""
    task = vm.CreateScreenshot()
    wait_for(task)
    path = task.info.result.removeprefix("[lab] ")
    url = f"https://{site.vcenter.host}:{site.vcenter.port}/folder/{path}?dcPath=Lab&dsName=lab"
    cookies = {"Cookie": si._stub.cookie.split(";")[0]}
    answer = requests.get(url, headers=cookies, verify=str(site.vcenter.ca_file), timeout=120)
    assert answer.content.startswith(b"\x89PNG")


def test_an_orderly_shut_down_keeps_the_disk(vm: Any, files: Files) -> None:
    """ShutdownGuest ends with the power off, and what was written is there afterwards."""
    files.put(r"C:\kept.txt", b"x")
    vm.ShutdownGuest()
    until(lambda: vm.runtime.powerState == "poweredOff")
    wait_for(vm.PowerOn())
    until(lambda: vm.guest.toolsRunningStatus == "guestToolsRunning")
    assert files.get(r"C:\kept.txt") == b"x"
    vm.RebootGuest()
    until(lambda: vm.guest.toolsRunningStatus != "guestToolsRunning")
    until(lambda: vm.guest.toolsRunningStatus == "guestToolsRunning")
    assert vm.runtime.powerState == "poweredOn"
