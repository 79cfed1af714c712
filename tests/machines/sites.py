"""Sites for tests that need no lab."""

from __future__ import annotations

from pathlib import Path

from harness.site import Account, Budgets, Secret, Site, SiteMachine, VCenter

PASSWORD = "Tr0ub4dor&3-not-to-be-seen"


def site(
    folder: Path,
    *,
    port: int = 443,
    ca_file: Path | None = None,
    verify: bool = True,
    machines: tuple[tuple[str, int | str], ...] = (("DC/vm/one", 19044),),
    request: float = 30.0,
    lease: float = 60.0,
    host: str = "127.0.0.1",
) -> Site:
    """Make a site whose one secret lies in a file of this folder."""
    secret = folder / "vcenter.secret"
    secret.write_text(PASSWORD)
    return Site(
        name="test",
        vcenter=VCenter(
            host=host, port=port, user="tester", password=Secret(file=secret), ca_file=ca_file, verify=verify
        ),
        accounts={"administrator": Account(user="admin", password=Secret(file=secret))},
        machines=tuple(
            SiteMachine(path=path, build=build, snapshot="clean", address=f"127.0.0.{number}")
            for number, (path, build) in enumerate(machines, start=11)
        ),
        budgets=Budgets(request=request, lease=lease, task=60),
    )
