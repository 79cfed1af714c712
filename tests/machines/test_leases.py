"""One machine belongs to one cell at a time, also across processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.builds import Build
from harness.errors import NoMachine
from harness.machines.leases import leased
from harness.site import Site

from .sites import site

WIN10 = Build(19044)
TWO = (("DC/vm/a", 19044), ("DC/vm/b", "win10-21h2"), ("DC/vm/c", "22631.4037"))

ELSEWHERE = """
import sys
from pathlib import Path
from harness.builds import Build
from harness.machines.leases import leased
sys.path.insert(0, sys.argv[1])
from tests.machines.sites import site
machines = (("DC/vm/a", 19044), ("DC/vm/b", 19044), ("DC/vm/c", 22631))
folder, build = Path(sys.argv[2]), Build(int(sys.argv[3]))
with leased(site(folder, machines=machines), build, holder="the other", folder=folder) as entry:
    print(entry.path, flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(folder: Path, build: int) -> Iterator[subprocess.Popen[str]]:
    """Start a process of its own that holds a machine until its standard input ends."""
    root = str(Path(__file__).parents[2])
    words = [sys.executable, "-c", ELSEWHERE, root, str(folder), str(build)]
    environment = {**os.environ, "PYTHONPATH": root}
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("DC/vm/")
            yield process
        finally:
            process.kill()


def test_two_leases_get_two_machines_and_a_third_waits_in_vain(tmp_path: Path) -> None:
    """Machines of the build are held one each; past the budget the line names who holds them."""
    with (
        leased(at(tmp_path), WIN10, holder="cell one", folder=tmp_path) as one,
        leased(at(tmp_path), WIN10, holder="cell two", folder=tmp_path) as two,
    ):
        assert {one.path, two.path} == {"DC/vm/a", "DC/vm/b"}
        with (
            pytest.raises(NoMachine) as raised,
            leased(at(tmp_path, lease=0.2), WIN10, holder="cell three", folder=tmp_path),
        ):
            pytest.fail("a third machine came from nowhere")
    line = str(raised.value)
    assert line.startswith("build 19044: no machine came free in 0.2 s: DC/vm/")
    assert "DC/vm/a by cell one since " in line
    assert "DC/vm/b by cell two since " in line
    assert f"(process {os.getpid()})" in line


def at(folder: Path, lease: float = 5.0) -> Site:
    """Make the site of these tests: two machines of one build, one of another."""
    return site(folder, machines=TWO, lease=lease)


def test_a_build_without_a_machine_is_refused_at_once(tmp_path: Path) -> None:
    """Nobody waits for a machine that cannot come; the line names the builds that the site has."""

    def never(seconds: float) -> None:
        pytest.fail("it waited")

    with (
        pytest.raises(NoMachine) as raised,
        leased(at(tmp_path), Build(26100), holder="x", folder=tmp_path, sleep=never),
    ):
        pytest.fail("a machine of another build was given")
    assert str(raised.value) == (
        "build 26100: no machine of site 'test' carries it; "
        "the site has 19044, 22631.4037; add a [[machines]] entry or leave the build out"
    )


@pytest.mark.parametrize(("wanted", "served"), [("22631", True), ("22631.4037", True), ("22631.1", False)])
def test_a_revision_is_honoured(tmp_path: Path, wanted: str, served: bool) -> None:
    """A build without revision takes any; one with a revision takes that one or a machine that does not say."""
    try:
        with leased(at(tmp_path), Build.parse(wanted), holder="x", folder=tmp_path) as entry:
            assert entry.path == "DC/vm/c"
            assert served
    except NoMachine:
        assert not served


def test_the_machine_unused_for_longest_is_preferred(tmp_path: Path) -> None:
    """Machines wear evenly, and one that misbehaves is not met again at once."""
    order = []
    for name in ("first", "second", "third"):
        with leased(at(tmp_path), WIN10, holder=name, folder=tmp_path) as entry:
            order.append(entry.path)
        time.sleep(0.01)  # file times must differ
    assert order[0] != order[1]
    assert order[0] == order[2]


def test_a_lease_is_given_back_when_the_cell_fails(tmp_path: Path) -> None:
    """Whatever happens in the block, the machine is free afterwards."""
    with pytest.raises(ZeroDivisionError), leased(at(tmp_path), Build(22631), holder="x", folder=tmp_path):
        raise ZeroDivisionError
    with leased(at(tmp_path), Build(22631), holder="y", folder=tmp_path) as entry:
        assert entry.path == "DC/vm/c"


def test_another_process_holds_its_machine_until_it_dies(tmp_path: Path) -> None:
    """The lock is seen across processes, and dies with its process however that ends."""
    with another_process(tmp_path, 22631) as other:
        with (
            pytest.raises(NoMachine, match=f"DC/vm/c by the other since .*process {other.pid}"),
            leased(at(tmp_path, lease=0.2), Build(22631), holder="x", folder=tmp_path),
        ):
            pytest.fail("two cells hold one machine")
        other.kill()
        with leased(at(tmp_path), Build(22631), holder="x", folder=tmp_path) as entry:
            assert entry.path == "DC/vm/c"


def test_one_who_waits_gets_the_machine_that_comes_free(tmp_path: Path) -> None:
    """The wait ends as soon as a machine is given back."""
    holding = leased(at(tmp_path), Build(22631), holder="x", folder=tmp_path)
    holding.__enter__()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            holding.__exit__(None, None, None)

    with leased(at(tmp_path), Build(22631), holder="y", folder=tmp_path, sleep=sleep) as entry:
        assert entry.path == "DC/vm/c"
    assert len(slept) == 3


def test_one_who_gives_back_and_asks_again_lines_up(tmp_path: Path) -> None:
    """Somebody who already waits goes before the one who had the machine just now."""
    holding = leased(at(tmp_path), Build(22631), holder="had it", folder=tmp_path)
    holding.__enter__()

    def waiter_sleeps(seconds: float) -> None:
        holding.__exit__(None, None, None)
        with pytest.raises(NoMachine), leased(at(tmp_path, lease=0.1), Build(22631), holder="had it", folder=tmp_path):
            pytest.fail("it overtook the one who waits")

    with leased(at(tmp_path), Build(22631), holder="waits", folder=tmp_path, sleep=waiter_sleeps):
        pass


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    """Where leases cannot be kept, the line says which folder and what to set."""
    (tmp_path / "file").touch()
    with (
        pytest.raises(NoMachine, match="set XDG_STATE_HOME"),
        leased(at(tmp_path), WIN10, holder="x", folder=tmp_path / "file" / "leases"),
    ):
        pytest.fail("leases were kept in a file")
