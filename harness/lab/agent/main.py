"""The supervisor: the first program in a guest's sandbox.

It holds the screen and hands the pipe to one session at a time, because what the guest may write is decided for all of
Wine at once.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import subprocess
import sys

from .clock import Clock
from .frames import read_frame, write_frame
from .processes import end_processes, everyone
from .session import Session

DISPLAY = ":0"
_NO_RANDOM_ADDRESSES = 0x0040000


def main() -> None:
    """Serve the lab on stdin and stdout until it goes away."""
    places = json.loads(sys.argv[1])
    # Wine wants fixed addresses of its own, which a randomly laid out process now and then has taken already
    ctypes.CDLL(None).personality(_NO_RANDOM_ADDRESSES)
    for place in ("jobs", "home", "screen_folder"):
        os.makedirs(places[place], exist_ok=True)
    environment = {
        "HOME": places["home"],
        "WINEPREFIX": places["prefix"],
        "WINEARCH": "win64",
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml=;winemenubuilder.exe=",
        "PATH": "/usr/bin",
        **_locales(places),
        **_fonts(places),
    }
    spared = {os.getpid()}
    environment["DISPLAY"] = DISPLAY
    if (clock := Clock.of(places)) is not None:
        environment.update(clock.environment(places["faketime"]))
    spared.add(_screen(places))
    while (frame := read_frame(0)) is not None:
        header, _ = frame
        pid = os.fork()
        if pid == 0:
            _session(header, places, environment, spared, clock)
        _, status = os.waitpid(pid, 0)
        if status != 0:
            break  # somebody ended the session from inside, or the lab has gone: the guest is no more
    # the sandbox lasts as long as any process in it
    end_processes(everyone())


def _session(
    header: dict[str, str],
    places: dict[str, str],
    environment: dict[str, str],
    spared: set[int],
    clock: Clock | None,
) -> None:
    """Run one session in this process, a child; it ends with it."""
    session = Session(header["account"], header["level"], places, environment, spared, clock)
    try:
        known = session.begin()
    except (OSError, subprocess.SubprocessError) as error:
        write_frame(1, {"id": header["id"], "error": "failed", "words": f"Windows does not boot: {error}"})
        session.end()
        os._exit(0)
    write_frame(1, {"id": header["id"], **known})
    _settle(int(places["processor"]))
    request = session.serve()
    session.end()
    if request is None:
        os._exit(1)
    write_frame(1, {"id": request})
    os._exit(0)


def _settle(processor: int) -> None:
    """Let everything that runs by now, and all that it starts, stay on one processor; to boot, there were all."""
    for pid in (0, *everyone()):
        with contextlib.suppress(OSError):
            os.sched_setaffinity(pid, {processor})


def _locales(places: dict[str, str]) -> dict[str, str]:
    """Lay out two locales, both the C library's own UTF-8: Wine takes the Windows code pages from the name alone.

    An English one gives 1252, as on an English Windows; a language without a Windows code page gives UTF-8.
    """
    os.makedirs(places["locales"], exist_ok=True)
    for name in ("en_US.UTF-8", places["utf8_locale"]):
        os.symlink(places["c_locale"], f"{places['locales']}/{name}")
    return {"LOCPATH": places["locales"], "LANG": "en_US.UTF-8"}


def _fonts(places: dict[str, str]) -> dict[str, str]:
    """Lay out fontconfig's settings in a few lines, with a cache: every Windows program reads them when it starts."""
    settings = f"{places['home']}/fonts.conf"
    # Wine takes the first family for its dialogs, and these would make them tall or quaint
    unwanted = "".join(
        f'<pattern><patelt name="family"><string>{family}</string></patelt></pattern>'
        for family in ("DejaVu Math TeX Gyre", "DejaVu Serif", "DejaVu Serif Condensed")
    )
    with open(settings, "w", encoding="utf-8") as file:
        file.write(
            f"<fontconfig><dir>/usr/share/fonts</dir><cachedir>{places['home']}/fonts</cachedir>"
            f"<selectfont><rejectfont>{unwanted}</rejectfont></selectfont></fontconfig>"
        )
    return {"FONTCONFIG_FILE": settings}


def _screen(places: dict[str, str]) -> int:
    """Start the screen, whose memory is a file; return its process."""
    # nobody else is in the sandbox, so the display's number is free and need not be asked for
    words = [places["xvfb"], DISPLAY, "-screen", "0", "1024x768x24", "-fbdir", places["screen_folder"]]
    words += ["-nolisten", "tcp", "-nocursor", "-noreset"]
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(words, stdin=nowhere, stdout=nowhere, stderr=nowhere).pid
