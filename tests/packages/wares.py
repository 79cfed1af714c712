"""MSIs for the tests: a clean one, built once by wixl from a real program, and copies with seeded defects."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from fixtures.payloads import msi

SOURCE = """<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="{1DF6BD2B-1BC0-4F4C-9E7C-0A3D1B0E6A01}" UpgradeCode="{1DF6BD2B-1BC0-4F4C-9E7C-0A3D1B0E6A02}" Name="Demo"
           Version="2.0.0" Manufacturer="Us" Language="1033">
    <Package InstallerVersion="300" Compressed="yes" InstallScope="perMachine"/>
    <MajorUpgrade DowngradeErrorMessage="A newer version of [ProductName] is already installed."/>
    <Media Id="1" Cabinet="demo.cab" EmbedCab="yes"/>
    <Property Id="WINDOWSBUILD">
      <RegistrySearch Id="CurrentBuild" Root="HKLM" Key="SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
                      Name="CurrentBuild" Type="raw" Win64="yes"/>
    </Property>
    <Condition Message="Windows 10 is needed.">Installed OR WINDOWSBUILD &gt;= 10240</Condition>
    <Directory Id="TARGETDIR" Name="SourceDir">
      <Directory Id="AppDataFolder"/>
      <Directory Id="ProgramFilesFolder"/>
      <Directory Id="ProgramFiles64Folder">
        <Directory Id="INSTALLDIR" Name="Demo">
          <Component Id="Program" Guid="{1DF6BD2B-1BC0-4F4C-9E7C-0A3D1B0E6A03}" Win64="yes">
            <File Id="demo.exe" Source="demo.exe" Name="demo.exe" KeyPath="yes"/>
            <ServiceInstall Id="Service" Name="demo" Type="ownProcess" Start="demand" ErrorControl="normal"
                            Account="NT AUTHORITY\\LocalService"/>
            <ServiceControl Id="Control" Name="demo" Stop="both" Remove="uninstall"/>
          </Component>
          <Component Id="Settings" Guid="{1DF6BD2B-1BC0-4F4C-9E7C-0A3D1B0E6A04}" Win64="yes">
            <RegistryKey Root="HKLM" Key="Software\\Demo">
              <RegistryValue Name="Version" Type="string" Value="2.0.0" KeyPath="yes"/>
            </RegistryKey>
          </Component>
        </Directory>
      </Directory>
    </Directory>
    <Feature Id="Complete" Level="1"><ComponentRef Id="Program"/><ComponentRef Id="Settings"/></Feature>
  </Product>
</Wix>
"""
CLEAN = (
    msi.remove_old_inside_the_transaction(),
    *msi.environment({"Path": ("=-*PATH", "[~];[INSTALLDIR]", "Program")}),
)
# what makes it an older version of the same product
OLDER = (
    "UPDATE `Property` SET `Value` = '1.0.0' WHERE `Property` = 'ProductVersion'",
    "UPDATE `Property` SET `Value` = '{1DF6BD2B-1BC0-4F4C-9E7C-0A3D1B0E6A00}' WHERE `Property` = 'ProductCode'",
)
PROGRAM = Path("build/payloads/wheels/ninja-1.11.1/ninja.exe")


def set_property(name: str, value: str) -> list[str]:
    """Write statements that give a property a value, whether it is there or not."""
    values = f"(`Property`, `Value`) VALUES ('{name}', '{value}')"
    return [f"DELETE FROM `Property` WHERE `Property` = '{name}'", f"INSERT INTO `Property` {values}"]  # noqa: S608 - our words


def custom_action(name: str, kind: int, source: str, target: str, *, at: int, condition: str = "") -> list[str]:
    """Write statements that define a custom action and sequence it."""
    return [
        msi.insert("CustomAction", name, kind, source, target),
        msi.insert("InstallExecuteSequence", name, condition, at),
    ]


def move(action: str, place: int) -> str:
    """Write a statement that sequences an action elsewhere."""
    return f"UPDATE `InstallExecuteSequence` SET `Sequence` = {place} WHERE `Action` = '{action}'"  # noqa: S608 - our words


def without(table: str, column: str, value: str) -> str:
    """Write a statement that deletes rows."""
    return f"DELETE FROM `{table}` WHERE `{column}` = '{value}'"  # noqa: S608 - our words


class Bench:
    """Builds packages: each a copy of the clean one, with statements run on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = PROGRAM if PROGRAM.exists() else Path(shutil.which("cat") or "/bin/cat")
        shutil.copy(program, folder / "demo.exe")
        self.clean = folder / "clean.msi"
        (folder / "demo.wxs").write_text(SOURCE, "utf-8")
        subprocess.run(
            ["wixl", "-a", "x64", "-o", self.clean, folder / "demo.wxs"], check=True, capture_output=True, cwd=folder
        )
        msi.add_rows(self.clean, CLEAN)

    def package(self, name: str, statements: Sequence[str] = (), *, template: str = "") -> Path:
        """Make a package of the clean one."""
        made = self.folder / f"{name}.msi"
        shutil.copy(self.clean, made)
        if statements:
            msi.add_rows(made, statements)
        if template:
            words = ["-s", "Installation Database", "Us", template, "{590361E4-F7A2-47F2-AA80-1D87718FC680}"]
            subprocess.run(["msibuild", made, *words], check=True)
        return made


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Set up where packages are built; skipped without the tools."""
    if missing := [tool for tool in ("wixl", "msibuild") if shutil.which(tool) is None]:
        pytest.skip(f"{', '.join(missing)} (Debian: wixl, msitools) not found")
    return Bench(tmp_path_factory.mktemp("wares"))
