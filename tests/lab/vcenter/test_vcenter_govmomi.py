"""The lab's vCenter under a client that nobody here wrote: Debian's govmomi; skipped where it is not installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest
from filelock import FileLock

from .vcenter_served import PASSWORD, Served

SOURCE = Path(__file__).parent / "govmomi" / "main.go"
LIBRARY = Path("/usr/share/gocode/src/github.com/vmware/govmomi")


@pytest.fixture(scope="module")
def govmomi(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the client once; go keeps what it compiled for the next time."""
    if shutil.which("go") is None or not LIBRARY.is_dir():
        pytest.skip("needs Debian's golang-go and golang-github-vmware-govmomi-dev")
    cache = getattr(pytestconfig, "cache", None)  # somebody may run without it
    program = (cache.mkdir("govmomi") if cache is not None else tmp_path_factory.mktemp("govmomi")) / "govmomi"
    with FileLock(program.with_suffix(".lock")):
        if not program.exists() or program.stat().st_mtime < SOURCE.stat().st_mtime:
            surroundings = os.environ | {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}
            subprocess.run(["go", "build", "-o", str(program), str(SOURCE)], env=surroundings, check=True)
    return program


def test_govmomi_finds_everything_as_on_a_vcenter(served: Served, govmomi: Path) -> None:
    """Inventory, power, memory snapshots, instant clones, attributes, tags, privileges, events: as Go reads them."""
    address = f"https://{quote('administrator@lab.local')}:{quote(PASSWORD)}@127.0.0.1:{served.port}/sdk"
    said = subprocess.run(
        [str(govmomi), address, str(served.ca)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (said.returncode, said.stderr) == (0, ""), said.stdout
    assert said.stdout.splitlines()[-1] == "logged out"
    assert "made an instant clone" in said.stdout
    assert "attached a tag" in said.stdout
