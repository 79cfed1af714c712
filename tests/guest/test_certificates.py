"""A guest whose certificate is another one than the site vouches for is blocked at once, and says what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from harness.errors import GuestUnreachable
from harness.guest.guest import Guest
from harness.guest.transport import Endpoint
from harness.machines.leases import deserved
from harness.site import WinRM
from tests.machines.sockets import certificate, https_server, listening


def guest_with(vouched: Path, port: int) -> Guest:
    """Make a guest whose certificate is to be one that this file vouches for."""
    site = WinRM(port=port, ca_file=vouched)
    return Guest(Endpoint("127.0.0.1", site, "admin", SecretStr("never to be said")), machine="win11-a")


def made(folder: Path, name: str) -> Path:
    """Make a new self-signed certificate."""
    (folder / name).mkdir()
    return certificate(folder / name)


@pytest.mark.parametrize(
    "work",
    [
        lambda guest: guest.wait_until_ready(20, reverted=True),
        lambda guest: guest.run("setup.exe /S", deadline=20),
    ],
    ids=["after a revert", "in the middle of a step"],
)
def test_a_new_certificate_blocks_the_cell_at_once(tmp_path: Path, work: Callable[[Guest], object]) -> None:
    """It does not get right by waiting; the site is to blame, not the product."""
    before, after = made(tmp_path, "before"), made(tmp_path, "after")
    with listening(https_server(after, b"")) as port:
        guest = guest_with(before, port)
        with pytest.raises(GuestUnreachable) as told:
            work(guest)
        guest.close()
    assert told.value.problem.startswith(f"https://127.0.0.1:{port}/wsman shows a certificate that does not verify: ")
    assert "self-signed certificate" in told.value.problem
    assert f"have winrm.ca_file ({before}) vouch for it, or put the right one into the snapshot" in told.value.advice
    term = deserved(told.value)
    assert term is not None
    assert term.seconds is not None
