"""Faults of a real guest, asked for over the control socket and seen through pywinrm and the real vSphere client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import winrm
from winrm.exceptions import InvalidCredentialsError

from harness.lab import host
from harness.lab.folder import LabFolder
from harness.site import Site, read_site
from tests.waiting import until

from .running_labs import serving, session, wait_for

pytestmark = pytest.mark.skipif(bool(host.missing()), reason="; ".join(host.missing()))

VERSION = r"HKLM\Software\Microsoft\Windows NT\CurrentVersion"


class Lab:
    """A lab with one machine: its site, its control socket, its machine."""

    def __init__(self, site_file: Path) -> None:
        self.site: Site = read_site(site_file)
        self.folder = LabFolder(host.lab_home(), site_file.parent.name)
        self.entry = self.site.machines[0]

    def fault(self, name: str, **query: str) -> list[dict[str, Any]]:
        """Ask for a fault of the machine; give what is asked for."""
        told: list[dict[str, Any]] = json.loads(
            self.folder.ask("POST", "faults", patience=60, name=name, machine=self.entry.path, **query)
        )
        return told

    def clear(self) -> None:
        """Take all faults back."""
        self.folder.ask("DELETE", "faults", patience=60)

    def audit(self, by: str) -> list[dict[str, str]]:
        """Read what the audit has of a kind."""
        lines = map(json.loads, self.folder.audit.read_text("utf-8").splitlines())
        return [line for line in lines if line["by"] == by]

    def run(self, line: str, *, within: int = 120) -> str:
        """Run a command line as the administrator."""
        account = self.site.accounts["administrator"]
        shell = winrm.Session(
            f"https://{self.entry.address}:5986/wsman",
            auth=(account.user, account.password.read().get_secret_value()),
            transport="ntlm",
            ca_trust_path=str(self.site.vcenter.ca_file),
            read_timeout_sec=within,
            operation_timeout_sec=within - 1,
        )
        try:
            return str(shell.run_cmd(line).std_out.decode())
        finally:
            shell.protocol.transport.close_session()


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Run a lab with one machine."""
    with serving("--build", "19045", "--machines", "1") as (_, site_file):
        yield Lab(site_file)


@pytest.fixture
def vm(lab: Lab) -> Iterator[Any]:
    """Revert the machine; take the faults of the test back."""
    with session(lab.site) as si:
        found = si.content.searchIndex.FindByInventoryPath(lab.entry.path)
        wait_for(found.snapshot.rootSnapshotList[0].snapshot.Revert())
        yield found
        lab.clear()


def test_a_drifted_machine_really_says_another_build(lab: Lab, vm: Any) -> None:
    """At once, after a revert and after a cold start; and no longer when the fault is cleared."""
    ask = f'reg query "{VERSION}" /v UBR & reg query "{VERSION}" /v CurrentBuild'
    true = lab.run(ask)
    assert "19045" in true
    lab.fault("drift", build="22631.9999")
    drifted = lab.run(ask)
    assert hex(9999) in drifted.lower()
    assert "22631" in drifted
    wait_for(vm.snapshot.currentSnapshot.Revert())
    assert lab.run(ask) == drifted
    wait_for(vm.snapshot.currentSnapshot.Revert(suppressPowerOn=True))
    wait_for(vm.PowerOn())
    until(lambda: vm.guest.toolsRunningStatus == "guestToolsRunning")
    assert lab.run(ask) == drifted
    lab.clear()
    assert lab.run(ask) == true
    wait_for(vm.snapshot.currentSnapshot.Revert())
    assert lab.run(ask) == true


