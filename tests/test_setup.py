"""What `make demo` and `make test` set up: only what is missing, by whoever may, and nothing twice."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import ROOT

#: the system's own programs that the script may use; every other one is missing unless a test puts it there
OWN = ("dirname", "uname", "grep", "touch", "env", "cat", "sh")
LAB = ["wine", "wine64", "bubblewrap", "xvfb", "wixl", "msitools", "nsis", "python3-venv"]
TESTS = [*LAB, "osslsigncode", "chromium", "faketime", "winrmcp"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="packages are set up on Debian and Ubuntu")


class Machine:
    """A project's folder on a machine of which a test says what is installed, what can be had, and who asks."""

    def __init__(self, place: Path) -> None:
        self.project = place / "größer als ein Wort"  # shells like to take such a name apart
        (self.project / "fixtures").mkdir(parents=True)
        shutil.copy(ROOT / "fixtures" / "setup.sh", self.project / "fixtures")
        (self.project / "pyproject.toml").touch()
        self.programs = place / "programs"
        self.programs.mkdir()
        self._done = place / "done"
        self._installed = place / "installed"
        self._lists = place / "lists"
        self._lists.touch()
        for name in OWN:
            (self.programs / name).symlink_to(shutil.which(name) or pytest.skip(f"{name} not found"))
        self.program("id", "echo 1000")
        self.program("dpkg-query", f'for last; do :; done; grep -qx "$last" {self._installed} && echo "ii installed"')
        lists = f"if [ $1 = policy ]; then [ ! -s {self._lists} ] || echo 500 http Packages; exit; fi"
        self.program("apt-cache", f'{lists}; grep -qx "$2" {self._lists}')
        self.program("apt-get", f'echo "$(id -u) apt-get $*" >> {self._done}')

    def program(self, name: str, script: str, folder: Path | None = None) -> None:
        """Put a program there."""
        path = (folder or self.programs) / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def has(self, *, installed: list[str], lists: list[str]) -> None:
        """Say which packages are installed, and which ones apt knows."""
        self._installed.write_text("".join(f"{name}\n" for name in installed))
        self._lists.write_text("".join(f"{name}\n" for name in lists))

    def has_environment(self, stamp: str) -> None:
        """Put a sound .venv there, of which every use is noted but the question whether it is sound."""
        folder = self.project / ".venv" / "bin"
        folder.mkdir(parents=True)
        self.program("python", f'[ "$1" = -P ] || echo "python $*" >> {self._done}', folder)
        (self.project / ".venv" / stamp).touch()

    def root(self) -> None:
        """Let root ask."""
        self.program("id", "echo 0")

    def sudo(self, script: str) -> None:
        """Install sudo."""
        self.program("sudo", script)

    def set_up(self, *words: str, terminal: bool = False) -> tuple[int, str]:
        """Run the script; give its exit code and what it said."""
        ours, theirs = pty.openpty()
        try:
            ran = subprocess.run(
                ["/bin/sh", str(self.project / "fixtures" / "setup.sh"), *words],
                stdin=theirs if terminal else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=120,
                env={"PATH": str(self.programs), "LC_ALL": "C.UTF-8"},
                cwd="/",
            )
        finally:
            os.close(ours)
            os.close(theirs)
        return ran.returncode, ran.stdout

    @property
    def done(self) -> list[str]:
        """What was done to the machine or to .venv, in order."""
        return self._done.read_text().splitlines() if self._done.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Give a machine on which nothing is installed."""
    return Machine(tmp_path)


@pytest.mark.parametrize(("words", "packages"), [((), TESTS), (("demo",), LAB)])
def test_where_all_is_there_nothing_is_done(machine: Machine, words: tuple[str, ...], packages: list[str]) -> None:
    """Neither packages nor PyPI are asked, nothing is said, and nobody needs root."""
    machine.has(installed=packages, lists=packages)
    machine.has_environment("installed-demo" if words else "installed")
    assert machine.set_up(*words) == (0, "")
    assert machine.done == []


def test_what_the_tests_take_is_enough_for_the_demo_but_not_the_other_way_round(machine: Machine) -> None:
    """After `make test` the demo sets up nothing; after `make demo` the tests set up the rest."""
    machine.has(installed=TESTS, lists=TESTS)
    machine.has_environment("installed")
    assert machine.set_up("demo") == (0, "")
    (machine.project / ".venv" / "installed").rename(machine.project / ".venv" / "installed-demo")
    assert machine.set_up()[0] == 0
    assert [line.split()[-1] for line in machine.done] == [".[dev]"]
    assert machine.set_up() == (0, "")


@pytest.mark.parametrize(("words", "packages"), [((), TESTS), (("demo",), LAB)])
def test_root_installs_what_is_missing(machine: Machine, words: tuple[str, ...], packages: list[str]) -> None:
    """The demo takes no browser and none of the tests' tools."""
    machine.root()
    machine.has(installed=["xvfb"], lists=packages)
    machine.has_environment("installed")
    code, _ = machine.set_up(*words)
    assert code == 0
    updating, installing = machine.done
    assert updating.startswith("0 apt-get")
    assert updating.endswith(" update")
    assert installing.partition(" -y ")[2].split() == [name for name in packages if name != "xvfb"]


