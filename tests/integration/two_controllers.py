"""What the soak of two controllers is made of: their projects, and the lab's audit read as turns."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# whoever is next looks at a machine before he reverts it; everything else that names a machine is a touch
LOOKS = {"RetrievePropertiesEx", "CreateFilter"}
MARK = re.compile(r"rem wincompat-soak (\S+) (first|last)")

_CONFTEST = """
import os

def _touching(number):
    def touches(guest, step, cell):
        \"\"\"A cell that touches its guest twice and leaves its name both times.\"\"\"
        name = f"{os.environ['SOAK_NAME']}/{cell.build.slug}::{cell.product}::{cell.scenario}"
        for what in ("first", "last"):
            with step(f"{what} touch"):
                assert guest.run(f"rem wincompat-soak {name} {what}").ok
    return touches

def pytest_wincompat_scenarios(config):
    return {f"touch-{number}": _touching(number) for number in range(%d)}
"""

_PRODUCT = """
id = "mark"
name = "Mark"
kind = "zip"
install_dir = 'C:\\\\Mark'
[[versions]]
version = "1.0"
file = "../../mark.zip"
sha256 = "{sha256}"
[proofs]
files = ['{{install_dir}}\\\\mark.txt']
"""


class Rival:
    """A controller with workers of its own, in a process group that can be killed as a host is switched off."""

    def __init__(self, folder: Path, name: str, site_file: Path, *, builds: Sequence[int], scenarios: int) -> None:
        self.folder = folder / name
        self.name = name
        self._site_file = site_file
        package = b"nothing that is ever installed"
        listed = ", ".join(f'"touch-{number}"' for number in range(scenarios))
        (self.folder / "fixtures" / "products").mkdir(parents=True)
        (self.folder / "matrices").mkdir()
        self._write("conftest.py", _CONFTEST % scenarios)
        self._write("mark.zip", package.decode())
        self._write("fixtures/products/mark.toml", _PRODUCT.format(sha256=hashlib.sha256(package).hexdigest()))
        self._write(
            "matrices/soak.toml",
            f'name = "soak"\nbuilds = {list(builds)}\nproducts = ["mark"]\nscenarios = [{listed}]\n',
        )

    def start(self, *words: str) -> None:
        """Start it and go on."""
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(self.folder), "-q"]
        with (self.folder / "said").open("wb") as said:
            self.process = subprocess.Popen(
                [*command, "--site", str(self._site_file), "matrices/soak.toml", *words],
                cwd=self.folder,
                stdout=said,
                stderr=subprocess.STDOUT,
                env={**os.environ, "SOAK_NAME": self.name},
                start_new_session=True,
            )

    def kill(self) -> None:
        """End it with all its workers at once, by SIGKILL."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def said(self) -> str:
        """What it printed."""
        return (self.folder / "said").read_text("utf-8", "replace")

    @property
    def run_folder(self) -> Path:
        """The folder of its only run."""
        (folder,) = (path for path in (self.folder / "build" / "runs").iterdir() if path.is_dir())
        return folder

    def finished(self) -> list[str]:
        """Name the cells that its journal holds by now."""
        try:
            lines = (self.run_folder / "journal.jsonl").read_text("utf-8").splitlines()
        except (OSError, ValueError):
            return []  # the run has not begun to write
        return [str(found["cell"]) for found in map(json.loads, lines) if "verdict" in found]

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")


@dataclass(slots=True)
class Turn:
    """What happened to one machine from one revert to the next, by the lab's own audit."""

    machine: str
    session: str
    sessions: dict[str, set[str]] = field(default_factory=dict)  # of each, the methods that it called
    connections: dict[str, list[str]] = field(default_factory=dict)  # of each, the WS-Man actions
    marks: list[tuple[str, str]] = field(default_factory=list)


def turns(audit: Path) -> list[Turn]:
    """Read the audit: who touched which machine, split at each revert that was asked for."""
    found: list[Turn] = []
    current: dict[str, Turn] = {}
    for line in audit.read_text("utf-8").splitlines():
        touch = json.loads(line)
        machine, client = touch["machine"], touch.get("client", "")
        if not machine or touch["by"] not in ("vcenter", "winrm"):
            continue
        if touch["what"] == "RevertToSnapshot_Task":
            current[machine] = Turn(machine, client)
            found.append(current[machine])
        turn = current.get(machine)
        if turn is None:
            continue  # looked at before its first revert
        if touch["by"] == "vcenter":
            if touch["what"] not in LOOKS:
                turn.sessions.setdefault(client, set()).add(touch["what"])
        else:
            turn.connections.setdefault(client, []).append(touch["what"])
            turn.marks += [(cell, what) for cell, what in MARK.findall(touch.get("line", ""))]
    return found


def two_hands(found: Iterable[Turn]) -> list[str]:
    """Say of each turn that more than one had a hand in, what was seen; nothing when no machine was in two hands.

    One hand is one vCenter session, one cell's marks, and WinRM connections that no other turn has.
    """
    seen: dict[tuple[str, str], Turn] = {}
    problems = []
    for turn in found:
        strangers = {client: methods for client, methods in turn.sessions.items() if client != turn.session}
        problems += [f"{turn.machine}: reverted by {turn.session}, touched by {one}" for one in strangers.items()]
        if len(cells := {cell for cell, _ in turn.marks}) > 1:
            problems.append(f"{turn.machine}: marks of {cells} between two reverts")
        # a port that is used again belongs to a new connection, which opens a shell first
        old = [
            one
            for one, asked in turn.connections.items()
            if seen.setdefault((turn.machine, one), turn) is not turn and asked[0] != "Create"
        ]
        problems += [f"{turn.machine}: {one} outlived a revert and asked for {turn.connections[one]}" for one in old]
    return problems
