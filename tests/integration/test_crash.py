"""A controller that dies loses nothing that was finished and leaves nothing running."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.waiting import until

from .conftest import Controller
from .installers import write_project

A_WHILE = "Sleep 2500"


def test_a_controller_killed_in_the_middle_of_a_run(controller: Controller) -> None:
    """After SIGKILL every finished cell is in the journal, the report can be made of it, and no process is left."""
    write_project(controller.folder, A_WHILE, deadline=300, builds="19044, 19045, 22000, 22621")
    process = controller.start("matrices/habit.toml", site="lab")
    until(lambda: _finished(controller) or process.poll() is not None, 300, pause=0.1)
    assert process.poll() is None, process.communicate()[0]
    controller.wait_for("install 1.0")
    family = _descendants(process.pid)
    assert any("wineserver" in name for name in family.values()), "a guest is at work"
    finished = _finished(controller)
    process.send_signal(signal.SIGKILL)
    process.wait()

    until(lambda: not [name for one, name in family.items() if _identity(one[0]) == one], 300, pause=0.2)
    assert _finished(controller) >= finished
    command = [sys.executable, "-m", "harness.cli", "report", str(controller.run_folder)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    page = (controller.run_folder / "report.html").read_text("utf-8")
    assert all(cell.split("::")[0] in page for cell in finished)


def _finished(controller: Controller) -> set[str]:
    try:
        return {str(result["cell"]) for result in controller.results()}
    except (ValueError, FileNotFoundError):
        return set()  # the run has not begun to write


def _descendants(pid: int) -> dict[tuple[int, str], str]:
    """Everything below a process: (pid, start time) to name."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, waiting = {}, list(children.get(pid, ()))
    while waiting:
        one = waiting.pop()
        waiting += children.get(one, ())
        if identity := _identity(one):
            found[identity] = _name(one)
    return found


def _identity(pid: int) -> tuple[int, str] | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else (pid, fields[19])


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return ""
