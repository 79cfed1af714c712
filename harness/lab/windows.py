"""What makes a copy of the golden image a Windows of one build, written into its registry files before it boots.

A guest also says what it is: ``HKLM\\Software\\pytest-wincompat\\Lab`` holds ``Wine`` (its version) and ``Machine``. A
program that wants to know whether it runs in the lab looks there; on Windows the key does not exist.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from harness.builds import Build
from harness.lab.registry import Value, edit

LAB_KEY = r"Software\pytest-wincompat\Lab"

#: A revision that each build really had, used when the matrix does not ask for one.
_REVISIONS = {
    19044: 4529,
    19045: 6456,
    22000: 3260,
    22621: 4317,
    22631: 4037,
    26100: 4061,
    26200: 6584,
}


def write_build(disk: Path, build: Build, *, wine: str, machine: str) -> None:
    """Let a disk's Windows answer as this build: ``ver``, the registry and what programs ask of the system."""
    release = build.name.removeprefix("Windows ").split()
    version: dict[str, Value] = {
        "CurrentBuild": str(build.number),
        "CurrentBuildNumber": str(build.number),
        "CurrentVersion": "6.3",
        "CurrentMajorVersionNumber": 10,
        "CurrentMinorVersionNumber": 0,
        "UBR": build.revision or _REVISIONS.get(build.number, 1),
        "DisplayVersion": release[-1],
        "ReleaseId": "2009",
        "EditionID": "Enterprise",
        "InstallationType": "Client",
        # Windows 11, too, calls itself Windows 10 here
        "ProductName": "Windows 10 Enterprise",
    }
    edit(
        disk / "prefix" / "system.reg",
        {
            r"Software\Microsoft\Windows NT\CurrentVersion": version,
            LAB_KEY: {"Wine": wine, "Machine": machine},
        },
    )


def name_accounts(disk: Path, names: Iterable[tuple[str, str]]) -> None:
    """Give the image's accounts, old name first, the names they have in this lab; and both a Windows 10."""
    for old, new in names:
        hive = disk / "accounts" / f"{new}.reg"
        if old != new:
            (disk / "accounts" / f"{old}.reg").rename(hive)
            (disk / "c" / "users" / old).rename(disk / "c" / "users" / new)
            for file in (hive, disk / "prefix" / "system.reg"):
                text = file.read_text("utf-8").replace(f"\\\\users\\\\{old}", f"\\\\users\\\\{new}")
                file.write_text(text.replace(f'"{old}"', f'"{new}"'), "utf-8")
        edit(
            hive,
            {
                r"Environment": {"TEMP": _TEMP.format(new), "TMP": _TEMP.format(new)},
                r"Software\Wine\Explorer": {"Desktop": "Default"},
                r"Software\Wine\Explorer\Desktops": {"Default": "1024x768"},
            },
        )


_TEMP = "C:\\users\\{}\\AppData\\Local\\Temp"


def computer_name(name: str) -> str:
    """Make the name Windows has on the network: capitals, at most 15 characters."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.upper())[:15].strip("-")


def owned(disk: Path, user: int) -> None:
    """Give the registry files back to the guests' user after they were written."""
    if os.geteuid() == 0:
        for file in [disk / "prefix" / "system.reg", *(disk / "accounts").iterdir()]:
            os.chown(file, user, user, follow_symlinks=False)
