"""A WinRM service over a scripted guest, with quotas that can be reached."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.lab.winrm.credentials import USER_FILE_VARIABLE, write_user_file
from harness.lab.winrm.quotas import Policy, Quotas
from harness.lab.winrm.service import WinRMService

from .scripted_guest import ScriptedGuest
from .scripted_lab import Lab
from .served import certificate, free_address, loop_thread


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Clients take no proxy or trust from outside, and the whole process knows the user file that it knew before."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    before = os.environ.get(USER_FILE_VARIABLE)
    yield
    if before is None:
        os.environ.pop(USER_FILE_VARIABLE, None)
    else:
        os.environ[USER_FILE_VARIABLE] = before


@pytest.fixture
def quotas() -> Quotas:
    """Allow little enough to be reached."""
    return Quotas(max_shells_per_user=3, max_processes_per_shell=2, max_concurrent_operations_per_user=5, max_timeout=5)


@pytest.fixture
def policy() -> Policy:
    """Open what the lab opens."""
    return Policy()


@pytest.fixture
def lab(tmp_path: Path, quotas: Quotas, policy: Policy) -> Iterator[Lab]:
    """Serve a guest that is up."""
    guest = ScriptedGuest()
    address = free_address()
    write_user_file(tmp_path / "users", guest.accounts.values(), [guest.name])
    tls, trust = certificate(tmp_path, address)
    with loop_thread() as loop:
        service = WinRMService(guest.as_guest, address=address, tls=tls, quotas=quotas, policy=policy)
        loop.run(service.start())
        loop.run(guest.power_on())
        try:
            yield Lab(guest, address, loop, service, trust)
        finally:
            loop.run(service.stop())
