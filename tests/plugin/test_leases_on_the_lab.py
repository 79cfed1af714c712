"""Cells and their leases: what a cell without its machine proves, and what a machine that cannot serve costs."""

from __future__ import annotations

import json

from ..lab.running_labs import serving
from .project import Project

CONFTEST = '''
from contextlib import closing
from harness.errors import ProductFailed
from harness.machines.leases.quarantine import break_lease
from harness.machines.leases.register import key_of
from harness.machines.leases.store import open_store

def _breaks(site, machine):
    with closing(open_store(site)) as store:
        assert break_lease(store, key_of(site, machine.entry))

def a_works(machine):
    """Nothing happens, if there is a machine."""

def b_works_too(machine):
    """Nothing happens again."""

def c_fails_on_anothers(machine, site):
    """The product seems to fail on a machine that is not ours any more."""
    _breaks(site, machine)
    raise ProductFailed("ended with 1603")

def d_passes_on_anothers(machine, site):
    """The product seems to work on a machine that is not ours any more."""
    _breaks(site, machine)

def pytest_wincompat_scenarios(config):
    return {f.__name__: f for f in (a_works, b_works_too, c_fails_on_anothers, d_passes_on_anothers)}
'''


def test_leases_of_a_run(project: Project) -> None:
    """A machine that cannot be reverted costs one cell and is put away; without a lease nothing is proved."""
    with serving("--build", "22631", "--machines", "2") as (_, site_file):
        lines = site_file.read_text("utf-8").splitlines()
        lines[lines.index('snapshot = "clean"')] = 'snapshot = "no such"'
        broken = site_file.with_name("broken.toml")
        broken.write_text("\n".join(lines), "utf-8")
        project.site = str(broken)
        project.write("conftest.py", CONFTEST)
        project.matrix("a_works", "b_works_too", "c_fails_on_anothers", "d_passes_on_anothers", builds="22631")
        project.run("matrices/demo.toml")
    found = {cell.rpartition("::")[2]: line for cell, line in project.results().items()}
    assert {name: (line["verdict"], line["fault"]) for name, line in found.items()} == {
        "a_works": ("blocked", "site"),
        "b_works_too": ("passed", "nobody"),
        "c_fails_on_anothers": ("blocked", "site"),
        "d_passes_on_anothers": ("blocked", "site"),
    }
    assert "no snapshot 'no such'" in found["a_works"]["reason"]
    (note,) = (note for note in found["a_works"]["notes"] if "quarantine" in note)
    assert "win11-23h2-a is in quarantine until it is released" in note
    assert note.endswith("wincompat leases release Lab/vm/Windows/win11-23h2-a --site FILE")
    assert {line["machine"] for name, line in found.items() if name != "a_works"} == {"win11-23h2-b"}
    for name in ("c_fails_on_anothers", "d_passes_on_anothers"):
        assert "its lease was broken" in found[name]["reason"]
    assert "ended with 1603" in json.dumps(found["c_fails_on_anothers"]["notes"])
