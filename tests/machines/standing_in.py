"""A site whose machines have no Windows: the lab's vCenter in this process, over stand-ins for guests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.machines.vcenter import VCenter
from harness.site import Account, Budgets, Secret, Site, SiteMachine
from harness.site import VCenter as Address
from tests.lab.vcenter.vcenter_served import PASSWORD, Served, vim

FOLDER = "Lab/vm/Windows"
MACHINES = [
    {"path": f"{FOLDER}/a", "build": 19044, "snapshot": "clean", "address": "127.0.0.11"},
    {"path": f"{FOLDER}/b", "build": 22631, "snapshot": "clean", "address": "127.0.0.12"},
]


@contextmanager
def standing_in(folder: Path) -> Iterator[Served]:
    """Run a vCenter with two machines, a and b, each off and with the snapshot ``clean``."""
    running = Served(folder)
    running.thread.start()
    assert running.ready.wait(60)
    try:
        yield running
    finally:
        running.loop.call_soon_threadsafe(running.loop.stop)
        running.thread.join(60)
        running.audit.close()


def site_of(served: Served, folder: Path, *machines: dict[str, Any], **budgets: float) -> Site:
    """Write the site of such a vCenter; what is waited for is waited for long, and what has to pass passes quickly."""
    secret = folder / "vcenter.secret"
    secret.write_text(PASSWORD)
    patience: dict[str, float] = {"request": 30, "lease": 30, "task": 60, "ready": 60, "settle": 0.05, "tools": 0.2}
    return Site(
        name="stand-ins",
        vcenter=Address(
            host="127.0.0.1",
            port=served.port,
            user="administrator@lab.local",
            password=Secret(file=secret),
            ca_file=served.ca,
        ),
        accounts={"administrator": Account(user="admin", password=Secret(file=secret))},
        machines=tuple(SiteMachine.model_validate(one) for one in machines or MACHINES),
        budgets=Budgets(**(patience | budgets)),
    )


def cloning(strategy: str = "linked-clone", *, path: str = f"{FOLDER}/a", **more: Any) -> dict[str, Any]:
    """Write an entry whose machines are cloned."""
    return {"path": path, "build": 19044, "snapshot": "clean", "strategy": strategy, **more}


def names(vcenter: VCenter) -> list[str]:
    """List the machines in the inventory."""
    session = vcenter._session
    with session.everything_of([vim.VirtualMachine]) as objects:
        rows = session.retrieve(objects, {vim.VirtualMachine: ("name",)})
    return sorted(row.propSet[0].val for row in rows)
