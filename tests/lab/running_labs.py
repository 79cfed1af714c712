"""Labs as processes of their own, and the real client's sessions with them."""

from __future__ import annotations

import contextlib
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import pyVim.connect
import pyVim.task
import pyVmomi

from harness.site import Site, read_site
from tests.waiting import until

LAB = [sys.executable, "-m", "harness.cli", "lab"]
READY = 300  # the first lab on a host builds its image

_client: Any = pyVim.connect
_types: Any = pyVmomi
vim, vmodl = _types.vim, _types.vmodl
wait_for: Any = pyVim.task.WaitForTask


def needs_a_lab() -> None:
    """Skip whoever asks, with what is missing, where no lab can run."""
    host = pytest.importorskip("harness.lab.host", reason="the lab needs pip install pytest-wincompat[lab]")
    if missing := host.missing():
        pytest.skip("the lab cannot run here: " + "; ".join(missing))


@contextmanager
def serving(*options: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Run a lab for as long as the block; give its process and its site file."""
    process = subprocess.Popen(
        [*LAB, "serve", "--until-stdin-closes", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        word, _, path = process.stdout.readline().strip().partition(" ")
        assert word == "ready", word
        yield process, Path(path)
    finally:
        process.stdin.close()
        try:
            process.wait(120)
        finally:
            process.kill()
            process.stdout.close()


@contextmanager
def session(site: Site, password: str | None = None) -> Iterator[Any]:
    """Log in to a lab's vCenter with the real client, verified with the lab's own authority."""
    trust = ssl.create_default_context(cafile=site.vcenter.ca_file)
    where = {"host": site.vcenter.host, "port": site.vcenter.port, "sslContext": trust, "httpConnectionTimeout": 60}
    stub = _client.SmartStubAdapter(**where)
    si = vim.ServiceInstance("ServiceInstance", stub)
    try:
        secret = password or site.vcenter.password.read().get_secret_value()
        si.content.sessionManager.Login(site.vcenter.user, secret, None)
        yield si
    finally:
        with contextlib.suppress(Exception):
            si.content.sessionManager.Logout()
        stub.DropConnections()


def power_on_all(site_file: Path) -> None:
    """Power on every machine of a lab and wait until their Windows is up."""
    site = read_site(site_file)
    with session(site) as si:
        machines = [si.content.searchIndex.FindByInventoryPath(entry.path) for entry in site.machines]
        for task in [vm.PowerOn() for vm in machines]:
            wait_for(task)
        until(lambda: all(vm.guest.toolsRunningStatus == "guestToolsRunning" for vm in machines))


def processes_of(folder: Path) -> list[int]:
    """Find the processes whose command line names something in a folder: sandboxes and labs."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if str(folder).encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found
