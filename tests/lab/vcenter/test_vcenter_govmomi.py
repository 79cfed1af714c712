"""The lab's vCenter under a client that nobody here wrote: Debian's govmomi; skipped where it is not installed."""

from __future__ import annotations

import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.go_program import built

from .vcenter_served import PASSWORD, Served

SOURCE = Path(__file__).parent / "govmomi" / "main.go"


@pytest.fixture(scope="module")
def govmomi(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the client once; go keeps what it compiled for the next time."""
    return built(SOURCE, "govmomi", "github.com/vmware/govmomi", pytestconfig, tmp_path_factory)


def test_govmomi_finds_everything_as_on_a_vcenter(served: Served, govmomi: Path) -> None:
    """Inventory, power, memory snapshots, instant clones, attributes, tags, privileges, events: as Go reads them."""
    address = f"https://{quote('administrator@lab.local')}:{quote(PASSWORD)}@127.0.0.1:{served.port}/sdk"
    said = subprocess.run(
        [str(govmomi), address, str(served.ca)], capture_output=True, text=True, timeout=300, check=False
    )
    assert (said.returncode, said.stderr) == (0, ""), said.stdout
    assert said.stdout.splitlines()[-1] == "logged out"
    assert "made an instant clone" in said.stdout
    assert "attached a tag" in said.stdout
