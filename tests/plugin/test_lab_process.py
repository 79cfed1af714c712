"""The lab that a run starts for itself ends with the run, however the run ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.plugin.lab_process import LabDidNotStart, LabProcess
from harness.running_lab import lab_that_is_up
from tests.waiting import until

# a stand-in that keeps the lab's word: one line when it is ready, and its end when its standard input ends
SERVES = "import sys; print('ready /somewhere/site.toml', flush=True); sys.stdin.read()"


def python(words: str) -> tuple[str, ...]:
    """Return a command that runs these words."""
    return (sys.executable, "-c", words)


def is_there(pid: int) -> bool:
    """Tell whether a process is there and at work."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_site_file_is_what_the_lab_says() -> None:
    """A lab that is ready names its site file; letting go of it ends it."""
    lab = LabProcess(python(SERVES))
    assert lab.site(120) == Path("/somewhere/site.toml")
    lab.stop()
    assert not is_there(lab.pid)


def test_a_lab_that_cannot_run_says_why() -> None:
    """What the lab wrote before it ended is the message."""
    lab = LabProcess(python("import sys; print('wine is missing: apt-get install wine', file=sys.stderr); sys.exit(5)"))
    with pytest.raises(LabDidNotStart, match=r"^wine is missing: apt-get install wine$"):
        lab.site(120)
    assert not is_there(lab.pid)


def test_a_lab_that_says_nothing_is_not_waited_for_for_ever() -> None:
    """Past its budget the lab is ended and the advice is to start it by hand."""
    lab = LabProcess(python("import sys; sys.stdin.read()"))
    with pytest.raises(LabDidNotStart, match="wincompat lab up"):
        lab.site(0.2)
    assert not is_there(lab.pid)


def test_a_killed_run_takes_its_lab_along(tmp_path: Path) -> None:
    """The lab's standard input ends when the one who holds it is killed with SIGKILL."""
    holder = tmp_path / "holder.py"
    holder.write_text(
        "import time\nfrom harness.plugin.lab_process import LabProcess\n"
        f"lab = LabProcess({python(SERVES)!r})\nlab.site(120)\nprint(lab.pid, flush=True)\ntime.sleep(600)\n",
        "utf-8",
    )
    with subprocess.Popen([sys.executable, holder], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lab = int(process.stdout.readline())
        assert is_there(lab)
        os.kill(process.pid, signal.SIGKILL)
    until(lambda: not is_there(lab))


def test_a_lab_is_up_when_status_names_its_site_file(tmp_path: Path) -> None:
    """Only a good exit code with an existing file counts."""
    site = tmp_path / "site.toml"
    assert lab_that_is_up(python(f"print({str(site)!r})")) is None
    site.touch()
    assert lab_that_is_up(python(f"print({str(site)!r})")) == site
    assert lab_that_is_up(python(f"print({str(site)!r}); raise SystemExit(3)")) is None
    assert lab_that_is_up((str(tmp_path / "no-such-program"),)) is None
