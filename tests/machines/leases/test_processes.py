"""Leases across processes: no machine in two hands, and a controller that dies gives its machine back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import sqlalchemy

from tests.waiting import until

CELLS = 12


_SITE = """
name = "two machines"
[vcenter]
host = "vcenter"
user = "nobody"
password = {{ env = "NOBODY" }}
[accounts.administrator]
user = "nobody"
password = {{ env = "NOBODY" }}
[budgets]
lease = 300
[leases]
url = "{url}"
expires = {expires}
[[machines]]
path = "a"
build = 19044
snapshot = "clean"
address = "127.0.0.1"
[[machines]]
path = "b"
build = 19044
snapshot = "clean"
address = "127.0.0.2"
"""


@contextmanager
def fighting(
    url: sqlalchemy.URL, folder: Path, name: str, *words: str, expires: float = 60.0
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a controller on a store; it is ended with the block."""
    site = folder / f"{name}.toml"
    store = url.render_as_string(hide_password=False)
    site.write_text(_SITE.format(url=store, expires=expires), "utf-8")
    script = Path(__file__).with_name("fighter.py")
    process = subprocess.Popen([sys.executable, str(script), str(site), str(folder / "touches"), name, *words])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def touches(folder: Path) -> list[list[str]]:
    """Read machine, token, cell and which touch it was, in the order of time."""
    file = folder / "touches"
    return [line.split() for line in file.read_text("utf-8").splitlines()] if file.exists() else []


def test_three_controllers_fight_for_two_machines(url: sqlalchemy.URL, tmp_path: Path) -> None:
    """Between a cell's first and last touch of a machine nobody else touches it, tokens grow, and every cell runs."""
    with (
        fighting(url, tmp_path, "one", f"{CELLS}") as one,
        fighting(url, tmp_path, "two", f"{CELLS}") as two,
        fighting(url, tmp_path, "three", f"{CELLS}") as three,
    ):
        assert [process.wait(300) for process in (one, two, three)] == [0, 0, 0]
    seen = touches(tmp_path)
    for path in ("a", "b"):
        of_it = [touch for touch in seen if touch[0] == path]
        for first, last in zip(of_it[::2], of_it[1::2], strict=True):
            assert [first[2], first[3], last[2], last[3]] == [first[2], "first", first[2], "last"]
        tokens = [int(touch[1]) for touch in of_it[::2]]
        assert all(earlier < later for earlier, later in pairwise(tokens))
    cells = {touch[2] for touch in seen}
    assert len(cells) == 3 * CELLS
    assert len(seen) == 6 * CELLS


def test_a_killed_controllers_machine_comes_free(url: sqlalchemy.URL, tmp_path: Path) -> None:
    """After SIGKILL a lease runs out, and the machine goes to the next with a greater token."""
    with (
        fighting(url, tmp_path, "dies", "1", "still", expires=5) as one,
        fighting(url, tmp_path, "too", "1", "still", expires=5) as two,
    ):
        until(lambda: len(touches(tmp_path)) >= 4 or not one.poll() is two.poll() is None)
        assert one.poll() is two.poll() is None
        for process in (one, two):
            process.kill()
    held = {touch[0]: int(touch[1]) for touch in touches(tmp_path)}
    assert len(held) == 2
    with fighting(url, tmp_path, "lives", "1") as lives:
        assert lives.wait(300) == 0
    (path, token, *_), _ = touches(tmp_path)[4:]
    assert int(token) > held[path]