@pytest.mark.skipif(not host.look_up().faketime, reason="libfaketime is not installed: apt-get install faketime")
def test_a_clock_that_jumped_is_wrong_until_it_is_set(lab: Lab, vm: Any) -> None:
    """After a revert programs and WinRM agree on another day; setting date and time makes both right again."""
    lab.fault("clock-jump", ahead="-300000")
    wait_for(vm.snapshot.currentSnapshot.Revert())
    then = datetime.now(UTC) - timedelta(seconds=300000)
    assert f"{then.month}/{then.day}/{then.year}" in lab.run("echo %DATE%")
    assert abs(_date(lab) - then) < timedelta(seconds=60)
    now = datetime.now(UTC)
    lab.run(f"date {now:%m-%d-%Y} <nul & time {now:%H:%M:%S} <nul")
    assert f"{now.month}/{now.day}/{now.year}" in lab.run("echo %DATE%")
    assert abs(_date(lab) - now) < timedelta(seconds=60)
    lab.clear()
    wait_for(vm.snapshot.currentSnapshot.Revert())
    assert abs(_date(lab) - datetime.now(UTC)) < timedelta(seconds=60)


def _date(lab: Lab) -> datetime:
    answer = requests.post(f"http://{lab.entry.address}:5985/wsman", timeout=60)
    return parsedate_to_datetime(answer.headers["Date"])


def test_a_silent_guest_takes_a_connection_and_never_answers(lab: Lab, vm: Any) -> None:
    """A client waits for as long as it is ready to; when it is over the guest answers again."""
    lab.fault("guest-silent")
    with pytest.raises(requests.ReadTimeout):
        lab.run("ver", within=2)
    lab.clear()
    assert "Windows" in lab.run("ver")


def test_a_right_password_is_refused(lab: Lab, vm: Any) -> None:
    """A 401 for the account, once it has said who it is."""
    lab.fault("winrm-401", times="1")
    with pytest.raises(InvalidCredentialsError):
        lab.run("ver")
    assert "Windows" in lab.run("ver")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_reset_connection(lab: Lab, vm: Any, when: str) -> None:
    """The command that was asked for ran when the connection broke after it, and did not when it broke before."""
    lab.fault("winrm-reset", method="Command", when=when)
    with pytest.raises(requests.ConnectionError):
        lab.run(r"mkdir C:\ran")
    until(lambda: "ran" in lab.run(r"dir /b C:\ ") or when == "before")
    assert ("ran" in lab.run(r"dir /b C:\ ")) == (when == "after")


def test_power_goes_in_the_middle_of_a_command(lab: Lab, vm: Any) -> None:
    """The power cut comes with the method that was named, and the audit has command, fault and power in their order."""
    before = len(lab.audit("fault"))
    lab.fault("power-off", method="Command")
    with pytest.raises(requests.ConnectionError):
        lab.run("ping -n 30 127.0.0.1")
    until(lambda: vm.runtime.powerState == "poweredOff")
    assert [line["what"] for line in lab.audit("fault")][before:] == ["power-off"]
    command = next(line for line in reversed(lab.audit("winrm")) if line["what"] == "Command")
    assert (command["machine"], command["line"]) == (vm.name, "ping -n 30 127.0.0.1")
    assert command["user"] == lab.site.accounts["administrator"].user
    assert command["client"].startswith("127.")


def test_a_reset_machine_boots_anew(lab: Lab, vm: Any) -> None:
    """The machine stays powered on for a client, and Windows is another boot."""
    boots = [line["boot"] for line in lab.audit("lab") if line["what"] == "up"]
    lab.fault("reset")
    until(lambda: vm.guest.toolsRunningStatus == "guestToolsRunning")
    later = [line["boot"] for line in lab.audit("lab") if line["what"] == "up"]
    assert later[-1] not in boots
    assert vm.runtime.powerState == "poweredOn"


def test_what_cannot_be_done_is_answered_in_words(lab: Lab) -> None:
    """An unknown build or machine is refused by the lab, with the nearest name."""
    with pytest.raises(RuntimeError, match="is not a Windows build"):
        lab.fault("drift", build="win95")
    with pytest.raises(RuntimeError, match="there are win10-22h2-a"):
        lab.folder.ask("POST", "faults", name="reset", machine="nobody")
