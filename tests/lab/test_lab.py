"""The lab as a process: it comes up, tells about itself, and leaves nothing behind however it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.lab import commands, host, options
from harness.lab.folder import LabFolder
from harness.site import read_site
from tests.waiting import until

from .running_labs import LAB, READY, power_on_all, processes_of, serving, session, vim, vmodl, wait_for

SMALL = ("--build", "win11-23h2", "--machines", "1")
pytestmark = pytest.mark.skipif(bool(host.missing()), reason="; ".join(host.missing()))


def _lab(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*LAB, *words], capture_output=True, text=True, timeout=READY, check=False)


@pytest.fixture
def name() -> Iterator[str]:
    """Name a lab that is taken down whatever happens."""
    mine = f"test-{os.getpid()}"
    yield mine
    _lab("down", "--name", mine)
    LabFolder(host.lab_home(), mine).discard()


def test_up_status_down(name: str) -> None:
    """A lab comes up in the background, tells about itself, comes up only once, and goes down without a trace."""
    came = _lab("up", "--name", name, "--machines", "1")
    assert came.returncode == 0, came.stderr
    site_file = Path(_lab("status", "--name", name, "--site-file").stdout.strip())
    site = read_site(site_file)
    assert len(site.machines) == 7
    assert site.machines[0].path == "Lab/vm/Windows/win10-21h2-a"
    assert f"pytest --site {site_file}" in came.stdout
    folder = site_file.parent
    assert stat.S_IMODE((folder / "secrets").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder / "secrets").iterdir()} == {0o600}
    told = json.loads(_lab("status", "--name", name, "--json").stdout)
    assert {machine["power"] for machine in told["machines"]} == {"off"}
    again = _lab("up", "--name", name)
    assert again.returncode == 0
    assert "already up" in again.stdout
    assert _lab("down", "--name", name).returncode == 0
    down = _lab("status", "--name", name)
    assert (down.returncode, down.stdout) == (3, "")
    assert "wincompat lab up" in down.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["audit.jsonl", "lab.log"]
    assert processes_of(folder) == []
    assert told["pid"] not in processes_of(Path(name))  # a line of /proc that names the lab is the lab's own
    assert "already" not in _lab("down", "--name", name).stderr


def test_a_lab_lives_as_long_as_its_standard_input() -> None:
    """What ``serve --until-stdin-closes`` started ends with the pipe, with its guests and its folder."""
    with serving(*SMALL) as (process, site_file):
        power_on_all(site_file)
        assert processes_of(site_file.parent)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(120) == 0
        assert processes_of(site_file.parent) == []
        assert not site_file.parent.exists()


def _sandboxes(folder: Path) -> set[int]:
    found = set()
    for pid in processes_of(folder):
        with contextlib.suppress(OSError):  # it may have ended since
            if Path(f"/proc/{pid}/comm").read_text().startswith("bwrap"):
                found.add(pid)
    return found


def test_a_machine_of_each_build_stands_by() -> None:
    """It is booted before anybody wants it, off as far as one can see, and gone with the lab."""
    with serving("--build", "win11-23h2", "--build", "win10-22h2", "--machines", "2", "--stand-by") as (process, site):
        first, other = (site.parent / "guests" / name for name in ("win11-23h2-a", "win10-22h2-a"))
        until(lambda: _sandboxes(first) and _sandboxes(other))
        assert not processes_of(site.parent / "guests" / "win11-23h2-b")
        with session(read_site(site)) as si:
            vm = si.content.searchIndex.FindByInventoryPath("Lab/vm/Windows/win11-23h2-a")
            assert vm.runtime.powerState == "poweredOff"
            stood_by = _sandboxes(first)
            wait_for(vm.snapshot.currentSnapshot.RevertToSnapshot_Task())
            assert stood_by <= _sandboxes(first)
            assert vm.runtime.powerState == "poweredOn"
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(120) == 0
        assert processes_of(site.parent) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_ends_everything(number: signal.Signals) -> None:
    """A lab that is told to end, or killed, takes its guests with it; what a killed one left goes at the next start."""
    with serving(*SMALL) as (process, site_file):
        power_on_all(site_file)
        process.send_signal(number)
        code = process.wait(120)
        assert code == (0 if number != signal.SIGKILL else -number)
        until(lambda: not processes_of(site_file.parent))
        assert site_file.parent.exists() == (number == signal.SIGKILL)
    with serving(*SMALL):
        assert not site_file.parent.exists()


def test_the_end_of_the_starter_ends_the_lab(tmp_path: Path) -> None:
    """When whoever started it is killed, the kernel closes the pipe and the lab ends."""
    note = tmp_path / "ready"
    words = [*LAB, "serve", "--until-stdin-closes", *SMALL]
    starter = (
        "import subprocess, pathlib, time\n"
        f"lab = subprocess.Popen({words!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)\n"
        "line = lab.stdout.readline().split()[1]\n"
        f"pathlib.Path({str(note)!r}).write_text(line)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", starter]) as parent:
        until(lambda: note.exists() and note.read_text(), READY)
        site_file = Path(note.read_text())
        power_on_all(site_file)
        parent.kill()
    until(lambda: not processes_of(site_file.parent))
    until(lambda: not site_file.parent.exists())


def test_two_labs_side_by_side() -> None:
    """Two labs share nothing: neither addresses nor passwords nor certificates, and each has its machines."""
    with serving(*SMALL) as (_, first), serving(*SMALL) as (_, second):
        one, other = read_site(first), read_site(second)
        assert one.vcenter.host != other.vcenter.host
        assert one.machines[0].address != other.machines[0].address
        power_on_all(first)
        power_on_all(second)
        with (
            pytest.raises(vim.fault.InvalidLogin),
            session(one, other.vcenter.password.read().get_secret_value()),
        ):
            raise AssertionError("the password of another lab was taken")


def test_a_screenshot_on_the_command_line(name: str, tmp_path: Path) -> None:
    """The console of a machine that is on can be saved; one that is off or unknown is named."""
    assert _lab("up", "--name", name, *SMALL).returncode == 0
    picture = tmp_path / "console.png"
    off = _lab("screenshot", "--name", name, "win11-23h2-a", str(picture))
    assert (off.returncode, picture.exists()) == (3, False)
    assert "is off" in off.stderr
    assert "there are win11-23h2-a" in _lab("screenshot", "--name", name, "nobody", str(picture)).stderr
    power_on_all(Path(_lab("status", "--name", name, "--site-file").stdout.strip()))
    assert _lab("screenshot", "--name", name, "win11-23h2-a", str(picture)).returncode == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_faults_on_the_command_line() -> None:
    """A fault is asked for, listed with how often it struck, refused in a line when it is none, and taken back."""
    with serving(*SMALL) as (_, site_file):

        def say(*words: str) -> str:
            said = CliRunner().invoke(commands.lab, [words[0], "--name", site_file.parent.name, *words[1:]])
            return f"{said.exit_code} {said.output}"

        told = say("fault", "task-fails", "--machine", "win11-23h2-a", "--with", "method=PowerOnVM_Task")
        assert "task-fails of win11-23h2-a, once, method PowerOnVM_Task: struck 0 times so far" in told
        assert say("fault", "task-fail").startswith("2 no fault is named 'task-fail'; did you mean 'task-fails'?")
        assert "there are win11-23h2-a" in say("fault", "reset", "--machine", "win11-23h2-b")
        assert "there are PowerOnVM_Task" in say("fault", "task-fails", "--with", "method=PowerOn_Task")
        assert say("fault", "--clear", "drifts").startswith("2 no fault is named 'drifts'")
        site = read_site(site_file)
        with session(site) as si:
            vm = si.content.searchIndex.FindByInventoryPath(site.machines[0].path)
            with pytest.raises(vmodl.fault.SystemError):
                wait_for(vm.PowerOn())
            assert "struck 1 times so far" in say("fault", "--list")
            assert "nothing is asked" in say("fault", "--clear")
            wait_for(vm.PowerOn())
        assert "is frozen" in say("freeze", "win11-23h2-a")
        assert "goes on" in say("freeze", "win11-23h2-a", "--thaw")


def test_a_lab_of_hundreds_of_machines() -> None:
    """Machines cost next to nothing before they are used: hundreds are there at once, each with its own address."""
    with serving("--build", "win11-23h2", "--machines", "200", "--build", "win10-22h2") as (_, site_file):
        site = read_site(site_file)
        assert len({machine.address for machine in site.machines}) == 400
        assert not (site_file.parent / "guests").exists()
        with session(site) as si:
            last = si.content.searchIndex.FindByInventoryPath("Lab/vm/Windows/win11-23h2-gr")
            wait_for(last.snapshot.rootSnapshotList[0].snapshot.Revert())
            assert last.guest.ipAddress in {machine.address for machine in site.machines}


def test_where_no_lab_can_run_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain sentences, an exit code of its own, and the way that is open: a vSphere site."""
    monkeypatch.setattr(host, "missing", lambda: ["Wine is not installed: apt-get install wine"])
    for verb in ("up", "serve"):
        refused = CliRunner().invoke(commands.lab, [verb])
        assert refused.exit_code == options.CANNOT
        assert "apt-get install wine" in refused.output
        assert "vSphere" in refused.output
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "this is darwin" in CliRunner().invoke(commands.lab, ["up"]).output


def test_where_its_folder_cannot_be_it_says_how_to_name_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An account without a home, as services have it, learns which folder it is and which variable moves it."""
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("WINCOMPAT_LAB_HOME", str(file / "home"))
    for verb in ("up", "serve"):
        refused = CliRunner().invoke(commands.lab, [verb])
        assert refused.exit_code == options.CANNOT
        assert f"{file / 'home'} (Not a directory)" in refused.output
        assert "WINCOMPAT_LAB_HOME" in refused.output


def test_a_wrong_word_on_the_command_line_is_answered_in_a_line() -> None:
    """An unknown build names the nearest one; a name that is a path is refused."""
    assert "did you mean 'win11-23h2'" in _lab("up", "--build", "win11-23h").stderr
    assert _lab("up", "--name", "../x").returncode == 2