def test_an_ordinary_user_installs_with_sudo(machine: Machine) -> None:
    """Everything that changes the machine goes through sudo."""
    machine.sudo('[ "$1" != -n ] || shift; export PATH="$PATH"; echo "echo 0" > "$(dirname "$0")/id"; exec "$@"')
    machine.program("true", "exit 0")
    machine.has(installed=[], lists=LAB)
    machine.has_environment("installed-demo")
    assert machine.set_up("demo")[0] == 0
    assert [line.split()[:2] for line in machine.done] == [["0", "apt-get"]] * 2


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "no terminal"])
@pytest.mark.parametrize("sudo", [None, 'echo "$*" >> "$0.asked"; exit 1'], ids=["no sudo", "sudo refuses"])
def test_who_cannot_become_root_gets_one_command_to_hand_over(
    machine: Machine, sudo: str | None, terminal: bool
) -> None:
    """It names just what is missing, nothing is done, and a password is asked for only where one can be typed."""
    if sudo:
        machine.sudo(sudo)
    machine.has(installed=["wine", "wine64"], lists=LAB)
    code, said = machine.set_up("demo", terminal=terminal)
    assert code == 1
    command = said.splitlines()[-1].strip()
    wanted = "apt-get update && apt-get install --no-install-recommends -y "
    assert command == wanted + " ".join(name for name in LAB if not name.startswith("wine"))
    assert machine.done == []
    asked = machine.programs / "sudo.asked"
    assert ("-v" in asked.read_text().split() if asked.exists() else False) == (bool(sudo) and terminal)


def test_a_package_that_the_distribution_lacks_is_named_and_done_without(machine: Machine) -> None:
    """It keeps nobody from the tests, and apt-get is not asked for it again at every start."""
    machine.has(installed=LAB, lists=[name for name in TESTS if name != "chromium"])
    machine.has_environment("installed")
    code, said = machine.set_up()
    assert code == 1
    assert "chromium" not in said.splitlines()[-1]
    machine.has(installed=[name for name in TESTS if name != "chromium"], lists=TESTS[:3])
    code, said = machine.set_up()
    assert code == 0
    assert "no package chromium" in said
    assert machine.done == []


def test_a_machine_without_network_is_told_so(machine: Machine) -> None:
    """That no list of packages came is no reason to call each of them unknown to the distribution."""
    machine.root()
    machine.has(installed=[], lists=[])
    code, said = machine.set_up("demo")
    assert code == 1
    assert "network" in said
    assert "distribution has no package" not in said
    assert [line.split()[-1] for line in machine.done] == ["update"]


def test_an_environment_that_was_moved_is_made_anew(machine: Machine) -> None:
    """The programs in it name their old place, and its project would be the old one."""
    machine.has(installed=TESTS, lists=TESTS)
    (machine.project / "harness").mkdir()
    (machine.project / "harness" / "__init__.py").touch()
    machine.program("python3.14", f'echo "made $*" >> {machine.programs}/made')
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", machine.project / ".venv"], check=True)
    (installs,) = (machine.project / ".venv").glob("lib/python*/site-packages")
    (installs / "editable.pth").write_text(f"{machine.project}\n", "utf-8")
    (machine.project / ".venv" / "installed").touch()
    assert machine.set_up() == (0, "")
    machine.project = machine.project.rename(machine.project.with_name("moved"))
    machine.set_up()
    assert (machine.programs / "made").read_text().splitlines()[-1] == "made -m venv --clear .venv"


def test_an_unknown_word_is_refused(machine: Machine) -> None:
    """Nothing is set up for a word that was mistyped."""
    code, said = machine.set_up("demos")
    assert code == 2
    assert "demos" in said
    assert machine.done == []
