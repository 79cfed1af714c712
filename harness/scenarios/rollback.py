"""rollback: an upgrade that fails half-way must leave the old version as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.matrix import Cell
    from harness.scenarios.installation import Installation
    from harness.scenarios.steps import Steps


def rollback(cell: Cell, installation: Installation, step: Steps) -> None:
    """Fail half-way through an upgrade and say so; the old version must still be registered and work."""
    old, new = cell.from_version, cell.version
    assert old is not None, "a rollback needs a version to come back to"
    with step("look at the guest before"):
        installation.examination.begin()
    with step(f"install {old}"):
        installation.install(old)
    with step(f"look what {old} did"):
        installation.examination.after("install", old, contents=True)
    with step(f"prove {old}"):
        installation.prove(old, seen=installation.examination.last)
    with step(f"upgrade to a {new} that fails half-way"):
        installation.fail_half_way(new)
    with step(f"prove that {old} is still there"):
        installation.prove(old, when=f"after the failed upgrade to {new}")
    with step("look for what the failed upgrade left"):
        installation.examination.after("failed upgrade", new, old=old)
    installation.examination.conclude()
