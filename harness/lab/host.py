"""What the lab needs of the host, and where the host keeps it."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

#: The unprivileged user that guests run as when the lab is started by root; no account of the host has this number.
ROOTS_GUEST = 64987

_WINE = ("/usr/lib/wine/wine64", "/usr/bin/wine64", "/opt/wine-stable/bin/wine64", "/usr/bin/wine")
_SERVER = ("/usr/lib/wine/wineserver64", "/usr/bin/wineserver", "/opt/wine-stable/bin/wineserver")
_DLLS = (
    "/usr/lib/x86_64-linux-gnu/wine/x86_64-windows",
    "/usr/lib/wine/x86_64-windows",
    "/usr/lib64/wine/x86_64-windows",
    "/opt/wine-stable/lib64/wine/x86_64-windows",
    "/opt/wine-stable/lib/wine/x86_64-windows",
)
_SHARED = ("/usr/share/wine", "/opt/wine-stable/share/wine")
_FAKETIME = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib64/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
)
_C_LOCALE = ("/usr/lib/locale/C.utf8", "/usr/lib/locale/C.UTF-8")


@dataclass(frozen=True)
class Host:
    """The host's programs and folders, as `look_up` found them; empty where something is missing."""

    wine: str = ""
    wineserver: str = ""
    wine_files: tuple[str, ...] = ()
    bwrap: str = ""
    xvfb: str = ""
    python: str = ""
    c_locale: str = ""
    #: the library that shows programs another clock; no image depends on it
    faketime: str = field(default="", repr=False)

    @cached_property
    def wine_version(self) -> str:
        """Wine's version as it names it: ``8.0``."""
        words = subprocess.run([self.wine, "--version"], capture_output=True, text=True, check=True).stdout
        found = re.search(r"wine-([\w.]+)", words)
        return found[1] if found else words.strip()

    @property
    def runs_32_bit(self) -> bool:
        """Whether 32-bit Windows programs start: Wine's 32-bit half is a package of its own."""
        return any((Path(folder).parent / "i386-unix" / "ntdll.so").exists() for folder in self.wine_files) or bool(
            list(Path("/usr/lib/i386-linux-gnu/wine/i386-unix").glob("ntdll.so"))
        )


def look_up() -> Host:
    """Find what the host has."""
    return Host(
        wine=_first(_WINE),
        wineserver=_first(_SERVER),
        wine_files=tuple(folder for folder in (*_DLLS, *_SHARED) if Path(folder).is_dir()),
        bwrap=shutil.which("bwrap") or "",
        xvfb=shutil.which("Xvfb") or "",
        python=_first(("/usr/bin/python3", "/usr/local/bin/python3")),
        c_locale=_first(_C_LOCALE),
        faketime=_first(_FAKETIME),
    )


def missing(host: Host | None = None, *, platform: str = sys.platform) -> list[str]:
    """Say what keeps the lab from running here, one plain sentence each with what to install; empty when it can run."""
    if platform != "linux":
        return [f"the lab runs its guests with Wine on Linux; this is {platform}: name a vSphere site instead"]
    host = host or look_up()
    lacks = [
        (host.wine and host.wineserver, "Wine is not installed: apt-get install --no-install-recommends wine wine64"),
        (host.bwrap, "bubblewrap is not installed: apt-get install bubblewrap"),
        (host.xvfb, "Xvfb is not installed: apt-get install xvfb"),
        (host.python, "no Python below /usr for the guests to use: apt-get install python3"),
        (host.c_locale, "the C.UTF-8 locale is not below /usr/lib/locale: apt-get install libc-bin"),
    ]
    sentences = [sentence for found, sentence in lacks if not found]
    if not sentences and (words := _sandbox_refusal(host)):
        sentences.append(
            f"the sandbox does not start ({words}): allow unprivileged user namespaces "
            "(sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0; "
            "in a container: --privileged or --security-opt seccomp=unconfined)"
        )
    return sentences


def _sandbox_refusal(host: Host) -> str:
    tried = subprocess.run(
        [host.bwrap, "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        **as_guest(),
    )
    return "" if tried.returncode == 0 else tried.stderr.strip() or f"exit code {tried.returncode}"


def lab_home() -> Path:
    """Choose the folder of images, guests and labs: WINCOMPAT_LAB_HOME, or one that the guests' user can reach."""
    if named := os.environ.get("WINCOMPAT_LAB_HOME"):
        return Path(named).absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/pytest-wincompat")
    cache = os.environ.get("XDG_CACHE_HOME") or Path(pwd.getpwuid(os.geteuid()).pw_dir) / ".cache"
    return Path(cache) / "pytest-wincompat"


def guest_user() -> int:
    """Tell the user that guests run as, never root: the lab's own, or a dedicated number when that is root."""
    return os.geteuid() or ROOTS_GUEST


def as_guest() -> dict[str, Any]:
    """Arguments of subprocess that start a program as the guests' user."""
    if os.geteuid() != 0:
        return {}
    return {"user": ROOTS_GUEST, "group": ROOTS_GUEST, "extra_groups": []}


def _first(paths: tuple[str, ...]) -> str:
    return next((path for path in paths if Path(path).exists()), "")
