r"""What makes a copy of the golden image a Windows of one build, written into its registry files before it boots.

A guest also says what it is: the value ``Wine`` (its version) stands among those that tell the build, where Windows has
none of this name, and ``HKLM\Software\pytest-wincompat\Lab`` holds it once more, with ``Machine``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.builds import Build
from harness.lab.registry import Value, edit, keep_only, remove

#: The screen, which the desktop fills.
SCREEN = "1024x768"

LAB_KEY = r"Software\pytest-wincompat\Lab"

_SERVICES, _ON_DEMAND = r"System\CurrentControlSet\Services", 3

_TIME_ZONES = r"Software\Microsoft\Windows NT\CurrentVersion\Time Zones"

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


_CURRENT = r"Software\Microsoft\Windows\CurrentVersion"
_CURRENT_NARROW = r"Software\Wow6432Node\Microsoft\Windows\CurrentVersion"

#: Keys that every Windows has and others hang their own into; Wine makes them with the first that comes, and an
#: installer that takes its own away again would leave an empty one.
_SHARED = (
    rf"{_CURRENT}\SharedDLLs",
    rf"{_CURRENT}\Explorer\Browser Helper Objects",
    rf"{_CURRENT}\Explorer\ShellIconOverlayIdentifiers",
    *(
        rf"Software\Classes\{kind}"
        for kind in (".htm", ".html", ".ini", ".jpg", ".log", ".png", ".txt", ".xml", ".zip")
    ),
    r"Software\Microsoft\Active Setup\Installed Components",
    r"Software\Microsoft\Windows\Windows Error Reporting\LocalDumps",
    r"Software\Microsoft\Windows Defender\Exclusions\Extensions",
    r"Software\Microsoft\Windows Defender\Exclusions\Paths",
    r"Software\Microsoft\Windows Defender\Exclusions\Processes",
    r"Software\Microsoft\Windows NT\CurrentVersion\AppCompatFlags\Layers",
    r"Software\ODBC\ODBC.INI\ODBC Data Sources",
    r"Software\ODBC\ODBCINST.INI\ODBC Drivers",
    r"Software\RegisteredApplications",
    rf"{_SERVICES}\EventLog\Application",
    rf"{_SERVICES}\EventLog\System",
)
_SHARED_OF_ACCOUNT = (r"Software\Microsoft\Windows NT\CurrentVersion\AppCompatFlags\Layers",)

#: The keys that tell the build.
VERSION_KEYS = (
    r"Software\Microsoft\Windows NT\CurrentVersion",
    r"Software\Wow6432Node\Microsoft\Windows NT\CurrentVersion",
)


def numbers(build: Build) -> dict[str, Value]:
    """Say what a cumulative update or a new release changes of the registry's version."""
    return {
        "CurrentBuild": str(build.number),
        "CurrentBuildNumber": str(build.number),
        "UBR": build.revision or _REVISIONS.get(build.number, 1),
        "DisplayVersion": build.name.split()[-1],
    }


def write_build(disk: Path, build: Build, *, wine: str, machine: str) -> None:
    """Let a disk's Windows answer as this build: ``ver``, the registry and what programs ask of the system."""
    version: dict[str, Value] = {
        **numbers(build),
        # "6.3" on Windows; Wine takes the version that it presents from here
        "CurrentVersion": "10.0",
        "CSDVersion": "",
        "CurrentMajorVersionNumber": 10,
        "CurrentMinorVersionNumber": 0,
        "ReleaseId": "2009",
        "EditionID": "Enterprise",
        "InstallationType": "Client",
        # Windows 11, too, calls itself Windows 10 here
        "ProductName": "Windows 10 Enterprise",
        "Wine": wine,
    }
    edit(
        disk / "prefix" / "system.reg",
        {
            **dict.fromkeys(VERSION_KEYS, version),
            r"System\CurrentControlSet\Control\Windows": {"CSDVersion": 0},
            # Wine's own start with each boot and do nothing that a product could see
            rf"{_SERVICES}\PlugPlay": {"Start": _ON_DEMAND},
            rf"{_SERVICES}\Eventlog": {"Start": _ON_DEMAND},
            LAB_KEY: {"Wine": wine, "Machine": machine},
        },
    )


def slim(disk: Path) -> None:
    """Take from a new image what makes each program and each boot slow, and no product would miss.

    Each program compares all time zones with its own, UTC, and loads that one's two names out of a DLL, though they
    stand beside it in plain words: a seventh of what it asks of Wine's server. Each boot starts a program that would
    bring menus to a Unix desktop.
    """
    system = disk / "prefix" / "system.reg"
    keep_only(system, _TIME_ZONES, "UTC")
    remove(system, rf"{_TIME_ZONES}\UTC", "MUI_Dlt", "MUI_Std")
    remove(system, rf"{_CURRENT}\RunServices", "winemenubuilder")


def furnish(disk: Path) -> None:
    """Give a new image the keys of the machine's that every Windows has and Wine has not, most of them empty."""
    narrow = {"ProgramFilesDir": r"C:\Program Files (x86)", "CommonFilesDir": r"C:\Program Files (x86)\Common Files"}
    keys: dict[str, dict[str, Value]] = {key: {} for key in _SHARED}
    edit(disk / "prefix" / "system.reg", {**keys, _CURRENT_NARROW: narrow})


def write_accounts(disk: Path, names: Iterable[str]) -> None:
    """Set up the accounts of a new image: temporary files where Windows has them, a desktop that fills the screen."""
    for name in names:
        temporary = f"C:\\users\\{name}\\AppData\\Local\\Temp"
        edit(
            disk / "accounts" / f"{name}.reg",
            {
                "Environment": {"TEMP": temporary, "TMP": temporary},
                r"Software\Wine\Explorer": {"Desktop": "Default"},
                r"Software\Wine\Explorer\Desktops": {"Default": SCREEN},
                **{key: {} for key in _SHARED_OF_ACCOUNT},
            },
        )


def computer_name(name: str) -> str:
    """Make the name Windows has on the network: capitals, at most 15 characters."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.upper())[:15].strip("-")
