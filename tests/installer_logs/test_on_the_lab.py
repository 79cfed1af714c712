"""Real logs of a real msiexec in a lab guest, through the whole way: written, brought, read, kept."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.builds import Build
from harness.exit_codes import explain
from harness.guest.guest import Guest
from harness.installer_logs.reading import Thing
from harness.machines.leases import leased
from harness.machines.vcenter import connected
from harness.scenarios.telling import Telling
from harness.site import Site

from .kept import Kept

PRODUCT_CODE = "{5B7D6C1A-0A38-4E1E-9E5C-2A3D1B0E6A01}"
SOURCE = """<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="{5B7D6C1A-0A38-4E1E-9E5C-2A3D1B0E6A01}" UpgradeCode="{5B7D6C1A-0A38-4E1E-9E5C-2A3D1B0E6A02}"
           Name="Logged" Version="1.0" Manufacturer="Us" Language="1033">
    <Package InstallerVersion="300" Compressed="yes" InstallScope="perMachine"/>
    <Media Id="1" Cabinet="logged.cab" EmbedCab="yes"/>
    <Directory Id="TARGETDIR" Name="SourceDir">
      <Directory Id="ProgramFiles64Folder"><Directory Id="INSTALLDIR" Name="Logged">
        <Component Id="Main" Guid="{5B7D6C1A-0A38-4E1E-9E5C-2A3D1B0E6A03}" Win64="yes">
          <File Id="Text" Source="logged.txt" KeyPath="yes"/>
        </Component>
      </Directory></Directory>
    </Directory>
    <Feature Id="Complete" Level="1"><ComponentRef Id="Main"/></Feature>
  </Product>
</Wix>
"""


@pytest.fixture(scope="module")
def guest(lab_site: Site) -> Iterator[Guest]:
    """Drive one reverted machine of the lab."""
    with leased(lab_site, Build(22631), holder="tests of logs") as lease, connected(lab_site) as vcenter:
        machine = vcenter.machine(lease.entry)
        machine.revert()
        machine.power_on()
        courier = machine.files(lab_site.accounts["administrator"])
        with Guest.of(lab_site, machine.entry, courier=courier) as guest:
            guest.wait_until_ready(300)
            yield guest


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a package of one file."""
    if missing := [tool for tool in ("wixl", "msibuild") if shutil.which(tool) is None]:
        pytest.skip(f"{', '.join(missing)} (Debian: wixl, msitools) not found")
    folder = tmp_path_factory.mktemp("logged")
    (folder / "logged.txt").write_text("hello\n", "utf-8")
    (folder / "logged.wxs").write_text(SOURCE, "utf-8")
    subprocess.run(["wixl", "-a", "x64", "-o", "logged.msi", "logged.wxs"], cwd=folder, check=True, capture_output=True)
    return folder / "logged.msi"


@pytest.fixture(scope="module")
def failing(good: Path) -> Path:
    """Build the same package with a custom action that shows a text and ends the installation half-way."""
    built = good.with_name("failing.msi")
    shutil.copy(good, built)
    columns = "`Action`, `Type`, `Source`, `Target`"
    rows = [
        f"INSERT INTO `CustomAction` ({columns}) VALUES ('GiveUp', 19, '', 'No more [ProductName].')",  # noqa: S608
        "INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('GiveUp', '', 4005)",
    ]
    table = "CREATE TABLE `CustomAction` (`Action` CHAR(72) NOT NULL, `Type` SHORT NOT NULL, `Source` CHAR(72), "
    table += "`Target` CHAR(255) PRIMARY KEY `Action`)"
    subprocess.run(["msibuild", built, "-q", table], check=False, capture_output=True)  # refused where there is one
    for row in rows:
        subprocess.run(["msibuild", built, "-q", row], check=True, capture_output=True)
    return built


def _install(guest: Guest, package: Path, name: str) -> tuple[int, str]:
    there = guest.deliver(package, sha256=hashlib.sha256(package.read_bytes()).hexdigest())
    log = rf"{guest.facts().temp}\wincompat-{name}.log"
    return guest.run(f'msiexec /i "{there}" /qn /norestart /l*v "{log}"').exit_code, log


def test_a_success_is_read_with_its_seconds(guest: Guest, good: Path) -> None:
    """The reading lies beside the log, as plain values."""
    kept = Kept()
    code, log = _install(guest, good, "good")
    reading = Telling(guest, kept).log(log)
    assert code == 0
    assert guest.run(f'msiexec /x "{PRODUCT_CODE}" /qn /norestart').exit_code == 0
    assert reading is not None
    assert reading.failed is None
    assert not reading.truncated
    assert "InstallFiles" in {one.name for one in reading.actions}
    told = json.loads(kept.things["good.log.json"])
    assert (told["kind"], told["product"], told["version"]) == ("windows-installer", "Logged", "1.0")
    assert told["actions"]
    assert kept.things["good.log"]


def test_a_failure_says_what_failed_and_why(guest: Guest, failing: Path) -> None:
    """The engine does not log the text of the custom action; the package has it."""
    kept = Kept()
    telling = Telling(guest, kept)
    code, log = _install(guest, failing, "failing")
    reading = telling.log(log)
    assert explain(code, "msi").name == "INSTALL_FAILURE"
    assert reading is not None
    assert reading.at_fault == Thing(kind="custom action", name="GiveUp")
    assert telling.reason(reading, failing, None) == "No more Logged."
    assert telling.reason(reading, None, None) == "its custom action GiveUp failed"


def test_a_log_that_is_not_there_costs_a_note(guest: Guest) -> None:
    """An installer that did not start wrote none."""
    kept = Kept()
    assert Telling(guest, kept).log(rf"{guest.facts().temp}\wincompat-none.log") is None
    assert kept.notes
    assert kept.things == {}


def test_records_that_a_guest_does_not_have_are_none(guest: Guest) -> None:
    """A lab guest's wevtutil prints nothing: no records, no evidence, no error."""
    kept = Kept()
    events = Telling(guest, kept).records("good", 60.0)
    assert events is None or events.records == ()
    assert kept.things == {}
