"""Install Windows once, inside a sandbox of its own: what every guest's disk begins as."""

from __future__ import annotations

import contextlib
import filecmp
import fnmatch
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

#: Folders that a Windows has and Wine makes only when they are first needed.
_FOLDERS = (
    "windows/Installer",
    "windows/temp",
    "users/Public/Desktop",
    "Program Files (x86)/Common Files",
)
_PROFILE = (
    "AppData/Local/Temp",
    "AppData/LocalLow",
    "AppData/Roaming/Microsoft/Internet Explorer/Quick Launch",
)


def main() -> None:
    """Install Windows on an empty disk, with a profile for each account."""
    places = json.loads(sys.argv[1])
    os.makedirs(f"{places['prefix']}/dosdevices")
    os.makedirs(places["drive"])
    os.makedirs(places["accounts"])
    os.symlink("../../c", f"{places['prefix']}/dosdevices/c:")
    os.symlink(places["jobs"], f"{places['prefix']}/dosdevices/b:")
    for number, account in enumerate(places["names"]):
        home = f"/tmp/{account}"  # noqa: S108 - the sandbox's own
        os.mkdir(home)
        environment = {
            "HOME": home,
            "USER": account,
            "LOGNAME": account,
            "WINEPREFIX": places["prefix"],
            "WINEARCH": "win64",
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree,mshtml=;winemenubuilder.exe=",
            "PATH": "/usr/bin",
        }
        for words in (
            [places["wine"], "wineboot", "-u" if number else "-i"],
            [places["wineserver"], "-k"],
            [places["wineserver"], "-w"],
        ):
            # wineserver -k reports by its exit code whether there was one to end
            subprocess.run(words, env=environment, cwd=places["drive"], check=words[1] == "wineboot", timeout=600)
        os.rename(f"{places['prefix']}/user.reg", f"{places['accounts']}/{account}.reg")
        _own_folders(f"{places['drive']}/users/{account}")
    for folder in _FOLDERS:
        os.makedirs(f"{places['drive']}/{folder}", exist_ok=True)
    os.remove(f"{places['prefix']}/wineserver")
    _without(places["drive"], places["absent"])
    _linked(places["drive"], places["wine_files"])


def _without(drive: str, absent: list[str]) -> None:
    """Remove the DLLs that come with Wine and with no Windows: a product that forgot to bring one must not start."""
    for folder in ("system32", "syswow64"):
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(f"{drive}/windows/{folder}"):
                if any(fnmatch.fnmatchcase(name.lower(), pattern) for pattern in absent):
                    os.unlink(f"{drive}/windows/{folder}/{name}")


def _own_folders(profile: str) -> None:
    """Make real folders of Desktop, Documents and the like, which Wine links to the Unix home."""
    with os.scandir(profile) as entries:
        for entry in list(entries):
            if entry.is_symlink():
                os.unlink(entry.path)
                os.mkdir(entry.path)
    for folder in _PROFILE:
        os.makedirs(f"{profile}/{folder}", exist_ok=True)
    shutil.rmtree(f"{profile}/Temp", ignore_errors=True)


def _linked(drive: str, originals: list[str]) -> None:
    """Replace every file that is one of Wine's own by a link to it: no space, and nobody in the guest can change it."""
    by_size: dict[int, list[str]] = {}
    for folder in originals:
        for path in _files(folder):
            by_size.setdefault(os.path.getsize(path), []).append(path)
    for path in list(_files(drive)):
        for original in by_size.get(os.path.getsize(path), ()):
            if filecmp.cmp(path, original, shallow=False):
                os.unlink(path)
                os.symlink(_short(original, originals), path)
                break


def _short(original: str, folders: list[str]) -> str:
    """Name a file of Wine's by the sandbox's short name for its folder.

    A link of 60 letters or more takes a block of its own on most file systems, and a copy then takes five times longer.
    """
    for number, folder in enumerate(folders):
        if original.startswith(f"{folder}/"):
            return f"/wine{number}{original.removeprefix(folder)}"
    return original


def _files(folder: str) -> Iterator[str]:
    for at, _, names in os.walk(folder):
        for name in names:
            if not os.path.islink(f"{at}/{name}"):
                yield f"{at}/{name}"
