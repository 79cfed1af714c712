"""Real Wine guests for tests that have no asyncio of their own."""

from __future__ import annotations

import asyncio
import shutil
import struct
import subprocess
import uuid
import zlib
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from harness.builds import Build
from harness.lab.guest import Budgets, LabAccount, LabGuest
from harness.lab.image import Image

ADMINISTRATOR = LabAccount(name="Administrator", password="a", level="administrator")
TESTER = LabAccount(name="tester", password="b", level="standard")

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Said:
    """What a command left: exit code and both streams."""

    code: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        """Give the output as text, without the blanks around it."""
        return self.out.decode(errors="replace").strip()


class Guests:
    """Makes guests in a folder of its own, and runs their coroutines in one loop."""

    def __init__(self, runner: asyncio.Runner, image: Image, folder: Path) -> None:
        self.runner = runner
        self.image = image
        self.folder = folder
        self.made: list[LabGuest] = []

    def do(self, work: Coroutine[Any, Any, Answer], within: float = 300) -> Answer:
        """Run a coroutine to its end."""
        return self.runner.run(asyncio.wait_for(work, within))

    def create(self, name: str = "", build: str = "win10-22h2", budgets: Budgets | None = None) -> LabGuest:
        """Make a guest, off."""
        folder = self.folder / (name or f"g-{uuid.uuid4().hex[:6]}")
        accounts = [ADMINISTRATOR, TESTER]
        guest = self.do(
            LabGuest.create(
                self.image, folder, build=Build.parse(build), accounts=accounts, budgets=budgets or Budgets()
            )
        )
        self.made.append(guest)
        return guest

    def up(self, guest: LabGuest) -> LabGuest:
        """Switch a guest on and wait for its Windows."""
        self.do(guest.power_on())
        self.do(guest.until_up())
        return guest

    def say(
        self,
        guest: LabGuest,
        line: str,
        account: LabAccount = ADMINISTRATOR,
        *,
        given: bytes | None = None,
        **how: Any,
    ) -> Said:
        """Run a command line to its end."""
        return self.do(said(guest, line, account, given=given, **how))

    def close(self) -> None:
        """End every guest and remove what they left."""
        for guest in self.made:
            self.do(guest.destroy())


async def said(
    guest: LabGuest, line: str, account: LabAccount = ADMINISTRATOR, *, given: bytes | None = None, **how: Any
) -> Said:
    """Run a command line to its end."""
    process = await guest.start(line, account=account, **how)
    if given is not None:
        await process.write(given, end=True)
    streams = {"stdout": b"", "stderr": b""}
    while (chunk := await process.read()) is not None:
        streams[chunk.stream] += chunk.content
    return Said(await process.wait(), streams["stdout"], streams["stderr"])


def built_exe(folder: Path, script: str, *, target: str = "amd64-unicode") -> bytes:
    """Build an EXE with NSIS; skips the test where NSIS is not installed."""
    if shutil.which("makensis") is None:
        pytest.skip("needs makensis: apt-get install nsis")
    source = folder / "made.nsi"
    source.write_text(
        f'Target {target}\nName "Made"\nOutFile "made.exe"\nSilentInstall silent\nSection\n{script}\nSectionEnd\n'
    )
    subprocess.run(["makensis", "-V1", str(source)], check=True, cwd=folder)
    return (folder / "made.exe").read_bytes()


def built_msi(folder: Path) -> bytes:
    """Build an MSI for all users with wixl; skips the test where wixl is not installed."""
    if shutil.which("wixl") is None:
        pytest.skip("needs wixl: apt-get install wixl")
    (folder / "probe.txt").write_text("probe")
    source = folder / "made.wxs"
    source.write_text(_WXS)
    subprocess.run(["wixl", "-a", "x64", "-o", "made.msi", source.name], check=True, cwd=folder, capture_output=True)
    return (folder / "made.msi").read_bytes()


def colours(picture: bytes) -> int:
    """Count the colours of a PNG as this lab writes it: one piece of image data, no filters."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">2I", picture[16:24])
    assert (width, height) == (1024, 768)
    (length,) = struct.unpack(">I", picture[33:37])
    rows = zlib.decompress(picture[41 : 41 + length])
    line = 1 + 3 * width
    lines = [rows[top + 1 : top + line] for top in range(0, len(rows), line)]
    return len({row[at : at + 3] for row in set(lines) for at in range(0, len(row), 3)})


_WXS = """<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
 <Product Id="*" UpgradeCode="6b21a7b0-27a5-44f3-8df0-0a2c8a4d0b01" Name="Probe" Version="1.0.0"
          Manufacturer="Probe" Language="1033">
  <Package InstallerVersion="300" Compressed="yes" InstallScope="perMachine"/>
  <Media Id="1" Cabinet="p.cab" EmbedCab="yes"/>
  <Directory Id="TARGETDIR" Name="SourceDir"><Directory Id="ProgramFiles64Folder">
   <Directory Id="INSTALLDIR" Name="Probe">
    <Component Id="C" Guid="6b21a7b0-27a5-44f3-8df0-0a2c8a4d0b02" Win64="yes">
     <File Id="F" Source="probe.txt" KeyPath="yes"/>
     <RegistryValue Root="HKLM" Key="Software\\Probe" Name="v" Type="string" Value="1"/>
    </Component>
   </Directory></Directory></Directory>
  <Feature Id="Main"><ComponentRef Id="C"/></Feature>
 </Product>
</Wix>
"""
